/// A claim on an output that a command makes: until it ends, nobody else may move the output away from safe, and when it
/// ends, the output is made safe.
public struct Lease: Hashable, Sendable {
    /// Known to whoever made it; who knows it may renew it or end it.
    public var id: LeaseID
    /// For how long it lasts: from when the agent accepts the command, or from its renewal.
    public var duration: Duration
    /// Whether its holder renews it for as long as they are there.
    public var isRenewed: Bool

    /// A claim on an output.
    public init(id: LeaseID, duration: Duration, isRenewed: Bool = false) {
        self.id = id
        self.duration = duration
        self.isRenewed = isRenewed
    }

    /// How long a lease may last.
    public static let durations: ClosedRange<Duration> = .milliseconds(10)...(.seconds(7 * 86_400))
}

/// The name of a lease: 1 to 64 printable ASCII characters without spaces, chosen at random by whoever makes it.
public struct LeaseID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let rawValue: String

    /// - Parameter rawValue: The name; nil when it is none.
    public init?(rawValue: String) {
        // The same rule as for commands.
        guard CommandID(rawValue: rawValue) != nil else { return nil }
        self.rawValue = rawValue
    }

    /// A new random name of 128 bits.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = CommandID(using: &generator).rawValue
    }

    /// The name.
    public var description: String { rawValue }
}

/// What the holder of a lease asks for: that it goes on, or ends.
public struct LeaseRenewal: Hashable, Sendable {
    /// The component whose output is held.
    public var component: ComponentID
    /// The lease.
    public var lease: LeaseID
    /// For how long it goes on from now; zero: it ends, and the output is made safe.
    public var duration: Duration
    /// The point of the device's own clock from which it must not be done any more.
    public var deadline: MonotonicTime

    /// That a lease goes on, or ends.
    public init(component: ComponentID, lease: LeaseID, duration: Duration, deadline: MonotonicTime) {
        self.component = component
        self.lease = lease
        self.duration = duration
        self.deadline = deadline
    }
}

/// How a command or a renewal ended.
public struct CommandOutcome: Hashable, Sendable {
    /// How.
    public var status: CommandStatus
    /// Why it was not done, in words.
    public var reason: String?

    /// An end.
    public init(_ status: CommandStatus, _ reason: String? = nil) {
        self.status = status
        self.reason = reason
    }
}
