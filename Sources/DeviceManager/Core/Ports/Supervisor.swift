import DeviceModel

/// Whoever started the agent and looks after it: systemd, or nobody.
public protocol Supervisor: Sendable {
    /// How often it wants to hear that the agent lives, before it kills it; nil: it does not ask.
    var watchdogPeriod: Duration? { get }

    /// Tells it something.
    func tell(_ news: SupervisorNews)
}

/// What a supervisor is told.
public enum SupervisorNews: Hashable, Sendable {
    /// The agent works.
    case ready
    /// The agent lives, in all its vital parts.
    case alive
    /// A changed configuration is being looked at; ``reloaded`` follows.
    case reloading
    /// A changed configuration was looked at: applied, or refused.
    case reloaded
    /// The agent stops.
    case stopping
}

/// A part that has to make progress for the agent to be alive.
public struct Vital: Sendable {
    /// What people call it.
    public let name: String
    /// Returns when it has made some progress.
    let beat: @Sendable () async -> Void

    /// A part.
    ///
    /// - Parameters:
    ///   - name: What people call it.
    ///   - beat: Returns when it has made some progress; it must not be the progress of somebody else.
    public init(_ name: String, beat: @escaping @Sendable () async -> Void) {
        self.name = name
        self.beat = beat
    }
}
