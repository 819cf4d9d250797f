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
