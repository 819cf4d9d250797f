import DeviceModel

/// Which readings of one property go up: those that differ enough from the last one that did, and one every so often.
///
/// A plain value.
struct ReportFilter {
    /// What counts as enough.
    struct Settings: Hashable, Sendable {
        /// How far a number has to move; nil: every reading goes up.
        var deadBand: Double?
        /// After how long one goes up even if nothing changed; nil: never.
        var atLeast: Duration?
    }

    private let settings: Settings
    private var last: (reading: Reading, time: MonotonicTime)?

    init(_ settings: Settings) {
        self.settings = settings
    }

    /// Whether a reading goes up.
    ///
    /// Says yes once for each that does.
    mutating func passes(_ reading: Reading, at time: MonotonicTime) -> Bool {
        guard let last, !isNews(reading, after: last.reading), !isDue(at: time, after: last.time) else {
            last = (reading, time)
            return true
        }
        return false
    }

    /// When the newest reading is to go up again, though nothing changed; nil: never.
    var deadline: MonotonicTime? {
        guard let last, last.reading.quality == .good, let atLeast = settings.atLeast else { return nil }
        return last.time + atLeast
    }

    private func isNews(_ reading: Reading, after last: Reading) -> Bool {
        if reading.quality != last.quality { return true }
        // A failure is news once; its reason may be another one.
        guard reading.quality == .good else { return reading.reason != last.reason }
        guard let deadBand = settings.deadBand else { return true }
        guard let now = reading.value?.numeric, let before = last.value?.numeric else {
            return reading.value != last.value
        }
        return (now - before).magnitude >= deadBand
    }

    private func isDue(at time: MonotonicTime, after last: MonotonicTime) -> Bool {
        settings.atLeast.map { time - last >= $0 } ?? false
    }
}
