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

/// What a router has of one epoch of a stream.
public struct StreamReception: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// The epoch.
    public var epoch: UInt64
    /// The numbers that it has, or of which it has a gap that names them.
    public var received: SequenceRanges

    /// What a router has of an epoch.
    public init(stream: StreamName, epoch: UInt64, received: SequenceRanges) {
        self.stream = stream
        self.epoch = epoch
        self.received = received
    }

    /// Whether both are about the same epoch of the same stream.
    public func isSameEpoch(as other: StreamReception) -> Bool {
        stream == other.stream && epoch == other.epoch
    }
}

extension [StreamReception] {
    /// Adds numbers to those of their epoch.
    public mutating func add(_ reception: StreamReception) {
        if let index = firstIndex(where: { $0.isSameEpoch(as: reception) }) {
            self[index].received.formUnion(reception.received)
        } else {
            append(reception)
        }
    }

    /// Takes numbers away from those of their epoch.
    public mutating func remove(_ reception: StreamReception) {
        guard let index = firstIndex(where: { $0.isSameEpoch(as: reception) }) else { return }
        self[index].received = self[index].received.subtracting(reception.received)
        if self[index].received.isEmpty { remove(at: index) }
    }
}
