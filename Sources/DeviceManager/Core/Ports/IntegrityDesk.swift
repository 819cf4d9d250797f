public import DeviceModel

/// The watch over the device's files, as the rest of the agent sees it.
public protocol IntegrityDesk: Sendable {
    /// What it can tell, as a component of its own; nil: nothing is watched.
    var description: ComponentDescription? { get }
    /// What is said of the baseline to the router, as soon as there is one.
    ///
    /// - Returns: nil where nothing is watched.
    func claim() async -> IntegrityClaim?
    /// How it is, without the root over the files as they are.
    var status: IntegrityStatus { get }

    /// How files differ from what they are meant to be, in the order of their paths.
    ///
    /// - Returns: The differences, and the root over the files as they are.
    func changes() -> (changes: [FileChange], root: SHA256Hash?)

    /// All files as they are, in the order of their paths.
    ///
    /// - Returns: The files, and the root over them.
    func entries() -> (entries: [FileEntry], root: SHA256Hash?)

    /// Subscribes to changes of the status.
    ///
    /// - Returns: Where it is told that there is one, and what ends the subscription.
    func watch() -> (arrivals: Mailbox<Void>, end: @Sendable () -> Void)

    /// The router has said something of the baseline.
    func hear(_ verdict: IntegrityVerdict)

    /// Does what only the owner can want.
    ///
    /// - Returns: `done`, `refused`, or `failed`.
    func heed(_ order: IntegrityOrder) async -> CommandOutcome
}
