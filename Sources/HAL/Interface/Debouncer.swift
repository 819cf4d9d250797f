public import DeviceModel

/// Takes the bounces out of a line's edges: a new state counts once the line has kept still for a period.
///
/// The meaning and the time stamps are those of the kernel's own debounce (uAPI v2, `debounce_period_us`): an edge is
/// reported when the period ends, dated with that moment, and only if the state differs from the last one reported.
public struct Debouncer: Sendable {
    /// An edge that counts.
    public struct Edge: Hashable, Sendable {
        /// The new state.
        public var value: LineValue
        /// When it counted.
        public var time: MonotonicTime

        /// An edge that counts.
        public init(value: LineValue, time: MonotonicTime) {
            self.value = value
            self.time = time
        }
    }

    private let period: Duration
    private var reported: LineValue
    private var pending: (value: LineValue, since: MonotonicTime)?

    /// - Parameters:
    ///   - period: For how long the line has to keep still; zero: every edge counts at once.
    ///   - value: The state at the beginning.
    public init(period: Duration, value: LineValue) {
        self.period = period
        reported = value
    }

    /// When ``tick(at:)`` is due; nil: not before the next edge.
    public var deadline: MonotonicTime? {
        pending.map { $0.since + period }
    }

    /// The state after the debounce.
    public var value: LineValue { reported }

    /// The line changed.
    ///
    /// - Returns: The edges that count because of it, oldest first: one whose period ended before this change, and
    ///   with a period of zero this one.
    public mutating func edge(_ value: LineValue, at time: MonotonicTime) -> [Edge] {
        var edges = tick(at: time)
        pending = (value, time)
        edges += tick(at: time)
        return edges
    }

    /// Time passed.
    ///
    /// - Returns: The edge that counts because its period ended.
    public mutating func tick(at time: MonotonicTime) -> [Edge] {
        guard let (value, since) = pending, since + period <= time else { return [] }
        pending = nil
        guard value != reported else { return [] }
        reported = value
        return [Edge(value: value, time: since + period)]
    }
}
