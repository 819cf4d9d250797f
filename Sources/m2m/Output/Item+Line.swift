import DeviceModel
import Terminal
import Wire

extension Item {
    /// The item as one line, as it goes by in a watch or a history.
    var line: String {
        switch self {
        case .observation(let report): report.line
        case .gap(let report): report.line
        case .device(let device):
            "\(device.lastSeen.map(LocalTime.text) ?? "never")  \(device.device) is \(device.stateText)"
                + (device.losses?.words.map { ", \(Style.bad.apply($0))" } ?? "")
                + (device.alarm.map { ", \(Style.bad.apply("commands are withheld: \($0)"))" } ?? "")
                + (device.filesText.map { ", \(Style.bad.apply($0))" } ?? "")
        case .change(let report): report.line
        case .audit(let record): record.line
        case .pending(let pending):
            "\(pending.device) waits since \(LocalTime.text(pending.since)), fingerprint \(pending.fingerprint)"
        case .account(let account):
            "\(account.user) at \(account.place)"
                + (account.expires.map { ", logged in until \(LocalTime.text($0)) at the latest" } ?? "")
        case .description, .session, .ticket, .status, .inventory, .integrity:
            Tables.lines([self]).joined(separator: "\n")
        }
    }
}

extension ReportedGap {
    /// The gap as a line: how many, of what, when and why.
    fileprivate var line: String {
        let what = gap.stream == .telemetry ? "readings" : "events and results"
        let many = gap.count.map { "\($0) \(what)" } ?? "an unknown number of \(what)"
        let times = [gap.since.map { "from \(LocalTime.text($0))" }, gap.until.map { "to \(LocalTime.text($0))" }]
        let span = times.compactMap(\.self).joined(separator: " ")
        let place = span.isEmpty ? "at a time that nobody knows" : span
        return Style.bad.apply("\(device): missing here: \(many), \(place): \(gap.reason.text)")
    }
}

extension DeviceLosses {
    /// What is missing, in words; nil: nothing is.
    var words: String? {
        let parts = [
            missing == 0 ? nil : "\(missing) missing",
            unknown == 0 ? nil : "an unknown number missing in \(unknown) \(unknown == 1 ? "place" : "places")",
            conflicts == 0 ? nil : "\(conflicts) of the same number with another content",
        ]
        let known = parts.compactMap(\.self)
        return known.isEmpty ? nil : known.joined(separator: ", ")
    }
}

extension ReportedObservation {
    fileprivate var line: String {
        // About then: the device's clock was not synchronised.
        let head = "\(Style.faint.apply((isDated ? "" : "~") + LocalTime.text(time)))  \(device)/"
        switch content {
        case .reading(let reading):
            let value = reading.value?.text(of: quantity) ?? "-"
            let shown = "\(head)\(reading.component).\(reading.property)  \(value)"
            guard reading.quality != .good else { return shown }
            let reason = reading.reason.map { ": \($0)" } ?? ""
            return shown + "  " + reading.quality.style.apply(reading.quality.rawValue + reason)
        case .event(let event):
            return "\(head)\(event.component)  \(event.name)" + (event.detail.map { ": \($0)" } ?? "")
        case .result(let result):
            let style: Style = result.status == .done ? .good : .bad
            let reason = (result.author.map { " by \($0)" } ?? "") + (result.reason.map { ": \($0)" } ?? "")
            return "\(head)\(result.component) \(result.action)  \(style.apply(result.status.rawValue + reason))"
        }
    }
}

/// Readings as comma-separated values (RFC 4180).
enum CSV {
    static let header = "time,device,component,name,value,unit,quality,reason,sequence,clock"

    static func line(_ item: Item) -> String {
        if case .gap(let report) = item { return line(report) }
        guard case .observation(let report) = item else { return "" }
        let fields: [String]
        switch report.content {
        case .reading(let reading):
            let value = reading.value?.displayed(as: report.quantity).text(of: nil) ?? ""
            fields = [
                reading.component.rawValue, reading.property, value, report.quantity?.display.symbol ?? "",
                reading.quality.rawValue, reading.reason ?? "",
            ]
        case .event(let event): fields = [event.component.rawValue, event.name, "", "", "", event.detail ?? ""]
        case .result(let result):
            fields = [
                result.component.rawValue, result.action, result.status.rawValue, "", "", result.reason ?? "",
            ]
        }
        let sequence = report.position.map { "\($0.sequence)" } ?? ""
        let clock = report.isDated ? "" : "unsynchronised"
        let line = [report.time.rfc3339, report.device.rawValue] + fields + [sequence, clock]
        return line.map(quoted).joined(separator: ",")
    }

    /// Something that is missing: how many where the value stands, and its numbers.
    private static func line(_ report: ReportedGap) -> String {
        let gap = report.gap
        let fields = [
            gap.until?.rfc3339 ?? "", report.device.rawValue, "", "gap", gap.count.map { "\($0)" } ?? "", "", "",
            gap.reason.rawValue, "\(gap.first)-\(gap.last)", "",
        ]
        return fields.map(quoted).joined(separator: ",")
    }

    private static func quoted(_ field: String) -> String {
        // By bytes: a carriage return and a line feed are one letter to Swift.
        guard field.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return field }
        return "\"\(field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
