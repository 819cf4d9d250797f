import DeviceModel
import Synchronization

/// Something for the audit log that nobody waits for.
enum AuditNote: Sendable {
    /// It stands in the log by itself.
    case entry(AuditEntry)
    /// It may be put together with others like it.
    case failure(AuditEntry)

    fileprivate var entry: AuditEntry {
        switch self {
        case .entry(let entry), .failure(let entry): entry
        }
    }

    fileprivate var isFailure: Bool {
        if case .failure = self { true } else { false }
    }
}

/// Where entries wait that must not keep anybody waiting: ``AuditService`` writes them.
///
/// So many wait at most; then the oldest failure makes room, or the oldest entry where there is none, and is counted. What
/// must not happen without its entry is written with ``AuditLog/append(_:)`` instead, before it happens.
final class AuditQueue: Sendable {
    static let bound = 4_096

    let notes = Mailbox<AuditNote>(bound: bound, policy: .dropOldest, goesFirst: \.isFailure)
    private let lost = Mutex<AuditLoss?>(nil)

    /// Something happened.
    func note(_ entry: AuditEntry) {
        send(.entry(entry))
    }

    /// Something failed, perhaps not for the first time.
    func noteFailure(_ failure: AuditEntry) {
        send(.failure(failure))
    }

    private func send(_ note: AuditNote) {
        let dropped: AuditNote
        switch notes.send(note) {
        case .accepted: return
        case .dropped(let oldest): dropped = oldest
        case .refused, .finished: dropped = note
        }
        lost.withLock { $0 = AuditLoss(dropped.entry).joined(with: $0) }
    }

    /// What was lost since this was asked last; nil: nothing.
    func takeLoss() -> AuditLoss? {
        lost.withLock { lost in
            defer { lost = nil }
            return lost
        }
    }

    /// Nothing will come any more.
    func finish() { notes.finish() }
}
