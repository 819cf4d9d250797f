/// How an agent is doing: what `m2m status` shows.
public struct AgentStatus: Hashable, Sendable {
    /// The device.
    public var device: DeviceID
    /// The program, such as `m2m-agent 0.1.0`.
    public var software: String
    /// What people call the board.
    public var board: String
    /// For how long the agent has been running.
    public var uptime: Duration
    /// How the link to the router is; nil: no router is configured.
    public var link: LinkStatus?
    /// How the store is.
    public var store: StoreStatus
    /// How the components are.
    public var components: [ComponentStatus]
    /// What this installation can't promise, a sentence each.
    public var notes: [String]

    /// The state of an agent.
    public init(
        device: DeviceID, software: String, board: String, uptime: Duration, link: LinkStatus?, store: StoreStatus,
        components: [ComponentStatus], notes: [String]
    ) {
        self.device = device
        self.software = software
        self.board = board
        self.uptime = uptime
        self.link = link
        self.store = store
        self.components = components
        self.notes = notes
    }
}

/// The states of the link to the router.
public enum LinkState: String, Sendable, CaseIterable {
    /// The first try is under way.
    case connecting
    /// The router has accepted the device.
    case connected
    /// The link was lost or could not be made; it is tried again for ever.
    case reconnecting
    /// The agent is stopping and sends what is left.
    case draining
    /// The agent has stopped, or never had a link.
    case closed
}

/// How the link to the router is.
public struct LinkStatus: Hashable, Sendable {
    /// The router's address.
    public var router: String
    /// The state.
    public var state: LinkState
    /// Why it is not connected, in words.
    public var reason: String?
    /// How many tries failed since it was last connected.
    public var failedAttempts: Int

    /// The state of a link.
    public init(router: String, state: LinkState, reason: String? = nil, failedAttempts: Int = 0) {
        self.router = router
        self.state = state
        self.reason = reason
        self.failedAttempts = failedAttempts
    }
}

/// How the store is.
public struct StoreStatus: Hashable, Sendable {
    /// How many observations wait for their acknowledgement, or are kept where there is no router.
    public var kept: Int
    /// The size of the database on disk, in bytes.
    public var bytes: Int
    /// How many observations were dropped since the agent started, because the store or the queue before it was full.
    public var dropped: Int
    /// What is wrong with the store, in words.
    public var problem: String?

    /// The state of a store.
    public init(kept: Int = 0, bytes: Int = 0, dropped: Int = 0, problem: String? = nil) {
        self.kept = kept
        self.bytes = bytes
        self.dropped = dropped
        self.problem = problem
    }
}

/// How a component is.
public struct ComponentStatus: Hashable, Sendable {
    /// The component.
    public var id: ComponentID
    /// Its model.
    public var model: String
    /// Why it does not work at the moment, in words; nil: it works.
    public var problem: String?
    /// How often it failed since the agent started.
    public var failures: Int

    /// The state of a component.
    public init(id: ComponentID, model: String, problem: String? = nil, failures: Int = 0) {
        self.id = id
        self.model = model
        self.problem = problem
        self.failures = failures
    }
}
