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
    /// The root over what the watched files are meant to be, as far as the device knows; nil: it is just looking at them
    /// for the first time, and says more when it has.
    public var root: SHA256Hash?
    /// How often something was approved until then; nil: the device does not know, for it had to make its baseline anew.
    public var counter: UInt64?
    /// What the device does about a change.
    public var response: IntegrityResponse
    /// Whether changes are being collected, and nobody is alarmed.
    public var hasWindow: Bool
    /// The root over the files when all of a release has come that is on its way; nil: none is.
    public var expected: SHA256Hash?

    /// What a device says of its baseline.
    public init(
        root: SHA256Hash?, counter: UInt64?, response: IntegrityResponse, hasWindow: Bool = false,
        expected: SHA256Hash? = nil
    ) {
        self.root = root
        self.counter = counter
        self.response = response
        self.hasWindow = hasWindow
        self.expected = expected
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
