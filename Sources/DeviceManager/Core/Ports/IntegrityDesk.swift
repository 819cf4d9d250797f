public import DeviceModel

/// The watch over the device's files, as the rest of the agent sees it.
public protocol IntegrityDesk: Sendable {
    /// What it can tell, as a component of its own; nil: nothing is watched.
    var description: ComponentDescription? { get }
    /// What is said of the baseline to the router, as soon as there is one.
    ///
    /// - Parameter deadline: Until when that is waited for.
    /// - Returns: nil where nothing is watched; without a root where there is no baseline yet.
    func claim(until deadline: MonotonicTime) async -> IntegrityClaim?
    /// What is said of the baseline just now; nil: there is none yet, or nothing is watched.
    var currentClaim: IntegrityClaim? { get }
    /// How it is, without the root over the files as they are.
    var status: IntegrityStatus { get }

    /// The files as they are; nil: that is not known yet, or nothing is watched.
    var snapshot: IntegritySnapshot? { get }

    /// Subscribes to changes of the status.
    ///
    /// - Returns: Where it is told that there is one, and what ends the subscription.
    func watch() -> (arrivals: Mailbox<Void>, end: @Sendable () -> Void)

    /// The router has said something of the baseline; where the device is to be disabled that is written down.
    ///
    /// - Parameters:
    ///   - verdict: What it has said.
    ///   - claim: To what; the baseline may be another one by now.
    func hear(_ verdict: IntegrityVerdict, on claim: IntegrityClaim?)

    /// Does what only the owner can want.
    ///
    /// - Returns: `done`, `refused`, or `failed`.
    func heed(_ order: IntegrityOrder) async -> CommandOutcome
}

/// The watched files at one moment.
public struct IntegritySnapshot: Sendable {
    /// How they differ from what they are meant to be, in the order of their paths.
    public let changes: [FileChange]
    /// All of them, in the order of their paths.
    public let entries: [FileEntry]
    /// The root over all of them.
    public let root: SHA256Hash

    /// The files at one moment.
    public init(changes: [FileChange], entries: [FileEntry], root: SHA256Hash) {
        self.changes = changes
        self.entries = entries
        self.root = root
    }
}
