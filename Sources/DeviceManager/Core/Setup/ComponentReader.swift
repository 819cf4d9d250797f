import Components
import ConfigurationSchema
import DeviceModel

/// Reads `[components.…]`: each table by its own model, then what only shows between them.
enum ComponentReader {
    /// A component as it stands in the file.
    private struct Candidate {
        var id: ComponentID
        var header: Position
        /// What becomes of it; nil when something in its table is wrong.
        var plan: ComponentPlan?
        /// Whether it moves an output, and its table does not say what happens without the router.
        var lacksLinkRule = false
        var resources: [BoardResource] = []
        var bindings: [(event: String, text: BindingText, position: Position)] = []
    }

    static func read(
        _ entry: Table.Entry?, hasRouter: Bool, hasKeeper: Bool, _ findings: inout Findings
    ) -> ([ComponentPlan], [Binding]) {
        guard let entry else { return ([], []) }
        guard case .table(let table) = entry.node.value else {
            findings.add(at: entry.node.position, "'components' must be a table of tables, not \(entry.node.words)")
            return ([], [])
        }
        let candidates = table.entries.compactMap { read($0, &findings) }
        checkResources(candidates, &findings)
        let outputs = candidates.map {
            OutputRuleCheck.Entry(id: $0.id, header: $0.header, plan: $0.plan, lacksLinkRule: $0.lacksLinkRule)
        }
        OutputRuleCheck(hasRouter: hasRouter, components: outputs).check(&findings)
        let bindings = resolve(candidates, &findings)
        return (coupled(candidates.compactMap(\.plan), hasKeeper: hasKeeper), bindings)
    }

    /// An interlock is told on both sides.
    private static func coupled(_ plans: [ComponentPlan], hasKeeper: Bool) -> [ComponentPlan] {
        let rules = OutputRules.coupled(plans.reduce(into: [:]) { $0[$1.id] = $1.output?.rules })
        return plans.map { plan in
            var plan = plan
            if let own = rules[plan.id] { plan.description.limits = own.sentences(beside: rules, hasKeeper: hasKeeper) }
            return plan
        }
    }

    // MARK: One component

    private static func read(_ entry: Table.Entry, _ findings: inout Findings) -> Candidate? {
        guard let id = ComponentID(rawValue: entry.key) else {
            findings.add(at: entry.position, "a component's name is \(ComponentID.rule), not '\(entry.key)'")
            return nil
        }
        guard id != .integrity else {
            findings.add(at: entry.position, "'\(id)' is the watch over this device's files; choose another name")
            return nil
        }
        guard case .table(let table) = entry.node.value else {
            findings.add(at: entry.node.position, "'\(id)' must be a table, not \(entry.node.words)")
            return nil
        }
        var candidate = Candidate(id: id, header: entry.position)
        guard let model = model(of: table, id, entry.position, &findings) else { return candidate }
        let bindingKeys = model.events.map { Key<[BindingText]>.binding($0) }
        let schema = TableSchema(AgentKeys.component + model.keys + bindingKeys)
        let checked = schema.checkPartly(table, name: "components.\(id)", at: entry.position, &findings)
        candidate.resources = model.resources(checked)
        candidate.lacksLinkRule = model is any Actuator.Type && table[OutputRuleCheck.linkRule] == nil
        candidate.bindings = zip(model.events, bindingKeys).flatMap { event, key in
            (checked.known(key) ?? []).map { (event.name, $0, checked.position(of: key)) }
        }
        if checked.isRight { candidate.plan = plan(id, model, checked, settings(of: table, model), &findings) }
        return candidate
    }

    private static func plan(
        _ id: ComponentID, _ model: any Component.Type, _ checked: CheckedTable, _ settings: String,
        _ findings: inout Findings
    ) -> ComponentPlan? {
        let before = findings.all.count
        model.check(checked, &findings)
        let component = model.init(id: id, configuration: checked)
        var description = component.description
        description.label = checked[AgentKeys.componentLabel]
        let filters = filters(checked[AgentKeys.report], of: description, &findings)
        guard findings.all.count == before else { return nil }
        return ComponentPlan(
            id: id, component: component, resources: model.resources(checked), description: description,
            filters: filters, settings: settings)
    }

    /// What the model is told.
    private static func settings(of table: Table, _ model: any Component.Type) -> String {
        let keys = Set(model.keys.map(\.name))
        return Node.Value.table(Table(table.entries.filter { keys.contains($0.key) })).canonical
    }

