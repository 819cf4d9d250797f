import DeviceModel
import Terminal
import Wire

extension ReportedIntegrity {
    /// How the watch is, as people like to read it.
    var lines: [String] {
        var lines: [String] = []
        if let status {
            lines += status.lines(device, isObjected: approval?.objection != nil)
        } else {
            lines.append("\(device): \(silence ?? "no answer; it may be busy")")
        }
        guard let approval else {
            if status?.disabledBecause != nil { lines.append("           \(Self.wayBack)") }
            return lines
        }
        if let root = approval.root, let time = approval.time {
            lines.append(
                "approved   number \(approval.counter), root \(root.short), \(LocalTime.text(time)) by \(approval.by ?? "?")"
            )
        } else if status?.state != .off {
            lines.append(
                Style.warning.apply("approved   nothing yet")
                    + "; `m2m integrity \(device) approve` approves what is there")
        }
        if let next = approval.next { lines.append("next       \(next), as soon as the device has all of it") }
        if let objection = approval.objection { lines.append("router     \(Style.bad.apply(objection.inOneLine))") }
        if let reason = approval.disabledBecause, status?.disabledBecause == nil {
            lines.append("router     \(Style.bad.apply("the device is disabled: \(reason.inOneLine)"))")
        }
        if approval.disabledBecause != nil || status?.disabledBecause != nil {
            let isMended = status?.changes == 0 && approval.objection == nil
            let first = isMended ? "the files are as approved now: " : "approve or mend the files, then "
            lines.append("           \(first)`m2m integrity \(device) enable` lets it be commanded again")
        }
        return lines
    }

    /// What is to be done about a device that is asked itself: its owner's word does not come on this way.
    private static let wayBack =
        "its owner lets it be commanded again, through its router: `m2m integrity DEVICE enable`; without a router "
        + "Docs/Integrity.md says how"

    /// The same as programs read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        if let status { object.add("integrity", status.json) }
        guard let approval else { return object }
        var known = JSONObject()
        known.add("root", approval.root.map { Value.text($0.description) })
        known.add("counter", approval.counter)
        if let time = approval.time { known.add("time", time.rfc3339) }
        if let by = approval.by { known.add("by", by) }
        if let reason = approval.disabledBecause { known.add("disabled", reason) }
        if let next = approval.next { known.add("next", next) }
        if let objection = approval.objection { known.add("objection", objection) }
        object.add("approval", known)
        return object
    }
}

extension IntegrityStatus {
    /// - Parameters:
    ///   - device: Whose it is.
    ///   - isObjected: Whether its router has something against the baseline.
    /// - Returns: A line each.
    fileprivate func lines(_ device: DeviceID, isObjected: Bool) -> [String] {
        guard state != .off else {
            return [
                "\(device): the files are not watched; [integrity] in agent.toml lets the agent watch them, and so does "
                    + "`m2m integrity \(device) enable`"
            ]
        }
        let isEmpty = state == .intact && files == 0
        let many = changes == 1 ? "1 path differs" : "\(changes) paths differ"
        // The device's word is worth nothing where its router knows better.
        let state: IntegrityStatus.State = self.state == .intact && isObjected ? .changed : self.state
        let all = files == 1 ? "1 file" : "\(files) files and folders"
        let rest = changes == 0 ? all : "\(many) from what the \(all) of the baseline are meant to be"
        var lines = [
            "\(device): "
                + (isEmpty
                    ? Style.warning.apply("nothing is watched: there is nothing at the paths of [integrity]")
                    : "\(state.style.apply(state.words)), \(rest)")
        ]
        if let reason = disabledBecause { lines.append("disabled   \(Style.bad.apply(reason.inOneLine))") }
        if let window { lines.append("window     changes are collected for another \(window.remaining.text)") }
        lines.append("response   \(response.rawValue)")
        if let root { lines.append("baseline   number \(counter), root \(root.short)") }
        lines.append("mode       \(mode.inOneLine); not seen at once: \(blindness.inOneLine)")
        let last = checked.map { "last \($0.rounded.text) ago" } ?? "the first one is under way"
        let next = period.map { ", every file is read again within \($0.rounded.text)" } ?? ""
        lines.append("rounds     \(last)\(next)")
        if overflows > 0 {
            lines.append(
                "           \(overflows) times more happened at once than the kernel has told; all was looked at")
        }
        return lines + problems.map { "problem    \(Style.bad.apply($0.inOneLine))" }
    }

    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("state", state.rawValue)
        object.add("mode", mode)
        object.add("blindness", blindness)
        object.add("response", response.rawValue)
        object.add("root", root.map { Value.text($0.description) })
        object.add("found", found.map { Value.text($0.description) })
        object.add("counter", counter)
        object.add("files", files)
        object.add("changes", changes)
        if let reason = disabledBecause { object.add("disabled", reason) }
        if let window { object.add("window_s", window.seconds) }
        if let checked { object.add("checked_s", checked.seconds) }
        if let period { object.add("period_s", period.seconds) }
        object.add("overflows", overflows)
        object.add("problems", problems)
        return object
    }
}

extension String {
    /// Without what ends a line: whoever has written it says one thing, and not several.
    fileprivate var inOneLine: String { split(whereSeparator: \.isNewline).joined(separator: " ") }
}

extension IntegrityStatus.State {
    fileprivate var style: Style {
        switch self {
        case .intact: .good
        case .starting, .waiting, .window, .off: .warning
        case .changed, .disabled: .bad
        }
    }

    fileprivate var words: String {
        switch self {
        case .off: "not watched"
        case .starting: "being looked at for the first time"
        case .waiting: "not commanded until its router has said something about the files"
        case .intact: "as approved"
        case .window: "changes are being collected"
        case .changed: "not as approved"
        case .disabled: "disabled"
        }
    }
}

extension SHA256Hash {
    /// The first digits, as many as people compare.
    var short: String { String(description.prefix(16)) }
}

extension Duration {
    /// Whole seconds.
    fileprivate var rounded: Duration { .seconds(Int64(seconds.rounded(.up))) }
    /// Whole minutes, as long as there are some.
    fileprivate var remaining: Duration {
        self < .seconds(600) ? rounded : .seconds(Int64((seconds / 60).rounded(.up)) * 60)
    }
}

extension ReportedChange {
    /// The change as a line.
    var line: String { "\(device)  \(Style.bad.apply(change.text))" }

    /// The change as programs read it; a path that is no text is written as people read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("device", device.rawValue)
        object.add("path", change.path.description)
        object.add("kinds", change.kinds.map(\.rawValue))
        if let from = change.from { object.add("from", from.description) }
        if let before = change.before { object.add("before", before.json) }
        if let now = change.now { object.add("now", now.json) }
        if let remark = change.remark { object.add("remark", remark) }
        return object
    }
}

extension FileEntry {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("type", kind.word)
        if isMounted { object.add("mounted", true) }
        object.add("mode", mode.octal)
        object.add("uid", owner)
        object.add("gid", group)
        object.add("size", size)
        switch content {
        case .none: break
        case .digest(let digest): object.add("sha256", digest.description)
        case .target(let target): object.add("target", FilePath(bytes: target).description)
        case .tooLarge: object.add("unknown", "too_large")
        case .unreadable: object.add("unknown", "unreadable")
        }
        return object
    }
}
