import DeviceManager
import DeviceModel
import TestSupport

/// A store in memory whose disk hangs when a test wants it to.
struct GatedStore: Outbox, CommandLog {
    /// What is asked of it.
    enum Call {
        case append
        case claim
        case status
    }

    let store: InMemoryStore
    /// What has to be passed to reach the disk.
    let gate: Gate<Call>

    func append(_ observations: [Observation], lost: [StreamName: Int]) async throws -> [RecordedObservation] {
        await gate.pass(.append)
        return try await store.append(observations, lost: lost)
    }

    func claim(_ command: Command) async throws -> Bool {
        await gate.pass(.claim)
        return try await store.claim(command)
    }

    func status() async -> StoreStatus {
        await gate.pass(.status)
        return await store.status()
    }

    // MARK: What never hangs

    func batch(of stream: StreamName, after cursor: OutboxCursor?, limit: Int) async throws -> OutboxBatch? {
        try await store.batch(of: stream, after: cursor, limit: limit)
    }

    func acknowledge(through position: StreamPosition) async throws {
        try await store.acknowledge(through: position)
    }

    func reconcile(_ positions: [StreamPosition]) async throws {
        try await store.reconcile(positions)
    }

    func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [RecordedObservation] {
        try await store.history(of: component, property: property, since: since, limit: limit)
    }

    func interrupted() async throws -> [CommandResult] {
        try await store.interrupted()
    }
}
