import DeviceModel
import Terminal
import Wire

extension Item {
    /// The item as one line, as it goes by in a watch or a history.
    var line: String {
        switch self {
        case .observation(let report): report.line
        case .gap(let report):
            Style.bad.apply(
                "\(report.device): \(report.gap.last - report.gap.first + 1) observations of stream \(report.gap.stream.rawValue)"
                    + " are missing (\(report.gap.first) to \(report.gap.last)): \(report.gap.reason)")
        case .device(let device):
            "\(device.lastSeen.map(LocalTime.text) ?? "never")  \(device.device) is \(device.stateText)"
        case .pending(let pending):
            "\(pending.device) waits since \(LocalTime.text(pending.since)), fingerprint \(pending.fingerprint)"
        case .account(let account):
            "\(account.user) at \(account.place)"
                + (account.expires.map { ", logged in until \(LocalTime.text($0)) at the latest" } ?? "")
        case .description, .ticket, .status, .inventory: Tables.lines([self]).joined(separator: "\n")
        }
    }
}

extension ReportedObservation {
    fileprivate var line: String {
        let head = "\(Style.faint.apply(LocalTime.text(time)))  \(device)/"
        switch content {
        case .reading(let reading):
            let value = reading.value?.text(of: quantity) ?? "-"
            let shown = "\(head)\(reading.component).\(reading.property)  \(value)"
            guard reading.quality != .good else { return shown }
            let reason = reading.reason.map { ": \($0)" } ?? ""
            return shown + "  " + reading.quality.style.apply(reading.quality.rawValue + reason)
        case .event(let event): return "\(head)\(event.component)  \(event.name)"
        case .result(let result):
            let style: Style = result.status == .done ? .good : .bad
            let reason = result.reason.map { ": \($0)" } ?? ""
            return "\(head)\(result.component) \(result.action)  \(style.apply(result.status.rawValue + reason))"
        }
    }
}

/// Readings as comma-separated values (RFC 4180).
enum CSV {
    static let header = "time,device,component,name,value,unit,quality,reason,sequence"

    static func line(_ item: Item) -> String {
        guard case .observation(let report) = item else { return "" }
        let fields: [String]
        switch report.content {
        case .reading(let reading):
            let value = reading.value?.displayed(as: report.quantity).text(of: nil) ?? ""
            fields = [
                reading.component.rawValue, reading.property, value, report.quantity?.display.symbol ?? "",
                reading.quality.rawValue, reading.reason ?? "",
            ]
        case .event(let event): fields = [event.component.rawValue, event.name, "", "", "", ""]
        case .result(let result):
            fields = [
                result.component.rawValue, result.action, result.status.rawValue, "", "", result.reason ?? "",
            ]
        }
        let sequence = report.sequence.map { "\($0)" } ?? ""
        return ([report.time.rfc3339, report.device.rawValue] + fields + [sequence]).map(quoted).joined(separator: ",")
    }

    private static func quoted(_ field: String) -> String {
        // By bytes: a carriage return and a line feed are one letter to Swift.
        guard field.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return field }
        return "\"\(field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
