import DeviceModel
import Terminal
import Wire

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
