import DeviceModel
import Terminal
import Wire

extension SessionSummary {
    /// Sessions as people like to read them.
    static func table(_ sessions: [SessionSummary]) -> [String] {
        var table = TextTable(["SESSION", "FROM", "PROGRAM", "BEGUN", "LAST USED", "ENDS AT THE LATEST"])
        for session in sessions {
            table.add([
                session.name + (session.isCurrent ? " (this one)" : ""), session.source, session.agent,
                LocalTime.text(session.begun), LocalTime.text(session.used), LocalTime.text(session.expires),
            ])
        }
        return table.lines
    }

    /// The session as programs read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("session", name)
        object.add("from", source)
        object.add("program", agent)
        object.add("begun", begun.rfc3339)
        object.add("used", used.rfc3339)
        object.add("expires", expires.rfc3339)
        object.add("current", isCurrent)
        return object
    }
}

extension AuditRecord {
    /// The entry as a line.
    var line: String {
        let often = times == 1 ? "" : " (\(times) times\(until.map { " until \(LocalTime.text($0))" } ?? ""))"
        let what = object.isEmpty ? act : "\(act) \(object)"
        let outcome = result == "done" ? "" : ": \(Style.bad.apply(result))"
        return "\(Style.faint.apply(LocalTime.text(time)))  \(who) from \(source): \(what)\(outcome)\(often)"
    }

    /// The entry as programs read it.
    var json: JSONObject {
        var object = JSONObject()
        object.add("time", time.rfc3339)
        object.add("who", who)
        object.add("from", source)
        object.add("act", act)
        if !self.object.isEmpty { object.add("object", self.object) }
        object.add("result", result)
        if times > 1 { object.add("times", UInt64(times)) }
        if let until { object.add("last_time", until.rfc3339) }
        return object
    }
}
