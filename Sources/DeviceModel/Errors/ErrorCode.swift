/// What kind of thing went wrong, in the one vocabulary that all programs and the wire share.
///
/// A code is for programs; people read the error's `description`. The set may grow: treat an unknown code as
/// ``internalFailure``.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    /// The code as it stands on the wire.
    public let rawValue: String

    /// Any code, also one that this version does not know.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// What was asked for is no valid request: a wrong name, number or form.
    public static let badRequest = Self(rawValue: "bad_request")
    /// There is no such thing, or it belongs to somebody else.
    public static let notFound = Self(rawValue: "not_found")
    /// Who asks may not do this.
    public static let notPermitted = Self(rawValue: "not_permitted")
    /// Who asks has to log in first, or again.
    public static let notAuthenticated = Self(rawValue: "not_authenticated")
    /// Who asks has to give the security code first.
    public static let codeRequired = Self(rawValue: "code_required")
    /// A rule forbids it at the moment.
    public static let refused = Self(rawValue: "refused")
    /// Somebody else holds it.
    public static let busy = Self(rawValue: "busy")
    /// It exists already, or does not fit what exists.
    public static let conflict = Self(rawValue: "conflict")
    /// It did not happen in time.
    public static let expired = Self(rawValue: "expired")
    /// The other end cannot be reached.
    public static let unreachable = Self(rawValue: "unreachable")
    /// The other end cannot be trusted.
    public static let untrusted = Self(rawValue: "untrusted")
    /// It is too big, too deep or too much.
    public static let tooLarge = Self(rawValue: "too_large")
    /// This program does not do that.
    public static let unsupported = Self(rawValue: "unsupported")
    /// The hardware, the disk or the system failed.
    public static let systemFailure = Self(rawValue: "system_failure")
    /// This program failed: a mistake of ours.
    public static let internalFailure = Self(rawValue: "internal_failure")

    /// The exit status with which a program ends on an error of this kind.
    public var exitStatus: ExitStatus {
        switch self {
        case .unreachable: .notReachable
        case .notPermitted, .notAuthenticated, .codeRequired: .notPermitted
        default: .failed
        }
    }
}

/// How a program ends.
///
/// All programs of the project use these numbers.
public enum ExitStatus: Int32, Sendable {
    /// Done.
    case done = 0
    /// It failed or was refused; the reason is on standard error.
    case failed = 1
    /// The command line makes no sense.
    case usage = 2
    /// The other end is not reachable.
    case notReachable = 3
    /// Who asks may not do this.
    case notPermitted = 4
    /// Everything works, and something may do harm: only a doctor ends so.
    case warned = 5
}
