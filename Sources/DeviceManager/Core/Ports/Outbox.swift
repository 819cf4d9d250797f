public import DeviceModel

/// Where observations are kept safe until the router has them; without a router, a ring of the newest.
///
/// Nothing leaves the device before it is in here: a number is given only together with the commit.
public protocol Outbox: Sendable {
    /// Stores observations, all or none, and numbers them.
    ///
    /// - Parameters:
    ///   - observations: In the order in which they were made.
    ///   - lost: How many of each stream were lost before they could be stored. They get numbers too, and a gap that
    ///     names them.
    /// - Returns: The observations with their numbers; they are on the disk.
    /// - Throws: An ``ExplainedError`` when they could not be stored; nothing has changed then.
    func append(_ observations: [Observation], lost: [StreamName: Int]) async throws -> [RecordedObservation]

    /// The next observations of a stream that wait for the router.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - cursor: The end of the last batch; nil: from the beginning.
    ///   - limit: At most so many.
    /// - Returns: Observations and gaps of one epoch and one boot; nil when there are no more.
    /// - Throws: An ``ExplainedError`` when the store can't be read.
    func batch(of stream: StreamName, after cursor: OutboxCursor?, limit: Int) async throws -> OutboxBatch?

    /// The router has everything of an epoch up to a number: it need not be kept.
    func acknowledge(through position: StreamPosition) async throws

    /// Compares what the router has with what there is here. Where the router is ahead, an older store was restored:
    /// the stream begins a new epoch, so that no number is ever used twice.
    ///
    /// - Parameter positions: The last that the router has of each stream.
    /// - Throws: An ``ExplainedError`` when the store can't be written.
    func reconcile(_ positions: [StreamPosition]) async throws

    /// The readings of the past that are still here, oldest first.
    ///
    /// - Parameters:
    ///   - component: The component.
    ///   - property: One of its properties; nil: all of them.
    ///   - since: Nothing older than this by the wall clock; nil: from the beginning.
    ///   - limit: At most so many, the newest of them.
    /// - Returns: The readings; with no property given, the events and results too.
    /// - Throws: An ``ExplainedError`` when the store can't be read.
    func history(of component: ComponentID, property: String?, since: WallTime?, limit: Int) async throws
        -> [RecordedObservation]

    /// How the store is.
    func status() async -> StoreStatus
}

/// A place in the outbox.
public struct OutboxCursor: Hashable, Sendable {
    /// Grows with every observation that is stored.
    public let row: Int64
    /// Grows with every gap that is stored.
    public let gap: Int64

    /// A place after an observation and a gap.
    public init(row: Int64, gap: Int64) {
        self.row = row
        self.gap = gap
    }
}

/// Observations on their way up: of one stream, one epoch and one boot.
public struct OutboxBatch: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// The epoch of the numbers.
    public var epoch: UInt64
    /// The observations with their numbers, in rising order.
    public var observations: [RecordedObservation]
    /// Numbers that are missing, among these or before them.
    public var gaps: [Gap]
    /// Where the next batch begins.
    public var end: OutboxCursor

    /// A batch.
    public init(
        stream: StreamName, epoch: UInt64, observations: [RecordedObservation], gaps: [Gap], end: OutboxCursor
    ) {
        self.stream = stream
        self.epoch = epoch
        self.observations = observations
        self.gaps = gaps
        self.end = end
    }

    /// The last number in the batch, of an observation or a gap.
    public var last: UInt64 {
        max(observations.last?.position.sequence ?? 0, gaps.map(\.last).max() ?? 0)
    }
}
