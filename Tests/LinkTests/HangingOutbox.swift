import DeviceManager
import DeviceModel
import TestSupport

/// An outbox that hangs whenever it is asked for a batch, as a disk does, until a test lets it go on.
///
/// Who waits for it can be cancelled.
struct HangingOutbox: OutboxInFront {
    let outbox: any Outbox
    /// Told of each batch that is asked for.
    let asked = Mailbox<StreamName>(bound: 1_000, policy: .refuseNewest)
    private let gate = Mailbox<Void>(bound: 1, policy: .refuseNewest)

    init(_ outbox: any Outbox) {
        self.outbox = outbox
    }

    /// It does not hang any more.
    func goOn() {
        gate.finish()
    }

    func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) async throws -> OutboxBatch? {
        asked.send(stream)
        await gate.next()
        return try await outbox.batch(of: stream, in: span, limit: limit)
    }
}
