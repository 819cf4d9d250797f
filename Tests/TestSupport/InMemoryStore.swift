public import DeviceManager
public import DeviceModel
import Synchronization

/// An outbox and a log of commands in memory, that fails when a test wants it to.
public final class InMemoryStore: Outbox, CommandLog {
    fileprivate struct State {
        /// In the order of their numbers, which is the order in which they came.
        var rows: [(id: Int64, entry: HistoryEntry)] = []
        var lastRow: Int64 = 0
        var epochs: [StreamName: UInt64] = [:]
        var next: [StreamName: UInt64] = [:]
        var claimed: Set<CommandID> = []
        var interrupted: [CommandResult] = []
        var isFailing = false
        var isFinished = false
        var appends: [Int] = []
    }

    private let state = Mutex(State())

    /// Told after everything that was stored.
    public let stored = Mailbox<RecordedObservation>(bound: 10_000, policy: .refuseNewest)

    /// An empty store.
    public init() {}

    /// Whether storing fails from now on.
    public var isFailing: Bool {
        get { state.withLock { $0.isFailing } }
        set { state.withLock { $0.isFailing = newValue } }
    }

    /// How many observations each call stored.
    public var appends: [Int] { state.withLock { $0.appends } }

    /// Lets commands be found that a crash interrupted.
    public func setInterrupted(_ results: [CommandResult]) {
        state.withLock { $0.interrupted = results }
    }

    /// Everything that is stored.
    public var all: [RecordedObservation] { state.withLock { $0.rows.compactMap(\.entry.record) } }
    /// Everything that is known to be missing.
    public var gaps: [Gap] { state.withLock { $0.rows.compactMap(\.entry.gap) } }
    /// Whether the run has come to its end in order.
    public var isFinished: Bool { state.withLock(\.isFinished) }

    // MARK: Outbox

    /// Stores observations and numbers them.
    public func append(_ observations: [Observation], lost: [Loss]) async throws -> [RecordedObservation] {
        let recorded = try state.withLock { state in
            guard !state.isFailing else { throw HarnessError(description: "the disk is full") }
            for loss in lost where loss.count > 0 { state.insert(loss) }
            let recorded = observations.map { state.insert($0) }
            state.appends.append(recorded.count)
            return recorded
        }
        for record in recorded { stored.send(record) }
        return recorded
    }

    /// The next observations of a stream, of one epoch and one boot.
    public func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) async throws -> OutboxBatch? {
        state.withLock { $0.batch(of: stream, in: span, limit: limit) }
    }

    /// Everything can be read.
    public func doubt(_ receptions: [StreamReception]) async throws {}

    /// There is always room for all.
    public func noteArrival(of reception: StreamReception) async {}

    /// Forgets what was acknowledged.
    public func acknowledge(_ reception: StreamReception) async throws {
        state.withLock { state in
            state.rows.removeAll { _, entry in
                entry.stream == reception.stream && entry.epoch == reception.epoch
                    && reception.received.contains(entry.numbers)
            }
        }
    }

    /// What waits; nothing is ever restored here, so that there is nothing to agree on.
    public func agree(with receptions: [StreamReception]) async throws -> [StreamName: OutboxOutlook] {
        state.withLock { state in
            var outlooks: [StreamName: OutboxOutlook] = [:]
            for stream in StreamName.allCases { outlooks[stream] = state.outlook(of: stream) }
            return outlooks
        }
    }

    /// Gives a number, and all that came after it, new numbers in a new epoch.
    public func renumber(from position: StreamPosition) async throws {
        state.withLock { $0.renumber(from: position) }
    }

    /// The past, with what is missing of it.
    public func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [HistoryEntry] {
        state.withLock { state in
            let records = state.rows.compactMap(\.entry.record).filter { record in
                guard record.observation.component == component else { return false }
                if let since, record.observation.time.wall < since { return false }
                guard let property else { return true }
                if case .reading(let reading) = record.observation.content { return reading.property == property }
                return false
            }.suffix(limit)
            let streams = property == nil ? StreamName.allCases : [.telemetry]
            // What is missing before the first of a part belongs to another part.
            let isWhole = since == nil && records.count < limit
            let gaps = state.rows.compactMap(\.entry.gap).filter { gap in
                let first = records.first { $0.position.stream == gap.stream && $0.position.epoch == gap.epoch }
                let isBehind = first.map { gap.last > $0.position.sequence } ?? false
                return streams.contains(gap.stream) && (isWhole || isBehind)
            }
            return HistoryEntry.merge(gaps, into: Array(records))
        }
    }

    /// This run has come to its end in order.
    public func finish() async throws {
        try state.withLock { state in
            guard !state.isFailing else { throw HarnessError(description: "the disk is full") }
            state.isFinished = true
        }
    }

    /// How the store is.
    public func status() async -> StoreStatus {
        state.withLock { StoreStatus(kept: $0.rows.count { $0.entry.record != nil }) }
    }

    // MARK: Commands

    /// Writes down that a command is about to be done.
    public func claim(_ command: Command) async throws -> Bool {
        try state.withLock { state in
            guard !state.isFailing else { throw HarnessError(description: "the disk is full") }
            return state.claimed.insert(command.id).inserted
        }
    }

    /// The commands that a crash interrupted.
    public func interrupted() async throws -> [CommandResult] {
        state.withLock { $0.interrupted }
    }
}

