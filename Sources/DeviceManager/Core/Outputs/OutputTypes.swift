import Components
public import DeviceModel
public import HAL

/// A command for an output, with the number under which it is answered.
struct OutputOrder {
    var number: Int
    var component: ComponentID
    var wish: OutputWish
    var lease: Lease?
    /// The point of the device's own clock from which it must not be done any more.
    var deadline: MonotonicTime
    var origin: Command.Origin

    /// Who gave it, for people.
    var who: String { origin.words }

    /// Whether it came over the link to the router.
    var cameOverLink: Bool {
        if case .router = origin { true } else { false }
    }
}

/// A line that has to be driven.
struct OutputDrive: Hashable {
    var component: ComponentID
    /// Counts up; the answer names it.
    var number: Int
    var value: LineValue
    /// Whether the line has to be driven; else it is what it is to be, and only its end has changed.
    var isChange = true
    /// When whoever holds the line makes it safe by itself; nil: never.
    var until: MonotonicTime?
    /// From when on it must not be done any more; nil: it has to be done whenever.
    var notAfter: MonotonicTime?
}

/// How the line of an output was found.
public struct FoundOutput: Hashable, Sendable {
    /// What it is.
    public var value: LineValue
    /// Why whoever held it made it safe; nil: it did nothing by itself.
    public var reason: KeeperReason?
    /// Until when whoever held it leaves it away from safe; nil: for good.
    public var until: MonotonicTime?

    /// A line that was found.
    public init(value: LineValue, reason: KeeperReason? = nil, until: MonotonicTime? = nil) {
        self.value = value
        self.reason = reason
        self.until = until
    }
}

/// Why whoever holds a line made it safe by itself.
public enum KeeperReason: String, Sendable {
    /// It has only just taken it.
    case start
    /// Its deadline had passed.
    case deadline
    /// The agent was gone.
    case agentLost
    /// The agent was there, but did not answer.
    case agentSilent

    /// Whether the agent was to blame.
    var isIntervention: Bool { self == .agentLost || self == .agentSilent }
}

/// Why a command for an output is not done.
struct OutputRefusal: Error, Hashable {
    var status: CommandStatus
    var words: String

    init(_ status: CommandStatus, _ words: String) {
        self.status = status
        self.words = words
    }

    static let expired = OutputRefusal(.expired, Command.cameTooLate)
}

/// Why an output is as it is.
enum OutputCause: Hashable {
    /// Nobody has commanded anything yet.
    case start
    case command(LineValue, by: String)
    case leaseEnded(of: String)
    /// Its holder let it go.
    case released(by: String)
    case pulseEnded(of: String)
    case maxOn(Duration)
    case linkLost(Duration)
    case keeper(KeeperReason)
    /// It was found away from safe, and nobody knows why.
    case unknown
    /// It was found away from safe together with another one that must not be.
    case interlock(ComponentID)
    case stopping
    /// Its line could not be driven for a while.
    case lineLost(String)
    /// A drive took too long.
    case hung
    /// The device is disabled.
    case disabled(String)
    /// It leaves the configuration.
    case retired
    /// Nobody has commanded anything since its configuration was changed.
    case changed
    /// As an earlier run of the agent had written down.
    case before(String)

    /// The cause for people.
    var words: String {
        switch self {
        case .start: "safe since the start"
        case .command(let value, let who): "switched \(value.onOff) by \(who)"
        case .leaseEnded(let who): "the lease of \(who) has ended"
        case .released(let who): "let go by \(who)"
        case .pulseEnded(let who): "the pulse of \(who) is over"
        case .maxOn(let limit): "max_on: it was on for \(limit.words)"
        case .linkLost(let after): "on_link_lost: no link to the router for \(after.words)"
        case .keeper(.start): "the keeper has been started anew, and holds it safe"
        case .keeper(.deadline): "the keeper ended it: its time was over"
        case .keeper(.agentLost): "the keeper made it safe: the agent was gone"
        case .keeper(.agentSilent): "the keeper made it safe: the agent did not answer"
        case .unknown: "found away from safe, and nobody knows why: made safe"
        case .interlock(let other): "interlock: found away from safe together with \(other)"
        case .stopping: "the agent stops"
        case .lineLost(let reason): "its line was lost: \(reason)"
        case .hung: "its line had not answered in time"
        case .disabled(let reason): "the device is disabled: \(reason)"
        case .retired: "its configuration was changed"
        case .changed: "safe since its configuration was changed"
        case .before(let words): words
        }
    }
}

/// How an output is, as people are told.
struct OutputReport: Hashable {
    var value: LineValue
    var wanted: LineValue
    /// Who holds it; nil: nobody.
    var holder: String?
    /// When a lease or a pulse ends that nobody renews.
    var until: MonotonicTime?
    var reason: String
    var counters: OutputCounters
    /// Why its line can't be driven; nil: it can.
    var problem: String?
}

/// What is counted of an output since the boot, as far as that is known.
struct OutputCounters: Hashable {
    var switches = 0
    var refusals = 0
    var leaseEnds = 0
    var interventions = 0
}
