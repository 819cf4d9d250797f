import DeviceManager
import DeviceModel
import Synchronization
import TestSupport

/// An outbox whose disk is full from a moment on.
final class FullOutbox: OutboxInFront {
    private struct Full: ExplainedError {
        var code: ErrorCode { .systemFailure }
        var resource: String { "store.db" }
        var description: String { "the disk is full" }
    }

    let outbox: any Outbox
    private let isFull = Mutex(false)

    init(_ outbox: any Outbox) {
        self.outbox = outbox
    }

    /// From now on nothing can be stored.
    func fill() {
        isFull.withLock { $0 = true }
    }

    func append(_ observations: [Observation], lost: [Loss]) async throws -> [RecordedObservation] {
        guard !isFull.withLock(\.self) else { throw Full() }
        return try await outbox.append(observations, lost: lost)
    }

    func status() async -> StoreStatus {
        isFull.withLock(\.self) ? StoreStatus(problem: Full().description) : await outbox.status()
    }
}
