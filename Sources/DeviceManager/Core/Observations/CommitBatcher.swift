import DeviceModel

/// When observations are stored: readings together, to spare the disk; events and results at once.
///
/// A plain value.
struct CommitBatcher {
    private let interval: Duration
    private let limit: Int
    /// What waits to be stored, oldest first.
    private(set) var waiting: [Observation] = []
    private var isUrgent = false
    private var oldest: MonotonicTime?
    private var pausedUntil: MonotonicTime?

    /// How many may wait while the store can't take them.
    static let bound = 4_096

    /// - Parameters:
    ///   - interval: How long a reading may wait.
    ///   - limit: How many may wait, at most, before they are stored.
    init(interval: Duration, limit: Int = 100) {
        self.interval = interval
        self.limit = limit
    }

    /// Something was observed.
    ///
    /// - Returns: What had to go to make room: the oldest reading, or the oldest of all where there is none.
    mutating func add(_ observation: Observation, at now: MonotonicTime) -> Observation? {
        var dropped: Observation?
        if waiting.count == Self.bound {
            dropped = waiting.remove(at: waiting.firstIndex { $0.stream == .telemetry } ?? 0)
        }
        waiting.append(observation)
        oldest = oldest ?? now
        isUrgent = isUrgent || observation.stream == .events
        return dropped
    }

    /// When what waits has to be stored; nil: nothing waits.
    var deadline: MonotonicTime? {
        guard let oldest else { return nil }
        let due = isUrgent || waiting.count >= limit ? oldest : oldest + interval
        return max(due, pausedUntil ?? due)
    }

    /// What is stored now; nothing: it is not time yet.
    func due(at now: MonotonicTime) -> [Observation] {
        guard let deadline, deadline <= now else { return [] }
        return waiting
    }

    /// What was due has been stored.
    mutating func stored() {
        self = CommitBatcher(interval: interval, limit: limit)
    }

    /// What was due could not be stored; it is tried again after a pause.
    mutating func failed(retryAt time: MonotonicTime) {
        pausedUntil = time
    }
}
