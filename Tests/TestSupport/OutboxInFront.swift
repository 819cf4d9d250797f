public import DeviceManager
public import DeviceModel

/// An outbox that stands in front of another one, and does as that does wherever it says nothing else.
public protocol OutboxInFront: Outbox {
    /// The one behind it.
    var outbox: any Outbox { get }
}

extension OutboxInFront {
    /// Stores observations.
    public func append(_ observations: [Observation], lost: [Loss]) async throws -> [RecordedObservation] {
        try await outbox.append(observations, lost: lost)
    }

    /// The next observations of a stream.
    public func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) async throws -> OutboxBatch? {
        try await outbox.batch(of: stream, in: span, limit: limit)
    }

    /// The router has these numbers, which is not written down yet.
    public func noteArrival(of reception: StreamReception) async {
        await outbox.noteArrival(of: reception)
    }

    /// The router has these numbers.
    public func acknowledge(_ reception: StreamReception) async throws {
        try await outbox.acknowledge(reception)
    }

    /// Compares what the router has with what there is.
    public func agree(with receptions: [StreamReception]) async throws -> [StreamName: OutboxOutlook] {
        try await outbox.agree(with: receptions)
    }

    /// The router knows a number for something else.
    public func renumber(from position: StreamPosition) async throws {
        try await outbox.renumber(from: position)
    }

    /// The router can't read something.
    public func doubt(_ receptions: [StreamReception]) async throws {
        try await outbox.doubt(receptions)
    }

    /// The past.
    public func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [HistoryEntry] {
        try await outbox.history(of: component, property: property, since: since, limit: limit)
    }

    /// This run has come to its end.
    public func finish() async throws {
        try await outbox.finish()
    }

    /// How it is.
    public func status() async -> StoreStatus {
        await outbox.status()
    }
}
