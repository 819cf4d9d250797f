import DeviceModel
import Synchronization

/// One try to connect, with the connection that came of it, and what it is told from outside.
final class LinkAttempt: Sendable {
    /// What it can be told.
    enum Order: Sendable {
        /// Send what is left, then end.
        case drain
        /// End at once.
        case hangUp
    }

    /// Orders: one of each kind at most.
    let orders = Mailbox<Order>(bound: 2, policy: .refuseNewest)
    private let connection = Mutex<LinkConnection?>(nil)

    /// There is a connection.
    func begin(_ connection: LinkConnection) {
        self.connection.withLock { $0 = connection }
    }

    /// Waits for orders, and carries them out.
    ///
    /// - Throws: `CancellationError` to end at once.
    func carryOutOrders() async throws {
        while let order = await orders.next() {
            switch order {
            case .drain: await connection.withLock(\.self)?.drain()
            case .hangUp: throw CancellationError()
            }
        }
        try Task.checkCancellation()
    }
}
