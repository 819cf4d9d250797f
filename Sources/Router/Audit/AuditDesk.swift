import DeviceModel
import Glibc

/// Who does something that the audit log keeps, and from where.
struct AuditParty: Hashable, Sendable {
    /// The account that it concerns; nil: none that exists.
    var account: AuditEntry.Account?
    var who: String
    var source: String

    /// A person who is in.
    static func person(_ owner: RouterStore.Owner, from source: String) -> AuditParty {
        AuditParty(account: .init(owner), who: owner.name, source: source)
    }

    /// Somebody who says that they are a person.
    static func stranger(_ name: String, _ owner: RouterStore.Owner?, from source: String) -> AuditParty {
        AuditParty(account: owner.map(AuditEntry.Account.init), who: name, source: source)
    }

    /// A device, or what says that it is one.
    static func device(_ name: DeviceID, _ owner: RouterStore.Owner?, from source: String) -> AuditParty {
        AuditParty(account: owner.map(AuditEntry.Account.init), who: "device \(name)", source: source)
    }

    /// Whoever sits at the router's own machine.
    static func administrator(of owner: RouterStore.Owner?) -> AuditParty {
        let name = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "unknown"
        return AuditParty(
            account: owner.map(AuditEntry.Account.init), who: "uid \(getuid()) (\(name)) on the router's machine",
            source: AuditEntry.local)
    }

    /// The router by itself.
    static let router = AuditParty(who: AuditEntry.router, source: AuditEntry.local)
}

extension AuditEntry.Account {
    init(_ owner: RouterStore.Owner) {
        self.init(id: owner.id, name: owner.name)
    }
}

/// Where everything in a router brings what the audit log has to keep.
struct AuditDesk: Sendable {
    let log: AuditLog
    let queue: AuditQueue
    let time: any TimeSource

    /// Opens the log.
    ///
    /// - Parameters:
    ///   - folder: The router's folder.
    ///   - time: The clock.
    ///   - report: Told in words of what is not as it should be in the log, where it is written down, too.
    /// - Throws: ``RouterProblem`` when it can't be used.
    init(
        folder: String, time: any TimeSource, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RouterProblem) {
        let queue = AuditQueue()
        log = try AuditLog(folder: folder) { words in
            report(words)
            queue.note(
                AuditEntry(
                    time: time.wall, who: AuditEntry.router, source: AuditEntry.local, act: .auditMismatch,
                    result: words))
        }
        (self.queue, self.time) = (queue, time)
    }

    /// Something is about to be done that must not be done without its entry.
    ///
    /// - Throws: ``RouterProblem`` when the entry can't be written.
    func write(_ act: AuditAct, _ party: AuditParty, _ object: String = "") async throws(RouterProblem) {
        try await log.append([entry(act, party, object, AuditEntry.done)])
    }

    /// Something was done; nobody waits for its entry.
    func note(_ act: AuditAct, _ party: AuditParty, _ object: String = "", result: String = AuditEntry.done) {
        queue.note(entry(act, party, object, result))
    }

    /// Something failed, perhaps not for the first time.
    func noteFailure(_ act: AuditAct, _ party: AuditParty, _ object: String = "", result: String) {
        queue.noteFailure(entry(act, party, object, result))
    }

    private func entry(_ act: AuditAct, _ party: AuditParty, _ object: String, _ result: String) -> AuditEntry {
        AuditEntry(
            time: time.wall, account: party.account, who: party.who, source: party.source, act: act, object: object,
            result: result)
    }
}
