/// What happens when a watched file is not what it is meant to be.
public enum IntegrityResponse: String, Sendable, CaseIterable, Comparable {
    /// The owner is told.
    case alert
    /// The owner is told, and the device is disabled: its outputs are safe, and it is not commanded.
    case disable

    /// To be told is less than to be disabled.
    public static func < (one: Self, other: Self) -> Bool { one == .alert && other == .disable }
}

/// What a device says of its baseline when it comes to its router.
public struct IntegrityClaim: Hashable, Sendable {
    /// The root over what the watched files are meant to be, as far as the device knows.
    public var root: SHA256Hash
    /// How often something was approved until then; nil: the device does not know, for it had to make its baseline anew.
    public var counter: UInt64?
    /// What the device does about a change.
    public var response: IntegrityResponse
    /// Whether changes are being collected, and nobody is alarmed.
    public var hasWindow: Bool

    /// What a device says of its baseline.
    public init(root: SHA256Hash, counter: UInt64?, response: IntegrityResponse, hasWindow: Bool = false) {
        self.root = root
        self.counter = counter
        self.response = response
        self.hasWindow = hasWindow
    }
}

/// What the router says to that.
public struct IntegrityVerdict: Hashable, Sendable {
    /// How often something was approved for this device; 0: nothing ever was.
    public var counter: UInt64
    /// Why the device is disabled, in words; nil: it is not, as far as the router knows.
    public var disabledBecause: String?
    /// What the baseline of the device is not, in words; nil: it is what was approved.
    public var objection: String?
    /// What the owner wants to be done about a change, beside what the device is configured for; nil: nothing.
    public var response: IntegrityResponse?

    /// What the router says of a baseline.
    public init(
        counter: UInt64, disabledBecause: String? = nil, objection: String? = nil, response: IntegrityResponse? = nil
    ) {
        self.counter = counter
        self.disabledBecause = disabledBecause
        self.objection = objection
        self.response = response
    }
}

/// What only the owner can want of the watch over a device's files.
public enum IntegrityOrder: Hashable, Sendable {
    /// The files are meant to be as they are now: with this root, and this counter from now on.
    case approve(root: SHA256Hash, counter: UInt64)
    /// The device is commanded again; with a response from now on, where one is given.
    case enable(IntegrityResponse?)
    /// For so long changes are collected, and nobody is alarmed; zero: no longer.
    case window(Duration)
    /// A release is about to change files; when all of it has come, that is what the files are meant to be.
    case expect(IntegrityExpectation)
}

/// What a signed release is about to change on a device.
public struct IntegrityExpectation: Hashable, Sendable {
    /// What was released, such as `m2m-agent 0.2.0`.
    public var release: String
    /// How the files will differ from what was approved, each path once.
    public var changes: [FileChange]
    /// The root over all watched files when they do.
    public var root: SHA256Hash
    /// How often something was approved, with this.
    public var counter: UInt64

    /// How many files a release may change.
    public static let limit = 1_000

    /// What a release changes.
    public init(release: String, changes: [FileChange], root: SHA256Hash, counter: UInt64) {
        self.release = release
        self.changes = changes
        self.root = root
        self.counter = counter
    }
}
