import DeviceManager
import DeviceModel
import TestSupport

/// A store in memory whose disk hangs when a test wants it to.
struct GatedStore: OutboxInFront, CommandLog {
    /// What is asked of it.
    enum Call {
        case append
        case claim
        case status
    }

    let store: InMemoryStore
    /// What has to be passed to reach the disk.
    let gate: Gate<Call>

    var outbox: any Outbox { store }

    func append(_ observations: [Observation], lost: [Loss]) async throws -> [RecordedObservation] {
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

    func interrupted() async throws -> [CommandResult] {
        try await store.interrupted()
    }
}