extension InMemoryStore.State {
    private func epoch(of stream: StreamName) -> UInt64 { epochs[stream, default: 77] }

    /// Takes numbers of a stream.
    private mutating func take(_ count: UInt64, of stream: StreamName) -> ClosedRange<UInt64> {
        let first = next[stream, default: 1]
        next[stream] = first + count
        return first...(first + count - 1)
    }

    private mutating func insert(_ entry: HistoryEntry) {
        lastRow += 1
        rows.append((lastRow, entry))
    }

    fileprivate mutating func insert(_ observation: Observation) -> RecordedObservation {
        let (stream, sequence) = (observation.stream, take(1, of: observation.stream).lowerBound)
        let record = RecordedObservation(
            position: StreamPosition(stream: stream, epoch: epoch(of: stream), sequence: sequence),
            observation: observation)
        insert(.observation(record))
        return record
    }

    fileprivate mutating func insert(_ loss: Loss) {
        let numbers = take(UInt64(loss.count), of: loss.stream)
        insert(
            .gap(
                Gap(
                    numbers, of: loss.stream, epoch: epoch(of: loss.stream), reason: loss.reason, since: loss.since,
                    until: loss.until)))
    }

    fileprivate func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) -> OutboxBatch? {
        let end = span.end?.row ?? .max
        let open = rows.filter { $0.entry.stream == stream && $0.id > span.start.row && $0.id <= end }
        guard let first = open.first?.entry else { return nil }
        var batch = OutboxBatch(
            stream: stream, epoch: first.epoch, observations: [], gaps: [],
            isOfNewestEpoch: first.epoch == epoch(of: stream), end: span.start)
        for (id, entry) in open.prefix(while: { $0.entry.epoch == first.epoch }) {
            switch entry {
            case .gap(let gap): batch.gaps.append(gap)
            case .observation(let record):
                let boot = batch.observations.first?.observation.time.boot ?? record.observation.time.boot
                guard batch.observations.count < limit, record.observation.time.boot == boot else { return batch }
                batch.observations.append(record)
            }
            batch.end = OutboxCursor(row: id, gap: id)
        }
        return batch
    }

    fileprivate func outlook(of stream: StreamName) -> OutboxOutlook {
        let own = rows.filter { $0.entry.stream == stream }
        let end = own.last?.id ?? 0
        return OutboxOutlook(
            end: OutboxCursor(row: end, gap: end),
            hasOlderEpochs: own.contains { $0.entry.epoch != epoch(of: stream) })
    }

    fileprivate mutating func renumber(from position: StreamPosition) {
        let (stream, old) = (position.stream, epoch(of: position.stream))
        epochs[stream] = old + 1
        next[stream] = 1
        for (index, row) in rows.enumerated() where row.entry.stream == stream {
            let isMeant =
                row.entry.epoch == position.epoch
                ? row.entry.numbers.lowerBound >= position.sequence : row.entry.epoch == old
            guard isMeant else { continue }
            let numbers = take(UInt64(row.entry.numbers.count), of: stream)
            switch row.entry {
            case .observation(var record):
                (record.position.epoch, record.position.sequence) = (old + 1, numbers.lowerBound)
                rows[index].entry = .observation(record)
            case .gap(var gap):
                (gap.epoch, gap.first, gap.last) = (old + 1, numbers.lowerBound, numbers.upperBound)
                rows[index].entry = .gap(gap)
            }
        }
    }
}

extension HistoryEntry {
    fileprivate var record: RecordedObservation? { if case .observation(let record) = self { record } else { nil } }
    fileprivate var gap: Gap? { if case .gap(let gap) = self { gap } else { nil } }

    fileprivate var stream: StreamName {
        switch self {
        case .observation(let record): record.position.stream
        case .gap(let gap): gap.stream
        }
    }

    fileprivate var epoch: UInt64 {
        switch self {
        case .observation(let record): record.position.epoch
        case .gap(let gap): gap.epoch
        }
    }

    fileprivate var numbers: ClosedRange<UInt64> {
        switch self {
        case .observation(let record): record.position.sequence...record.position.sequence
        case .gap(let gap): gap.numbers
        }
    }
}
