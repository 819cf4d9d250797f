import DeviceModel
import Terminal
import Wire

/// Answers as people like to read them.
enum Tables {
    /// A whole answer, line by line.
    static func lines(_ items: [Item]) -> [String] {
        let readings = items.compactMap { item -> ReportedObservation? in
            if case .observation(let report) = item { report } else { nil }
        }
        let devices = items.compactMap { item -> DeviceSummary? in
            if case .device(let device) = item { device } else { nil }
        }
        let sessions = items.compactMap { item -> SessionSummary? in
            if case .session(let session) = item { session } else { nil }
        }
        let others = items.flatMap { item -> [String] in
            switch item {
            case .observation, .device, .session: []
            case .description(let description): description.lines(CurrentValues([]))
            case .status(let status): status.lines
            case .inventory(let inventory): inventory.lines
            case .ticket(let ticket): ticket.lines
            case .integrity(let report): report.lines
            default: [item.line]
            }
        }
        return (readings.isEmpty ? [] : table(readings)) + (devices.isEmpty ? [] : table(devices))
            + (sessions.isEmpty ? [] : SessionSummary.table(sessions)) + others
    }

    private static func table(_ reports: [ReportedObservation]) -> [String] {
        var table = TextTable(["PROPERTY", "VALUE", "QUALITY", "TIME"])
        for report in reports {
            guard case .reading(let reading) = report.content else { continue }
            let quality = reading.quality.rawValue + (reading.reason.map { ": \($0)" } ?? "")
            table.add([
                "\(reading.component).\(reading.property)", reading.value?.text(of: report.quantity) ?? "-",
                reading.quality.style.apply(quality), LocalTime.text(report.time),
            ])
        }
        return table.lines
    }

    private static func table(_ devices: [DeviceSummary]) -> [String] {
        var table = TextTable(["DEVICE", "STATE", "LAST SEEN", "LABEL", "MISSING"])
        for device in devices {
            table.add([
                device.device.rawValue, device.stateText, device.lastSeen.map(LocalTime.text) ?? "never",
                device.label ?? "", device.losses?.words ?? "-",
            ])
        }
        let alarms = devices.compactMap { device in
            device.alarm.map {
                Style.bad.apply("\(device.device): commands are withheld: \($0)")
                    + "; `m2m enable \(device.device)` trusts it again, `m2m revoke \(device.device)` lets it in no more"
            }
        }
        let files = devices.compactMap { device in
            device.filesText.map {
                Style.bad.apply("\(device.device): \($0)") + "; `m2m integrity \(device.device) show` shows them"
            }
        }
        return table.lines + alarms + files
    }
}

extension Quality {
    var style: Style {
        switch self {
        case .good: .good
        case .stale: .warning
        case .failed: .bad
        }
    }
}

extension DeviceSummary {
    var stateText: String {
        if isRevoked { return Style.bad.apply("revoked") }
        if disabledBecause != nil { return Style.bad.apply("disabled") + (isOnline ? "" : ", offline") }
        return isOnline ? Style.good.apply("online") : Style.warning.apply("offline")
    }
}

extension DeviceSummary {
    /// What is wrong with its files, in words; nil: nothing, so far as the router knows.
    var filesText: String? {
        disabledBecause.map { "the device is disabled: \($0)" } ?? objection
    }
}

extension ClaimTicket {
    fileprivate var lines: [String] {
        [
            "code     \(code)", "device   \(device)", "expires  \(LocalTime.text(expires))", "",
            "On the device: m2m-agent enroll --claim \(code)",
        ]
    }
}

/// What the properties of a description are at the moment, in words.
struct CurrentValues {
    private var texts: [DeviceID: [ComponentID: [String: String]]] = [:]

    /// The values of an answer to a read.
    init(_ items: [Item]) {
        for case .observation(let report) in items {
            guard case .reading(let reading) = report.content else { continue }
            let value = reading.value?.text(of: report.quantity) ?? "-"
            let text =
                reading.quality == .good ? value : reading.quality.style.apply("\(value) (\(reading.quality.rawValue))")
            texts[report.device, default: [:]][reading.component, default: [:]][reading.property] = text
        }
    }

    /// The value of a property; empty where it is not known.
    subscript(device: DeviceID, component: ComponentID, property: String) -> String {
        texts[device]?[component]?[property] ?? ""
    }
}

extension DeviceDescription {
    /// What it is and can do, and how it is.
    func lines(_ values: CurrentValues) -> [String] {
        let head = "\(id)\(label.map { " (\($0))" } ?? ""), \(software)"
        return [head] + components.flatMap { component in component.lines { values[id, component.id, $0] } }
    }

    /// The rules of its outputs.
    var limitLines: [String] {
        components.filter { !$0.limits.isEmpty }.flatMap { component in
            ["", "\(component.id):"] + component.limits.map { "  \($0)" }
        }
    }
}

extension ComponentDescription {
    fileprivate func lines(_ value: (String) -> String) -> [String] {
        let head = ["", "\(id)\(label.map { " (\($0))" } ?? ""): \(model)"]
        var rows: [(String, String)] = properties.map { property in
            let now = value(property.name)
            return ("  \(property.name)", "\(property.title) (\(property.typeText))\(now.isEmpty ? "" : ": \(now)")")
        }
        rows += actions.map { action in
            let parameters = action.parameters.map { parameter in
                let text = "\(parameter.name)=…"
                return parameter.isRequired ? " \(text)" : " [\(text)]"
            }
            return ("  \(action.name)\(parameters.joined())", "does: \(action.title)")
        }
        rows += events.map { ("  \($0.name)", "event: \($0.title)") }
        let width = rows.map(\.0.count).max() ?? 0
        let members = rows.map { $0 + String(repeating: " ", count: width - $0.count) + "  " + $1 }
        return head + members + (limits.isEmpty ? [] : ["  limits:"] + limits.map { "    \($0)" })
    }
}

extension PropertyDescription {
    fileprivate var typeText: String {
        guard let quantity, !quantity.display.symbol.isEmpty else { return type.rawValue }
        return quantity.display.symbol
    }
}

extension AgentStatus {
    fileprivate var lines: [String] {
        var lines = ["\(device), \(software) on \(board), up \(uptimeText)"]
        if let link {
            let style: Style = link.state == .connected ? .good : .warning
            let tries = link.failedAttempts < 2 ? "" : " (\(link.failedAttempts) tries)"
            // Most reasons name the router.
            let reason = link.reason ?? ""
            let words =
                reason.hasPrefix(link.router) ? ": \(reason)" : " \(link.router)\(reason.isEmpty ? "" : ": \(reason)")"
            lines.append("link       \(style.apply(link.state.rawValue))\(tries)\(words)")
        } else {
            lines.append("link       none configured; everything works locally")
        }
        let dropped = store.dropped == 0 ? "" : ", \(store.dropped) dropped"
        let waiting = link == nil ? "" : " kept for the router"
        lines.append("store      \(store.kept) observations\(waiting), \(store.bytes / 1_024) KiB\(dropped)")
        if let problem = store.problem { lines.append("           \(Style.bad.apply(problem))") }
        for component in components {
            let state =
                component.problem.map { Style.bad.apply("failed: \($0)") } ?? Style.good.apply("works")
            lines.append("component  \(component.id) (\(component.model)): \(state)")
        }
        return lines + notes.map { "note       \($0)" }
    }

    private var uptimeText: String {
        let seconds = uptime.components.seconds
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let text = parts.drop { $0.0 == 0 }.prefix(2).map { "\($0) \($1)" }.joined(separator: " ")
        return text.isEmpty ? "0 s" : text
    }
}
