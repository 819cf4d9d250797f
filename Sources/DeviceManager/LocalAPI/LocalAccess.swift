import CLinux
import DeviceManager
import DeviceModel
import Glibc
import Wire

/// Who may do what on the local socket: decided by the kernel's word for who is at its other end, not by theirs.
struct LocalAccess: Sendable {
    /// What somebody may do.
    enum Level: Int, Comparable {
        case nothing
        case read
        case control

        static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
    }

    let controlGroup: String
    let readGroup: String?

    /// What the user at the other end may do.
    func level(of uid: UInt32) -> Level {
        if uid == 0 || uid == getuid() || clinux_user_is_in_group(uid, controlGroup) == 1 { return .control }
        if let readGroup, clinux_user_is_in_group(uid, readGroup) == 1 { return .read }
        return .nothing
    }

    /// What a request needs.
    static func needed(for request: Request) -> Level {
        switch request {
        case .call, .renew, .drive: .control
        // Each one by its name, so that a new one is thought about. What the router decides is refused by whoever answers.
        case .whoami, .devices, .describe, .read, .watch, .history, .status, .probe: .read
        case .claim, .accept, .revoke, .enable, .sessions, .endSession, .audit, .integrity: .read
        }
    }

    /// Checks that a user may ask something.
    func check(_ request: Request, from uid: UInt32) throws(Failure) {
        let needed = Self.needed(for: request)
        guard level(of: uid) < needed else { return }
        let name = Self.name(of: uid)
        let group = needed == .control ? controlGroup : readGroup ?? controlGroup
        let verb = needed == .control ? "switch anything" : "read anything"
        throw Failure(
            .notPermitted,
            "user \(name) may not \(verb) here; `sudo usermod -aG \(group) \(name)` lets them")
    }

    /// The name of a user, or the number where the system knows no name.
    static func name(of uid: UInt32) -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard clinux_user_name(uid, &name, UInt32(name.count)) == 0 else { return "\(uid)" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
