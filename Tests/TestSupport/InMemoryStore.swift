public import DeviceManager
public import DeviceModel
import Synchronization

/// An outbox and a log of commands in memory, that fails when a test wants it to.
public final class InMemoryStore: Outbox, CommandLog {
    private struct State {
        var rows: [RecordedObservation] = []
        var gaps: [Gap] = []
        var next: [StreamName: UInt64] = [:]
        var claimed: Set<CommandID> = []
        var interrupted: [CommandResult] = []
        var isFailing = false
        var appends: [Int] = []
    }

    private let state = Mutex(State())
    private let epoch: UInt64 = 77

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

    /// Everything that was stored.
    public var all: [RecordedObservation] { state.withLock { $0.rows } }
    /// Everything that is known to be missing.
    public var gaps: [Gap] { state.withLock { $0.gaps } }

    /// Stores observations and numbers them.
    public func append(_ observations: [Observation], lost: [StreamName: Int]) async throws -> [RecordedObservation] {
        let recorded = try state.withLock { state in
            guard !state.isFailing else { throw HarnessError(description: "the disk is full") }
            for (stream, count) in lost where count > 0 {
                let first = state.next[stream, default: 1]
                state.next[stream] = first + UInt64(count)
                let last = first + UInt64(count) - 1
                state.gaps.append(Gap(stream: stream, epoch: epoch, first: first, last: last, reason: "disk_too_slow"))
            }
            let recorded = observations.map { observation in
                let sequence = state.next[observation.stream, default: 1]
                state.next[observation.stream] = sequence + 1
                let position = StreamPosition(stream: observation.stream, epoch: epoch, sequence: sequence)
                return RecordedObservation(position: position, observation: observation)
            }
            state.rows += recorded
            state.appends.append(recorded.count)
            return recorded
        }
        for record in recorded { stored.send(record) }
        return recorded
    }

    /// The next observations of a stream.
    public func batch(of stream: StreamName, after cursor: OutboxCursor?, limit: Int) async throws -> OutboxBatch? {
        state.withLock { state in
            let start = cursor?.row ?? 0
            let rows = state.rows.filter { $0.position.stream == stream && $0.position.sequence > UInt64(start) }
            guard let last = rows.prefix(limit).last else { return nil }
            return OutboxBatch(
                stream: stream, epoch: epoch, observations: Array(rows.prefix(limit)), gaps: [],
                end: OutboxCursor(row: Int64(last.position.sequence), gap: 0))
        }
    }

    /// Forgets what was acknowledged.
    public func acknowledge(through position: StreamPosition) async throws {
        state.withLock { state in
            state.rows.removeAll {
                $0.position.stream == position.stream && $0.position.epoch == position.epoch
                    && $0.position.sequence <= position.sequence
            }
        }
    }

    /// Nothing is ever restored here.
    public func reconcile(_ positions: [StreamPosition]) async throws {}

    /// The readings of the past.
    public func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [RecordedObservation] {
        state.withLock { state in
            Array(
                state.rows.filter { record in
                    guard case .reading(let reading) = record.observation.content else { return property == nil }
                    return reading.component == component && (property == nil || reading.property == property)
                }.suffix(limit))
        }
    }

    /// How the store is.
    public func status() async -> StoreStatus {
        state.withLock { StoreStatus(kept: $0.rows.count) }
    }

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
