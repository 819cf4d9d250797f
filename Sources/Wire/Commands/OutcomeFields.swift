import DeviceModel

extension MessagePackWriter {
    /// The fields of what became of something that was asked for.
    mutating func writeOutcome(_ outcome: CommandOutcome, of id: String) {
        writeMap { map in
            map.field("id", id)
            map.field("status", outcome.status.rawValue)
            map.field("reason", outcome.reason)
        }
    }
}

extension MessagePackReader {
    /// Reads what became of something, and what that was called.
    mutating func readOutcome() throws(WireError) -> (id: String, outcome: CommandOutcome) {
        var id: String?
        var status: CommandStatus?
        var reason: String?
        try readMap { (key, reader) throws(WireError) in
            switch key {
            case "id": id = try reader.readString()
            case "status": status = try reader.readChoice(CommandStatus.self, key)
            case "reason": reason = try reader.readString()
            default: try reader.skip()
            }
        }
        return (try require(id, "id"), CommandOutcome(try require(status, "status"), reason))
    }
}
