import DeviceModel

extension AgentStatus {
    func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("device", device.rawValue)
            map.field("software", software)
            map.field("board", board)
            map.field("uptime_ms", uptime.milliseconds)
            map.field("link", link) { writer, link in
                writer.writeMap { map in
                    map.field("router", link.router)
                    map.field("state", link.state.rawValue)
                    map.field("reason", link.reason)
                    map.field("failed_attempts", link.failedAttempts)
                }
            }
            map.field("store", store) { writer, store in
                writer.writeMap { map in
                    map.field("kept", store.kept)
                    map.field("bytes", store.bytes)
                    map.field("dropped", store.dropped)
                    map.field("problem", store.problem)
                }
            }
            map.field("components", components) { writer, component in
                writer.writeMap { map in
                    map.field("component", component.id.rawValue)
                    map.field("model", component.model)
                    map.field("problem", component.problem)
                    map.field("failures", component.failures)
                }
            }
            map.field("notes", notes) { $0.write($1) }
        }
    }

    init(from reader: inout MessagePackReader) throws(WireError) {
        var device: DeviceID?
        var (software, board, uptime) = ("", "", Duration.zero)
        var (link, store) = (LinkStatus?.none, StoreStatus())
        var (components, notes) = ([ComponentStatus](), [String]())
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "device": device = try reader.readDeviceID()
            case "software": software = try reader.readString()
            case "board": board = try reader.readString()
            case "uptime_ms": uptime = .milliseconds(max(0, min(try reader.readInt64(), 1_000_000_000_000)))
            case "link": link = try LinkStatus(from: &reader)
            case "store": store = try StoreStatus(from: &reader)
            case "components":
                components = try reader.readArray { (reader) throws(WireError) in try ComponentStatus(from: &reader) }
            case "notes": notes = try reader.readArray { (reader) throws(WireError) in try reader.readString() }
            default: try reader.skip()
            }
        }
        self.init(
            device: try reader.require(device, "device"), software: software, board: board, uptime: uptime,
            link: link, store: store, components: components, notes: notes)
    }
}

extension LinkStatus {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init(router: "", state: .closed)
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "router": router = try reader.readString()
            case "state": state = try reader.readChoice(LinkState.self, key)
            case "reason": reason = try reader.readString()
            case "failed_attempts": failedAttempts = try reader.readInt()
            default: try reader.skip()
            }
        }
    }
}

extension StoreStatus {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        self.init()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "kept": kept = try reader.readInt()
            case "bytes": bytes = try reader.readInt()
            case "dropped": dropped = try reader.readInt()
            case "problem": problem = try reader.readString()
            default: try reader.skip()
            }
        }
    }
}

extension ComponentStatus {
    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        var id: ComponentID?
        var model = ""
        var problem: String?
        var failures = 0
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "component": id = try reader.readComponentID()
            case "model": model = try reader.readString()
            case "problem": problem = try reader.readString()
            case "failures": failures = try reader.readInt()
            default: try reader.skip()
            }
        }
        self.init(id: try reader.require(id, "component"), model: model, problem: problem, failures: failures)
    }
}
