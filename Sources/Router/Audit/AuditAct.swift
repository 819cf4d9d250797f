/// What was done, in one word as it stands in the audit log.
///
/// The set may grow, and a log is read by earlier versions, too: hence no closed list.
struct AuditAct: RawRepresentable, Hashable, Sendable {
    let rawValue: String

    init(rawValue: String) {
        self.rawValue = rawValue.auditText(AuditEntry.nameBound)
    }

    // Persons
    static let login = Self(rawValue: "login")
    static let loginFailed = Self(rawValue: "login-failed")
    static let logout = Self(rawValue: "logout")
    static let codeConfirmed = Self(rawValue: "code-confirmed")
    static let codeFailed = Self(rawValue: "code-failed")
    static let locked = Self(rawValue: "locked")
    static let unlocked = Self(rawValue: "unlocked")
    static let sessionMoved = Self(rawValue: "session-moved")
    static let sessionRevoked = Self(rawValue: "session-revoked")
    static let accountAdded = Self(rawValue: "account-added")
    static let accountChanged = Self(rawValue: "account-changed")
    static let accountRemoved = Self(rawValue: "account-removed")

    // Devices
    static let command = Self(rawValue: "command")
    static let claimMade = Self(rawValue: "claim-made")
    static let deviceEnrolled = Self(rawValue: "device-enrolled")
    static let enrolmentWaiting = Self(rawValue: "enrolment-waiting")
    static let enrolmentFailed = Self(rawValue: "enrolment-failed")
    static let deviceAccepted = Self(rawValue: "device-accepted")
    static let deviceRevoked = Self(rawValue: "device-revoked")
    static let deviceEnabled = Self(rawValue: "device-enabled")
    static let proofFailed = Self(rawValue: "proof-failed")
    static let keyRotated = Self(rawValue: "key-rotated")
    static let keyAlarm = Self(rawValue: "key-alarm")
    static let filesAlarm = Self(rawValue: "files-alarm")
    static let filesApproved = Self(rawValue: "files-approved")
    static let filesAdopted = Self(rawValue: "files-adopted")
    static let filesRelease = Self(rawValue: "files-release")
    static let filesWindow = Self(rawValue: "files-window")
    static let filesEnabled = Self(rawValue: "files-enabled")

    // The router itself
    static let routerStarted = Self(rawValue: "router-started")
    static let auditMismatch = Self(rawValue: "audit-mismatch")
    static let entriesLost = Self(rawValue: "entries-lost")
}
