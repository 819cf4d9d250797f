import DeviceModel

/// The fields of a ``SessionSummary`` and of an ``AuditRecord``, as far as they were there.
struct SecurityFields {
    private var texts: [String: String] = [:]
    private var walls: [String: WallTime] = [:]
    private var times = 1
    private var isCurrent = false

    static let keys: Set = [
        "session", "from", "program", "used", "expires", "current", "times", "last_time", "who", "act",
        "object",
        "result",
    ]

    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch key {
        case "used", "expires", "last_time": walls[key] = try reader.readWallTime()
        case "current": isCurrent = try reader.readBool()
        case "times": times = max(1, try reader.readInt())
        default: texts[key] = try reader.readString()
        }
    }

    func session(begun: WallTime?, _ reader: MessagePackReader) throws(WireError) -> SessionSummary {
        SessionSummary(
            name: try reader.require(texts["session"], "session"), source: texts["from"] ?? "",
            agent: texts["program"] ?? "", begun: try reader.require(begun, "time"),
            used: try reader.require(walls["used"], "used"), expires: try reader.require(walls["expires"], "expires"),
            isCurrent: isCurrent)
    }

    func audit(time: WallTime?, _ reader: MessagePackReader) throws(WireError) -> AuditRecord {
        AuditRecord(
            time: try reader.require(time, "time"), times: times,
            until: walls["last_time"], who: texts["who"] ?? "", source: texts["from"] ?? "",
            act: try reader.require(texts["act"], "act"), object: texts["object"] ?? "", result: texts["result"] ?? "")
    }
}
