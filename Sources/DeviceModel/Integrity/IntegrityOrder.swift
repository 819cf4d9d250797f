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
