import DeviceModel

/// Where a command that was checked is handed over to whoever does it.
protocol CommandDesk: Sendable {
    /// Whether a command may claim what it moves for a time.
    var takesLeases: Bool { get }

    /// Whether one more command for a component would be refused.
    func isFull(_ component: ComponentID) -> Bool

    /// Hands a command over; it has its place in the queue when this returns.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - reply: Told once how it ended.
    func submit(_ command: Command, reply: @escaping @Sendable (CommandOutcome) -> Void)
}
