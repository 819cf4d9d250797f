public import DeviceManager
public import DeviceModel
import Glibc

/// The agent's SQLite database: the outbox and the log of commands.
///
/// An actor because there is one connection that all share, and its calls wait for the disk: they run on a thread of
/// their own. What it does with the disk is ``StoreDatabase``; here is what happens when that can't be had: it is opened
/// again at the next call, and begun anew where it was damaged.
public actor Store: Outbox, CommandLog {
    /// How much is kept, and for how long.
    public struct Bounds: Hashable, Sendable {
        /// How big the database may grow, in bytes.
        public var size: Int
        /// How long observations are kept; events that wait for the router are kept for longer.
        public var age: Duration
        /// What happens to readings while it is too big.
        public var whenFull: AgentConfiguration.Store.WhenFull
        /// Whether somebody waits for what is stored; else it is a ring, and what falls out of it is not missed.
        public var hasRouter: Bool

        /// Bounds.
        public init(
            size: Int, age: Duration, whenFull: AgentConfiguration.Store.WhenFull = .dropOldest, hasRouter: Bool
        ) {
            self.size = size
            self.age = age
            self.whenFull = whenFull
            self.hasRouter = hasRouter
        }
    }

    private let path: String
    private let surroundings: StoreDatabase.Surroundings
    private let onLoss: @Sendable ([Gap]) -> Void
    private var opened: StoreDatabase?
    /// What the database that will be opened next comes after.
    private var before = StoreDatabase.Before()
    /// Why the last call failed; nil: it did not.
    private var problem: StoreError?
    /// How far readers of the outbox have come.
    private var reached = OutboxCursor.start
    /// What was dropped of databases that are not open any more.
    private var droppedBefore = 0

    private let executor = BlockingExecutor(label: "m2m.store")

    /// Opens the database, made when it is not there.
    ///
    /// A disk that is full, read-only or does not answer is no reason not to start: it is tried again.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - bounds: How much is kept.
    ///   - time: The clock.
    ///   - newEpoch: Gives 64 random bits, other ones each time, and never 0.
    ///   - onLoss: Is told of gaps that were written down, also when they have grown.
    /// - Throws: ``StoreError`` when somebody has to do something first.
    public init(
        path: String, bounds: Bounds, time: any TimeSource,
        newEpoch: @escaping @Sendable () -> UInt64 = { .random(in: 1...(.max)) },
        onLoss: @escaping @Sendable ([Gap]) -> Void = { _ in }
    ) throws(StoreError) {
        (self.path, self.onLoss) = (path, onLoss)
        surroundings = StoreDatabase.Surroundings(bounds: bounds, time: time, newEpoch: newEpoch)
        if SafeFile.exists(path + Self.unheard) { before.wasCutOff = true }
        do throws(StoreError) {
            let database = try StoreDatabase.open(path, surroundings, after: &before)
            opened = database
            Self.tell(of: database, onLoss)
            unlink(path + Self.unheard)
        } catch {
            guard error.mayHeal else { throw error }
            problem = error
            try? SafeFile.write([], to: path + Self.unheard)  // safe: a disk that takes not even that can't be told
        }
    }

    /// The end of the name of a file that is there while a run has begun of which the database knows nothing: an empty
    /// file fits on a disk that is full.
    private static let unheard = ".unheard"

    /// The thread on which everything here runs.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Does something with the database, and remembers what goes wrong for whoever asks how the store is.
    ///
    /// What can only be read is not well again: a problem is over when something was written.
    private func with<Result>(
        isWriting: Bool = false, _ body: (StoreDatabase) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        do throws(StoreError) {
            let database = try database()
            let result = try body(database)
            Self.tell(of: database, onLoss)
            if isWriting { problem = nil }
            return result
        } catch {
            problem = error
            if error.isDamage || error.wantsReopening { close(isDamaged: error.isDamage) }
            throw error
        }
    }

    /// Tells of the gaps that were written down since the last time.
    private static func tell(of database: StoreDatabase, _ onLoss: ([Gap]) -> Void) {
        let new = try? database.sqlite.gaps(after: database.toldGap)  // safe: they are told with the next ones
        guard let new, let last = new.last else { return }
        database.toldGap = last.id
        onLoss(new.map(\.gap))
    }

    private func database() throws(StoreError) -> StoreDatabase {
        if let opened { return opened }
        let database = try StoreDatabase.open(path, surroundings, after: &before)
        (opened, problem) = (database, nil)  // it has written already
        unlink(path + Self.unheard)
        return database
    }

    /// Lets go of the database; a damaged one is set aside, and the next call begins another one.
    private func close(isDamaged: Bool) {
        if let opened {
            droppedBefore += opened.dropped
            before.streams = opened.streams
        }
        opened = nil
        before.reached = reached
        guard isDamaged, StoreDatabase.setAside(path) else { return }
        before = StoreDatabase.Before(isDamaged: true, reached: reached)
    }

    private func reach(_ cursor: OutboxCursor) {
        reached = OutboxCursor(row: max(reached.row, cursor.row), gap: max(reached.gap, cursor.gap))
    }

    // MARK: Outbox

    /// Stores observations in one transaction, and numbers them.
    public func append(_ observations: [Observation], lost: [Loss]) throws(StoreError) -> [RecordedObservation] {
        try with(isWriting: true) { (database) throws(StoreError) -> [RecordedObservation] in
            try database.append(observations, lost: lost)
        }
    }

    /// The next observations of a stream, of one epoch and one boot.
    public func batch(
        of stream: StreamName, in span: OutboxSpan, limit: Int
    ) throws(StoreError) -> OutboxBatch? {
        let batch = try with { (database) throws(StoreError) in
            try database.batch(of: stream, in: span, limit: limit)
        }
        if let batch { reach(batch.end) }
        return batch
    }

    /// The router has these numbers, which is not written down yet.
    public func noteArrival(of reception: StreamReception) {
        opened?.arrived.add(reception)
    }

    /// The router has these numbers.
    public func acknowledge(_ reception: StreamReception) throws(StoreError) {
        try with { (database) throws(StoreError) in try database.acknowledge(reception) }
    }

    /// Compares what the router has with what there is here.
    public func agree(with receptions: [StreamReception]) throws(StoreError) -> [StreamName: OutboxOutlook] {
        let outlooks = try with { (database) throws(StoreError) in try database.agree(with: receptions) }
        for outlook in outlooks.values { reach(outlook.end) }
        return outlooks
    }

    /// The router knows a number for something else.
    public func renumber(from position: StreamPosition) throws(StoreError) {
        try with { (database) throws(StoreError) in try database.renumber(from: position) }
    }

    /// The router can't read something among these batches.
    public func doubt(_ receptions: [StreamReception]) throws(StoreError) {
        try with { (database) throws(StoreError) in try database.doubt(receptions) }
    }

    /// The past as far as it is still here.
    public func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) throws(StoreError) -> [HistoryEntry] {
        try with { (database) throws(StoreError) in
            try database.history(of: component, property: property, since: since, limit: limit)
        }
    }

    /// This run has come to its end in order.
    public func finish() throws(StoreError) {
        try with(isWriting: true) { (database) throws(StoreError) in try database.finish() }
    }

    /// How the store is.
    public func status() -> StoreStatus {
        var status = StoreStatus(dropped: droppedBefore, problem: problem?.description)
        guard let opened else { return status }
        (status.kept, status.dropped) = (opened.kept, droppedBefore + opened.dropped)
        do throws(StoreError) {
            status.bytes = try opened.bytes()
        } catch {
            status.problem = error.description
        }
        return status
    }

    // MARK: Commands

    /// Writes down that a command is about to be done.
    public func claim(_ command: Command) throws(StoreError) -> Bool {
        try with(isWriting: true) { (database) throws(StoreError) in try database.claim(command) }
    }

    /// The commands that were begun and never came to an end.
    public func interrupted() throws(StoreError) -> [CommandResult] {
        try with { (database) throws(StoreError) in try database.interrupted() }
    }
}
