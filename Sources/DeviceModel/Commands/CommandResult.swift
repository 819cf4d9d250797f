/// How a command ended.
public struct CommandResult: Hashable, Sendable {
    /// The command.
    public var id: CommandID
    /// The component to which it was given.
    public var component: ComponentID
    /// What it was to do.
    public var action: String
    /// How it ended.
    public var status: CommandStatus
    /// Why it was not done, in words.
    public var reason: String?
    /// Who gave it on the device itself, such as `uid 1000 (anna)`; nil: it came from elsewhere, or that is not known.
    public var author: String?

    /// The end of a command.
    public init(
        id: CommandID, component: ComponentID, action: String, status: CommandStatus, reason: String? = nil,
        author: String? = nil
    ) {
        self.id = id
        self.component = component
        self.action = action
        self.status = status
        self.reason = reason
        self.author = author
    }

    /// The end of a command of which everything but the outcome is known.
    public init(of command: Command, _ status: CommandStatus, reason: String? = nil) {
        self.init(
            id: command.id, component: command.component, action: command.action, status: status, reason: reason,
            author: command.origin.author)
    }
}

/// The ways in which a command can end.
public enum CommandStatus: String, Sendable, CaseIterable {
    /// It was done.
    case done
    /// A rule forbade it; nothing was done.
    case refused
    /// It was tried and failed.
    case failed
    /// It came too late; nothing was done.
    case expired
    /// It never reached the device; nothing was done.
    case unreachable
    /// It was begun, and a crash came before its end.
    case interrupted
    /// Nobody knows: the answer was lost. It may have been done.
    case unknown
}
