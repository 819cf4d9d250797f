import ConfigurationSchema
import DeviceModel
import HAL

/// The keys that every actuator has.
enum OutputKeys {
    static let bias = Key<LineBias?>.optional(
        "bias", InputKeys.biasKind,
        "The resistor that holds the line while nothing drives it; else the one that pulls towards safe.")
    static let safe = Key.required(
        "safe", .choice(["on": LineValue.active, "off": .inactive]),
        "What it is at boot, and whenever nobody can answer for it: the value that does no harm.")
    static let onAgentLost = Key.optional(
        "on_agent_lost", .agentLoss, default: OutputRules.AgentLoss.safe, shown: "\"safe\"",
        "What it does when the agent dies or hangs: \"safe\", or { hold = \"5s\" } to outlast a restart. Needs [keeper]."
    )
    static let onLinkLost = Key<OutputRules.LinkLoss?>.optional(
        "on_link_lost", .linkLoss,
        "What happens to a value from the router without it: { after = \"30s\", do = \"safe\" } or { do = \"hold\" }. "
            + "Required where there is a [router].")
    static let maxOn = Key<Duration?>.optional(
        "max_on", .duration(.milliseconds(100)...(.seconds(7 * 86_400))), "How long it may be on at a stretch.")
    static let minOn = Key.optional(
        "min_on", .duration(.zero...(.seconds(86_400))), default: .zero, shown: "\"0s\"",
        "How long it has to be on before it may leave safe again. A command to the safe value is always done.")
    static let minOff = Key.optional(
        "min_off", .duration(.zero...(.seconds(86_400))), default: .zero, shown: "\"0s\"",
        "How long it has to be off before it may be switched on. A command to the safe value is always done.")
    static let interlock = Key.optional(
        "interlock", .list(of: .componentID), default: [], shown: "",
        "Outputs that are never away from safe together with this one; it holds for both sides.")
    static let interlockDelay = Key.optional(
        "interlock_delay", .duration(.zero...(.seconds(60))), default: .zero, shown: "\"0s\"",
        "How long those have to be safe before this one may leave it.")

    static let all: [any ConfigurationKey] = [
        InputKeys.line, bias, InputKeys.activeLow, safe, onAgentLost, onLinkLost, maxOn, minOn, minOff, interlock,
        interlockDelay,
    ]

    /// The output of a table.
    static func plan(_ table: CheckedTable) -> OutputPlan {
        var rules = OutputRules(safe: table[safe])
        rules.onAgentLost = table[onAgentLost]
        rules.onLinkLost = table[onLinkLost]
        rules.maxOn = table[maxOn]
        rules.minOn = table[minOn]
        rules.minOff = table[minOff]
        rules.interlock = Set(table[interlock])
        rules.interlockDelay = table[interlockDelay]
        let isActiveLow = table[InputKeys.activeLow]
        return OutputPlan(
            line: table[InputKeys.line],
            bias: table[bias] ?? OutputPlan.bias(towards: rules.safe, isActiveLow: isActiveLow),
            isActiveLow: isActiveLow, rules: rules)
    }

    /// Finds rules that contradict each other.
    static func check(_ table: CheckedTable, _ findings: inout Findings) {
        guard let maxOn = table[maxOn] else { return }
        if table[safe] == .active {
            findings.add(
                at: table.position(of: Self.maxOn),
                "'max_on' makes it safe after that time, but 'safe' is \"on\": leave 'max_on' out")
        }
        if table[minOn] > maxOn {
            findings.add(
                at: table.position(of: minOn),
                "'min_on' is longer than 'max_on': it could never be switched on for long enough")
        }
    }
}

extension ValueKind where Value == ComponentID {
    /// The name of a component.
    static var componentID: Self {
        ValueKind<String>.string.map("component") { text in
            ComponentID(rawValue: text).map { .success($0) }
                ?? .failure(Mistake("must be the name of a component, not \"\(text)\""))
        }
    }
}

extension ValueKind where Value == OutputRules.AgentLoss {
    /// `"safe"` or `{ hold = "5s" }`.
    static var agentLoss: Self {
        let hold = Key.required(
            "hold", .duration(.milliseconds(100)...(.seconds(86_400))), "How long it stays without the agent.")
        let table = TableSchema([hold]).kind
        return Self("\"safe\" or { hold = \"5s\" }", range: hold.range) { node, place, findings in
            switch node.value {
            case .string("safe"): return .safe
            case .table: return table.read(node, place, &findings).map { .hold($0[hold]) }
            default:
                findings.add(
                    at: node.position, "'\(place.key)' must be \"safe\" or { hold = \"5s\" }, not \(node.words)")
                return nil
            }
        }
    }
}

extension ValueKind where Value == OutputRules.LinkLoss {
    /// `{ after = "30s", do = "safe" }` or `{ do = "hold" }`.
    static var linkLoss: Self {
        let after = Key<Duration?>.optional(
            "after", .duration(.zero...(.seconds(7 * 86_400))), "How long it stays without the router.")
        let action = Key.required("do", .choice(["safe": true, "hold": false]), "\"safe\" or \"hold\".")
        let schema = TableSchema([after, action])
        let words = "{ after = \"30s\", do = \"safe\" } or { do = \"hold\" }"
        return Self(words, range: after.range) { node, place, findings in
            guard case .table = node.value else {
                findings.add(at: node.position, "'\(place.key)' must be \(words), not \(node.words)")
                return nil
            }
            guard let table = schema.kind.read(node, place, &findings) else { return nil }
            switch (table[action], table[after]) {
            case (true, let after?): return .safe(after: after)
            case (false, nil): return .hold
            case (true, nil): findings.add(at: node.position, "'\(place.key)' needs after = \"…\" with do = \"safe\"")
            case (false, .some):
                findings.add(at: node.position, "'\(place.key)' has no use for 'after' with do = \"hold\"")
            }
            return nil
        }
    }
}
