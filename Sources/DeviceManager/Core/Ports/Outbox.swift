public import DeviceModel

/// Where observations are kept safe until the router has them; without a router, a ring of the newest.
///
/// Nothing leaves the device before it is in here: a number is given only together with the commit.
public protocol Outbox: Sendable {
    /// Stores observations, all or none, and numbers them.
    ///
    /// - Parameters:
    ///   - observations: In the order in which they were made.
    ///   - lost: What was lost before it could be stored. It gets numbers too, and gaps that name it.
    /// - Returns: The observations with their numbers; they are on the disk.
    /// - Throws: An ``ExplainedError`` when they could not be stored; nothing has changed then.
    func append(_ observations: [Observation], lost: [Loss]) async throws -> [RecordedObservation]

    /// The next observations of a stream that wait for the router.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - span: Which part of it.
    ///   - limit: At most so many.
    /// - Returns: Observations and gaps of one epoch and one boot; nil when there are no more.
    /// - Throws: An ``ExplainedError`` when the store can't be read.
    func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) async throws -> OutboxBatch?

    /// The router has these numbers: where there is no room for all, they go before anything is missed.
    ///
    /// That costs nothing, and may come to nothing; ``acknowledge(_:)`` follows.
    ///
    /// - Parameter reception: What the router has of an epoch.
    func noteArrival(of reception: StreamReception) async

    /// The router has these numbers, or knows that they are missing: they need not be kept.
    ///
    /// - Parameter reception: What the router has of an epoch.
    /// - Throws: An ``ExplainedError`` when that can't be written down; they are sent again then.
    func acknowledge(_ reception: StreamReception) async throws

    /// Compares what the router has with what there is here, at the beginning of a session.
    ///
    /// Where the router is ahead, an older store was restored: the stream begins a new epoch, so that no number is ever
    /// used twice. Where it lacks what it had acknowledged, a gap names that.
    ///
    /// - Parameter receptions: What the router has, of each stream its newest epochs, the newest last.
    /// - Returns: What waits for the router.
    /// - Throws: An ``ExplainedError`` when the store can't be read or written.
    func agree(with receptions: [StreamReception]) async throws -> [StreamName: OutboxOutlook]

    /// The router knows a number for something else: it and all that came after it get new numbers, in a new epoch.
    ///
    /// - Parameter position: The number.
    /// - Throws: An ``ExplainedError`` when the store can't be written.
    func renumber(from position: StreamPosition) async throws

    /// The router can't read something among what was sent and is not acknowledged.
    ///
    /// From now on each of it is a batch of its own; what is one already can't be sent, and is named as missing.
    ///
    /// - Parameter receptions: What was sent, a batch each.
    /// - Throws: An ``ExplainedError`` when the store can't be written.
    func doubt(_ receptions: [StreamReception]) async throws

    /// The past as far as it is still here, oldest first.
    ///
    /// - Parameters:
    ///   - component: The component.
    ///   - property: One of its properties; nil: all of them.
    ///   - since: Nothing older than this by the wall clock; nil: from the beginning.
    ///   - limit: At most so many observations, the newest of them.
    /// - Returns: The readings, and with no property given the events and results too; gaps where something is missing.
    /// - Throws: An ``ExplainedError`` when the store can't be read.
    func history(of component: ComponentID, property: String?, since: WallTime?, limit: Int) async throws
        -> [HistoryEntry]

    /// Everything that was observed is stored: this run has come to its end in order.
    ///
    /// - Throws: An ``ExplainedError`` when that can't be written down; the next run takes this one for cut off then.
    func finish() async throws

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

    /// Before everything.
    public static let start = OutboxCursor(row: 0, gap: 0)
}

/// A part of the outbox.
public struct OutboxSpan: Hashable, Sendable {
    /// Behind this place.
    public var start: OutboxCursor
    /// Up to this place; nil: to the end.
    public var end: OutboxCursor?

    /// A part of the outbox.
    public init(after start: OutboxCursor, through end: OutboxCursor? = nil) {
        self.start = start
        self.end = end
    }
}

/// What waits for the router in a stream, when a session begins.
public struct OutboxOutlook: Hashable, Sendable {
    /// The end of what is stored by now: what comes behind it is live.
    public var end: OutboxCursor
    /// Whether some of it has numbers of an epoch before the present one: that has to go first.
    public var hasOlderEpochs: Bool

    /// What waits in a stream.
    public init(end: OutboxCursor, hasOlderEpochs: Bool = false) {
        self.end = end
        self.hasOlderEpochs = hasOlderEpochs
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
    /// Numbers that are missing, among these or elsewhere in the epoch.
    public var gaps: [Gap]
    /// By how much the wall clock was ahead of the device's own in that boot, once it was synchronised; nil: it was not.
    public var clockOffset: Duration?
    /// Whether the epoch is the stream's present one.
    public var isOfNewestEpoch: Bool
    /// Whether it may be what the router can't read: nothing is sent beside it.
    public var isDoubted: Bool
    /// Where the next batch begins.
    public var end: OutboxCursor

    /// A batch.
    public init(
        stream: StreamName, epoch: UInt64, observations: [RecordedObservation], gaps: [Gap],
        clockOffset: Duration? = nil, isOfNewestEpoch: Bool = true, isDoubted: Bool = false, end: OutboxCursor
    ) {
        self.stream = stream
        self.epoch = epoch
        self.observations = observations
        self.gaps = gaps
        self.clockOffset = clockOffset
        self.isOfNewestEpoch = isOfNewestEpoch
        self.isDoubted = isDoubted
        self.end = end
    }

    /// The numbers of the batch, of observations and gaps.
    public var numbers: SequenceRanges {
        SequenceRanges(observations.map { $0.position.sequence...$0.position.sequence } + gaps.map(\.numbers))
    }
}
