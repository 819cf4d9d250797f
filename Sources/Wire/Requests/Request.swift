public import DeviceModel

/// What a person asks: of the agent by its local socket, of the router by its WebSocket.
///
/// Same questions, same answers.
///
/// A request opens a conversation under the session id of its envelope. The answer is any number of ``Items``, then
/// ``End`` or a ``Failure``, all under the same session id.
public enum Request: Hashable, Sendable {
    /// Who am I? One account item.
    case whoami
    /// Which devices are there? One device item each.
    case devices
    /// What are the device and its components? One description item for each device.
    case describe(Address)
    /// The newest reading of each property that is meant.
    case read(Address)
    /// Everything from now on, until a ``Stop``.
    case watch(Address)
    /// The readings of the past, oldest first.
    case history(HistoryQuery)
    /// Do something. One result item.
    case call(CallRequest)
    /// Let a lease go on, or end. No item.
    case renew(LeaseRenewalRequest)
    /// Make a claim code for a new device. One ticket item.
    case claim(DeviceID)
    /// Let a device in that waits. Without a fingerprint: show those that wait under this name.
    case accept(DeviceID, fingerprint: String?)
    /// Which of my sessions are there? One session item each.
    case sessions
    /// End one of my sessions, by its name. No item.
    case endSession(String)
    /// What happened in my space? One audit item each, oldest first.
    case audit(AuditQuery)
    /// Let a device in no more. One device item.
    case revoke(DeviceID)
    /// Trust a device again whose commands are withheld. One device item.
    case enable(DeviceID)
    /// Something about a device's files.
    case integrity(IntegrityRequest)
    /// How is the agent? One status item.
    case status
    /// What is on the board? One inventory item.
    case probe
    /// Drive a line of the simulated board from outside.
    case drive(line: String, isActive: Bool)

    /// The type by which an envelope names the request.
    public var type: String {
        switch self {
        case .whoami: "whoami"
        case .devices: "devices"
        case .describe: "describe"
        case .read: "read"
        case .watch: "watch"
        case .history: "history"
        case .call: "call"
        case .renew: "renew"
        case .claim: "claim"
        case .accept: "accept"
        case .sessions: "sessions"
        case .endSession: "end_session"
        case .audit: "audit"
        case .revoke: "revoke"
        case .enable: "enable"
        case .integrity(let request): request.type
        case .status: "status"
        case .probe: "probe"
        case .drive: "drive"
        }
    }
}

/// Which part of the past is asked for.
public struct HistoryQuery: Hashable, Sendable {
    /// The component, and its property where only one is meant.
    public var address: Address
    /// Nothing older than this; nil: from the beginning.
    public var since: WallTime?
    /// At most so many, the newest of them; nil: as many as whoever is asked gives at most.
    public var limit: Int?

    /// A part of the past.
    public init(_ address: Address, since: WallTime? = nil, limit: Int? = nil) {
        self.address = address
        self.since = since
        self.limit = limit
    }
}

/// Which part of the audit log is asked for.
public struct AuditQuery: Hashable, Sendable {
    /// Nothing older than this; nil: from the beginning.
    public var since: WallTime?
    /// At most so many, the newest of them; nil: as many as whoever is asked gives at most.
    public var limit: Int?

    /// A part of the audit log.
    public init(since: WallTime? = nil, limit: Int? = nil) {
        (self.since, self.limit) = (since, limit)
    }
}

/// A command as a person gives it.
public struct CallRequest: Expiring, Hashable {
    /// Unique for ever.
    public var id: CommandID
    /// The component that is to do it; with its device, where the router is asked.
    public var address: Address
    /// What it is to do.
    public var action: String
    /// The parameters, in SI units.
    public var parameters: [String: Value]
    /// How long it may take to be begun.
    public var expiry: Duration
    /// The claim that it makes on the output; nil: none.
    public var lease: Lease?
    /// From when on it must not be begun, on the clock of whom is asked; nil: the expiry alone counts.
    public var deadline: MonotonicTime?

    /// A command.
    public init(
        id: CommandID, address: Address, action: String, parameters: [String: Value] = [:],
        expiry: Duration = Command.defaultExpiry, lease: Lease? = nil, deadline: MonotonicTime? = nil
    ) {
        self.id = id
        self.address = address
        self.action = action
        self.parameters = parameters
        self.expiry = expiry
        self.lease = lease
        self.deadline = deadline
    }
}

/// What the holder of a lease asks for, as a person does.
public struct LeaseRenewalRequest: Expiring, Hashable {
    /// The component whose output is held; with its device, where the router is asked.
    public var address: Address
    /// The lease.
    public var lease: LeaseID
    /// For how long it goes on; zero: it ends, and the output is made safe.
    public var duration: Duration
    /// How long it may take to be done.
    public var expiry: Duration
    /// From when on it must not be done, on the clock of whom is asked; nil: the expiry alone counts.
    public var deadline: MonotonicTime?

    /// That a lease goes on, or ends.
    public init(
        address: Address, lease: LeaseID, duration: Duration, expiry: Duration = Command.defaultExpiry,
        deadline: MonotonicTime? = nil
    ) {
        self.address = address
        self.lease = lease
        self.duration = duration
        self.expiry = expiry
        self.deadline = deadline
    }
}

/// What is worth nothing once a time is over.
public protocol Expiring: Sendable {
    /// How long it may take to be begun.
    var expiry: Duration { get }
    /// From when on it must not be begun, on the clock of whom is asked; nil: the expiry alone counts.
    var deadline: MonotonicTime? { get set }
}

extension Expiring {
    /// From when on it must not be begun, whether it was read at once or late.
    ///
    /// - Parameter now: The clock of whom is asked.
    /// - Returns: The point of that clock; the present, where that is past.
    public func deadline(at now: MonotonicTime) -> MonotonicTime {
        let end = now + min(expiry, Command.longestExpiry)
        return max(now, min(end, deadline ?? end))
    }

    /// The same with its deadline.
    fileprivate func dated(at now: MonotonicTime) -> Self {
        var dated = self
        dated.deadline = deadline(at: now)
        return dated
    }
}

extension Request {
    /// How long it may take to be begun; nil: it does not matter when.
    public var expiry: Duration? {
        switch self {
        case .call(let call): min(call.expiry, Command.longestExpiry)
        case .renew(let renewal): min(renewal.expiry, Command.longestExpiry)
        default: nil
        }
    }

    /// The same with its deadline, where it has one, so that whoever reads it late knows that.
    ///
    /// - Parameter now: The clock of whom is asked, as far as it is known here.
    /// - Returns: The request.
    public func dated(at now: MonotonicTime) -> Request {
        switch self {
        case .call(let call): .call(call.dated(at: now))
        case .renew(let renewal): .renew(renewal.dated(at: now))
        default: self
        }
    }
}
