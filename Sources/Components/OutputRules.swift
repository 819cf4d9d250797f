public import DeviceModel
public import HAL

/// The rules of one output: who may change it, and what makes it safe.
///
/// They are enforced in one place below every caller, by the device manager's `Outputs`. Docs/SafeOutputs.md explains
/// them.
public struct OutputRules: Hashable, Sendable {
    /// What the output is when nobody can answer for it.
    public var safe: LineValue
    /// What it does when the agent dies or hangs.
    public var onAgentLost: AgentLoss = .safe
    /// What it does with a value that was commanded over the link, when that is lost; nil: there is no link.
    public var onLinkLost: LinkLoss?
    /// How long it may be on at a stretch.
    public var maxOn: Duration?
    /// How long it has to be on before it may be moved away from safe again, and how long each time is at least.
    public var minOn: Duration = .zero
    /// How long it has to be off before it may be switched on.
    public var minOff: Duration = .zero
    /// The outputs that must not be away from safe together with it.
    public var interlock: Set<ComponentID> = []
    /// How long those have to be safe before this one may leave it.
    public var interlockDelay: Duration = .zero

    /// Rules of which only the safe value is given.
    public init(safe: LineValue) {
        self.safe = safe
    }

    /// What an output does when the agent dies or hangs.
    public enum AgentLoss: Hashable, Sendable {
        /// It is made safe at once.
        case safe
        /// It stays for so long, in which a new agent can take it over, and then is made safe.
        case hold(Duration)

        /// How long it stays.
        public var hold: Duration {
            switch self {
            case .safe: .zero
            case .hold(let duration): duration
            }
        }
    }

    /// What an output does when the link to the router is lost.
    public enum LinkLoss: Hashable, Sendable {
        /// It stays.
        case hold
        /// It is made safe after so long.
        case safe(after: Duration)
    }

    /// The rules of outputs that know each other: an interlock holds for both sides, whichever of them has it.
    ///
    /// The pause between two of them is the longer of theirs.
    ///
    /// - Parameter configured: The rules as they stand in the configuration.
    /// - Returns: The rules as they hold.
    public static func coupled(_ configured: [ComponentID: OutputRules]) -> [ComponentID: OutputRules] {
        var coupled = configured
        for (id, rules) in configured {
            for other in rules.interlock { coupled[other]?.interlock.insert(id) }
        }
        return coupled
    }

    /// The rules in words, a sentence each.
    ///
    /// - Parameters:
    ///   - others: The rules of the other outputs: of two pauses after an interlock the longer one counts.
    ///   - hasKeeper: Whether somebody outlives the agent: else nobody is there to do anything when it is lost.
    /// - Returns: The sentences, without a full stop.
    public func sentences(beside others: [ComponentID: OutputRules], hasKeeper: Bool) -> [String] {
        var sentences = ["safe is \(safe.onOff)"]
        switch onAgentLost {
        case _ where !hasKeeper:
            sentences.append("on_agent_lost: without a keeper nothing is promised when the agent is killed or hangs")
        case .safe: sentences.append("on_agent_lost: safe at once when the agent dies or hangs")
        case .hold(let duration):
            sentences.append("on_agent_lost: kept for \(duration.text) when the agent dies or hangs, then safe")
        }
        switch onLinkLost {
        case nil: break
        case .hold: sentences.append("on_link_lost: stays as it is without the router")
        case .safe(let after):
            sentences.append("on_link_lost: what the router switched is safe after \(after.text) without it")
        }
        if let maxOn { sentences.append("max_on: on for \(maxOn.text) at most, then safe") }
        for (rule, value, least) in [("min_on", LineValue.active, minOn), ("min_off", .inactive, minOff)]
        where least > .zero {
            let exception = value == safe ? "" : ", but safe at any time"
            sentences.append("\(rule): \(value.onOff) for \(least.text) at least\(exception)")
        }
        if let words = interlockWords(beside: others) { sentences.append("interlock: never together with \(words)") }
        return sentences
    }

    private func interlockWords(beside others: [ComponentID: OutputRules]) -> String? {
        let pauses = Dictionary(grouping: interlock) { max(interlockDelay, others[$0]?.interlockDelay ?? .zero) }
        guard !pauses.isEmpty else { return nil }
        return pauses.sorted { $0.key < $1.key }.map { pause, names in
            let names = names.map(\.rawValue).sorted().joined(separator: ", ")
            return names + (pause > .zero ? ", and \(pause.text) after it" : "")
        }.joined(separator: "; nor with ")
    }
}

/// An output as it was configured: its line, and the rules.
public struct OutputPlan: Hashable, Sendable {
    /// The line.
    public var line: LineReference
    /// The resistor; towards safe, unless the configuration says otherwise.
    public var bias: LineBias
    /// Whether a low voltage is active.
    public var isActiveLow: Bool
    /// The rules.
    public var rules: OutputRules

    /// An output.
    public init(line: LineReference, bias: LineBias, isActiveLow: Bool, rules: OutputRules) {
        self.line = line
        self.bias = bias
        self.isActiveLow = isActiveLow
        self.rules = rules
    }

    /// The resistor that pulls a line to its safe value while nobody drives it.
    public static func bias(towards safe: LineValue, isActiveLow: Bool) -> LineBias {
        (safe == .active) != isActiveLow ? .pullUp : .pullDown
    }
}

extension LineValue {
    /// `on` or `off`.
    public var onOff: String { self == .active ? "on" : "off" }
}
