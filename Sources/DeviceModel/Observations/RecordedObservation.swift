/// A stream: what goes up in one order and is numbered without holes.
public enum StreamName: String, Sendable, CaseIterable {
    /// Readings. Many; the newest matter most.
    case telemetry
    /// Events and the results of commands. Few; each matters.
    case events
}

/// The number of an observation: unique for ever for one device.
public struct StreamPosition: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// Which life of the stream: random, new whenever its numbers would otherwise begin again.
    public var epoch: UInt64
    /// Counts up from 1 within the epoch.
    public var sequence: UInt64

    /// The number of an observation.
    public init(stream: StreamName, epoch: UInt64, sequence: UInt64) {
        self.stream = stream
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// An observation that is safely stored, with its number.
public struct RecordedObservation: Hashable, Sendable {
    /// Its number.
    public var position: StreamPosition
    /// What was observed.
    public var observation: Observation

    /// An observation with its number.
    public init(position: StreamPosition, observation: Observation) {
        self.position = position
        self.observation = observation
    }
}

/// Observations that are known to be missing, from one sequence number to another of the same epoch.
public struct Gap: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// The epoch of the numbers.
    public var epoch: UInt64
    /// The first missing number.
    public var first: UInt64
    /// The last missing number, not smaller than the first.
    public var last: UInt64
    /// Why they are missing, such as `store_full`.
    public var reason: String

    /// A gap between two numbers, both of them missing.
    public init(stream: StreamName, epoch: UInt64, first: UInt64, last: UInt64, reason: String) {
        self.stream = stream
        self.epoch = epoch
        self.first = first
        self.last = last
        self.reason = reason
    }
}