    private static func model(
        of table: Table, _ id: ComponentID, _ header: Position, _ findings: inout Findings
    ) -> (any Component.Type)? {
        let known = Catalogue.models.map { $0.model }
        guard let node = table[AgentKeys.model.name]?.node else {
            guard findings.isMistake(missing: AgentKeys.model.name) else { return nil }
            findings.add(
                at: header, "'model' is missing in [components.\(id)]: one of \(known.joined(separator: ", "))")
            return nil
        }
        guard case .string(let name) = node.value, let model = Catalogue.model(named: name) else {
            let hint = if case .string(let name) = node.value { suggestion(for: name, among: known) } else { "" }
            findings.add(
                at: node.position, "'model' must be one of \(known.joined(separator: ", ")), not \(node.words)\(hint)")
            return nil
        }
        return model
    }

    /// The filters that `report` asks for; every numeric property can have a dead band.
    private static func filters(
        _ node: Node?, of description: ComponentDescription, _ findings: inout Findings
    ) -> [String: ReportFilter.Settings] {
        guard let node else { return [:] }
        let bands = description.properties.filter { $0.type == .number }.map { property in
            Key<Double?>.optional(property.name, .deadBand(of: property), "How far it has to move.")
        }
        let onChange = Key<CheckedTable?>.optional("on_change", TableSchema(bands).kind, "Dead bands by property.")
        let schema = TableSchema([onChange, AgentKeys.atLeast])
        let place = KeyPlace(key: "report", table: "components.\(description.id)")
        guard let report = schema.kind.read(node, place, &findings) else { return [:] }
        let pairs = description.properties.map { property in
            let band = bands.first { $0.name == property.name }.flatMap { report[onChange]?[$0] }
            // What is no number goes up whenever it changes.
            let always = property.type == .number ? nil : 0.0
            let settings = ReportFilter.Settings(deadBand: band ?? always, atLeast: report[AgentKeys.atLeast])
            return (property.name, settings)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    // MARK: Between components

    /// Two components can't have the same line or address.
    private static func checkResources(_ candidates: [Candidate], _ findings: inout Findings) {
        var owners: [BoardResource: Candidate] = [:]
        for candidate in candidates {
            for resource in candidate.resources {
                if let owner = owners[resource.normalised] {
                    findings.add(
                        at: candidate.header,
                        "[components.\(candidate.id)] and [components.\(owner.id)] (line \(owner.header.line)) "
                            + "both use \(resource)")
                } else {
                    owners[resource.normalised] = candidate
                }
            }
        }
    }

    private static func resolve(_ candidates: [Candidate], _ findings: inout Findings) -> [Binding] {
        let descriptions = candidates.compactMap(\.plan?.description)
        // What a component with a mistake of its own can do is not known, but that it exists is.
        let broken = Set(candidates.filter { $0.plan == nil }.map(\.id))
        return candidates.flatMap { candidate in
            candidate.bindings.compactMap { event, text, position in
                guard !broken.contains(text.target) else { return nil }
                do throws(Mistake) {
                    return try text.resolve(source: candidate.id, event: event, components: descriptions)
                } catch {
                    findings.add(at: position, "'\(Key<[BindingText]>.name(of: event))' \(error.words)")
                    return nil
                }
            }
        }
    }
}

extension BoardResource {
    /// The same resource always in the same form.
    fileprivate var normalised: BoardResource {
        if case .line(let line) = self { .line(line.gpio.map { .name("GPIO\($0)") } ?? line) } else { self }
    }
}

extension Key where Value == [BindingText] {
    /// The key that binds an event: `on_double_clicked` for `double-clicked`.
    fileprivate static func name(of event: String) -> String {
        "on_" + String(event.map { $0 == "-" ? "_" : $0 })
    }

    /// The key that binds an event.
    static func binding(_ event: EventDescription) -> Self {
        let kind = ValueKind<String>.string.map("COMPONENT ACTION") { text -> Result<BindingText, Mistake> in
            Result { () throws(Mistake) in try BindingText(text) }
        }
        return .optional(
            name(of: event.name), .list(of: kind), default: [], shown: "",
            "What to do on \(event.name): a component and its action such as \"heater toggle\", or a list of these.")
    }
}

extension ValueKind where Value == Double {
    /// How far a property has to move: a positive difference of its quantity, or a bare number where it has none.
    fileprivate static func deadBand(of property: PropertyDescription) -> Self {
        if let quantity = property.quantity?.difference, !quantity.display.symbol.isEmpty {
            return .quantity(quantity, 0...quantity.display.toSI(1e6))
        }
        return Self("number") { node, place, findings in
            switch node.value {
            case .integer(let number) where number >= 0: return Double(number)
            case .number(let number) where number >= 0 && number.isFinite: return number
            default:
                findings.add(at: node.position, "'\(place.key)' must be a number, not \(node.words)")
                return nil
            }
        }
    }
}
