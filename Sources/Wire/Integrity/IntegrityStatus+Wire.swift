import DeviceModel

extension IntegrityStatus {
    /// Writes the status as a map.
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("state", state.rawValue)
            map.field("mode", mode)
            map.field("blindness", blindness)
            map.field("response", response.rawValue)
            map.field("root", root?.bytes)
            map.field("found", found?.bytes)
            map.field("counter", counter)
            map.field("files", files)
            map.field("changes", changes)
            map.field("disabled", disabledBecause)
            map.field("window_ms", window?.milliseconds)
            map.field("checked_ms", checked?.milliseconds)
            map.field("period_ms", period?.milliseconds)
            map.field("overflows", overflows)
            map.field("problems", problems) { $0.write($1) }
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(state: .off)
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "state": state = try reader.readChoice(State.self, key)
            case "mode": mode = try reader.readString()
            case "blindness": blindness = try reader.readString()
            case "response": response = try reader.readChoice(IntegrityResponse.self, key)
            case "root": root = try reader.readDigest(key)
            case "found": found = try reader.readDigest(key)
            case "counter": counter = try reader.readUInt64()
            case "files": files = try reader.readInt()
            case "changes": changes = try reader.readInt()
            case "disabled": disabledBecause = try reader.readString()
            case "window_ms": window = try reader.readMilliseconds()
            case "checked_ms": checked = try reader.readMilliseconds()
            case "period_ms": period = try reader.readMilliseconds()
            case "overflows": overflows = try reader.readInt()
            case "problems":
                problems = try reader.readArray { (reader) throws(WireError) in try reader.readString() }
            default: try reader.skip()
            }
        }
    }
}

extension MessagePackReader {
    /// Reads a duration of at most some years.
    mutating func readMilliseconds() throws(WireError) -> Duration {
        .milliseconds(max(0, min(try readInt64(), 1_000_000_000_000)))
    }
}
