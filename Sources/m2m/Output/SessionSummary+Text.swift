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
