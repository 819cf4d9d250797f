import DeviceModel
import Synchronization

/// Tells the connections of a session when that ends.
final class SessionEnds: Sendable {
    typealias Notice = Mailbox<Void>

    private let watching = Mutex<[[UInt8]: [Notice]]>([:])

    /// A connection is in by a session: what it hears the end with, at most once.
    func watch(_ session: Session) -> Notice {
        let notice = Notice(bound: 1, policy: .refuseNewest)
        watching.withLock { $0[session.tokenHash, default: []].append(notice) }
        return notice
    }

    /// A connection has ended by itself.
    func endWatch(_ session: Session, _ notice: Notice) {
        watching.withLock { watching in
            watching[session.tokenHash]?.removeAll { $0 === notice }
            if watching[session.tokenHash]?.isEmpty == true { watching[session.tokenHash] = nil }
        }
    }

    /// A session has ended.
    func tell(_ session: Session) {
        for notice in watching.withLock({ $0[session.tokenHash] ?? [] }) { notice.send(()) }
    }
}
