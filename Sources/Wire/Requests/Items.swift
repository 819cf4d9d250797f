import DeviceModel

/// Agent or router to person: a part of the answer.
public struct Items: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.requests, "items")

    /// The pieces.
    public var items: [Item]

    /// A part of an answer.
    public init(_ items: [Item]) {
        self.items = items
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("items", items) { writer, item in writer.writeMap { item.fields(&$0) } }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var items: [Item?] = []
        try reader.readMap { (key, reader) throws(WireError) in
            guard key == "items" else { return try reader.skip() }
            items = try reader.readArray { (reader) throws(WireError) in
                try ItemFields(from: &reader).item(reader)
            }
        }
        self.init(items.compactMap(\.self))
    }
}

extension Item {
    fileprivate func fields(_ map: inout MessagePackWriter) {
        switch self {
        case .observation(let report):
            map.field("item", "observation")
            map.field("device", report.device.rawValue)
            map.field("time", report.time.nanoseconds)
            map.field("quantity", report.quantity?.rawValue)
            map.field("epoch", report.position?.epoch)
            map.field("seq", report.position?.sequence)
            if !report.isDated { map.field("dated", false) }
            map.contentFields(report.content)
        case .gap(let report):
            map.field("item", "gap")
            map.field("device", report.device.rawValue)
            map.field("stream", report.gap.stream.rawValue)
            map.field("epoch", report.gap.epoch)
            map.gapFields(report.gap)
        case .device(let device):
            map.field("item", "device")
            map.field("device", device.device.rawValue)
            map.field("label", device.label)
            map.field("online", device.isOnline)
            map.field("time", device.lastSeen?.nanoseconds)
            map.field("missing", device.losses?.missing)
            map.field("unknown", device.losses?.unknown)
            map.field("conflicts", device.losses?.conflicts)
            map.field("alarm", device.alarm)
            if device.isRevoked { map.field("revoked", true) }
            map.field("disabled", device.disabledBecause)
            map.field("objection", device.objection)
        case .session(let session):
            map.field("item", "session")
            session.fields(&map)
        case .audit(let record):
            map.field("item", "audit")
            record.fields(&map)
        case .integrity(let report):
            map.field("item", "integrity")
            report.fields(&map)
        case .change(let report):
            map.field("item", "change")
            map.field("device", report.device.rawValue)
            map.field("change", report.change) { $1.encode(into: &$0) }
        case .ticket(let ticket):
            map.field("item", "ticket")
            map.field("device", ticket.device.rawValue)
            map.field("code", ticket.code)
            map.field("time", ticket.expires.nanoseconds)
        case .pending(let pending):
            map.field("item", "pending")
            map.field("device", pending.device.rawValue)
            map.field("fingerprint", pending.fingerprint)
            map.field("time", pending.since.nanoseconds)
        case .account(let account):
            map.field("item", "account")
            map.field("user", account.user)
            map.field("place", account.place)
            map.field("time", account.expires?.nanoseconds)
        case .description(let description):
            map.field("item", "description")
            map.field("description", description) { $1.encode(into: &$0) }
        case .status(let status):
            map.field("item", "status")
            map.field("agent", status) { $1.encode(into: &$0) }
        case .inventory(let inventory):
            map.field("item", "inventory")
            map.field("inventory", inventory) { $1.encode(into: &$0) }
        }
    }
}

/// The fields of all items, as far as they were there.
private struct ItemFields {
    private var item = ""
    private var device: DeviceID?
    private var time: WallTime?
    private var quantity: Quantity?
    private var sequence: UInt64?
    private var stream: StreamName?
    private var numbers: [String: UInt64] = [:]
    private var gap = GapFields()
    private var isDated = true
    private var texts: [String: String] = [:]
    private var isOnline = false
    private var isRevoked = false
    private var security = SecurityFields()
    private var content = ContentFields()
    private var description: DeviceDescription?
    private var agentStatus: AgentStatus?
    private var inventory: BoardInventory?
    private var integrity: IntegrityStatus?
    private var approval: ReportedIntegrity.Approval?
    private var change: FileChange?

    init(from reader: inout MessagePackReader) throws(WireError) {
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "item": item = try reader.readString()
            case "device": device = try reader.readDeviceID()
            case "time": time = try reader.readWallTime()
            case "quantity": quantity = Quantity(rawValue: try reader.readString())
            case "seq": sequence = try reader.readUInt64()
            case "stream": stream = try reader.readChoice(StreamName.self, key)
            case "epoch", "missing", "unknown", "conflicts": numbers[key] = try reader.readUInt64()
            case "dated": isDated = try reader.readBool()
            case "label", "code", "fingerprint", "user", "place", "alarm", "disabled", "objection", "silence":
                texts[key] = try reader.readString()
            case "revoked": isRevoked = try reader.readBool()
            case _ where SecurityFields.keys.contains(key): try security.read(key, &reader)
            case "online": isOnline = try reader.readBool()
            case "description": description = try DeviceDescription(from: &reader)
            case "agent": agentStatus = try AgentStatus(from: &reader)
            case "inventory": inventory = try BoardInventory(from: &reader)
            case "integrity": integrity = try IntegrityStatus(from: &reader)
            case "approval": approval = try ReportedIntegrity.Approval(from: &reader)
            case "change": change = try FileChange(from: &reader)
            case "reason": try content.read(key, &reader)  // an observation's, or a gap's: the order means nothing
            default: if try !gap.read(key, &reader) { try content.read(key, &reader) }
            }
        }
    }

    private func position(in stream: StreamName) -> StreamPosition? {
        guard let sequence, let epoch = numbers["epoch"] else { return nil }
        return StreamPosition(stream: stream, epoch: epoch, sequence: sequence)
    }

    private var losses: DeviceLosses? {
        numbers["missing"].map {
            DeviceLosses(
                missing: $0, unknown: Int(clamping: numbers["unknown"] ?? 0),
                conflicts: Int(clamping: numbers["conflicts"] ?? 0))
        }
    }

    /// The item; nil for one that only a later version knows.
    func item(_ reader: MessagePackReader) throws(WireError) -> Item? {
        switch item {
        case "observation":
            let content = try content.content(reader)
            return .observation(
                ReportedObservation(
                    device: try reader.require(device, "device"), time: try reader.require(time, "time"),
                    content: content, quantity: quantity, position: position(in: content.stream), isDated: isDated))
        case "gap":
            var named = try gap.gap(
                of: try reader.require(stream, "stream"), epoch: try reader.require(numbers["epoch"], "epoch"), reader)
            named.reason = GapReason(rawValue: content.reason ?? "")
            return .gap(ReportedGap(device: try reader.require(device, "device"), gap: named))
        case "device":
            return .device(
                DeviceSummary(
                    device: try reader.require(device, "device"), label: texts["label"], isOnline: isOnline,
                    lastSeen: time, losses: losses, alarm: texts["alarm"], isRevoked: isRevoked,
                    disabledBecause: texts["disabled"], objection: texts["objection"]))
        case "session": return .session(try security.session(begun: time, reader))
        case "audit": return .audit(try security.audit(time: time, reader))
        case "integrity":
            return .integrity(
                ReportedIntegrity(
                    device: try reader.require(device, "device"), status: integrity, silence: texts["silence"],
                    approval: approval))
        case "change":
            return .change(
                ReportedChange(
                    device: try reader.require(device, "device"), change: try reader.require(change, item)))
        case "ticket":
            return .ticket(
                ClaimTicket(
                    device: try reader.require(device, "device"), code: try reader.require(texts["code"], "code"),
                    expires: try reader.require(time, "time")))
        case "pending":
            return .pending(
                PendingDevice(
                    device: try reader.require(device, "device"),
                    fingerprint: try reader.require(texts["fingerprint"], "fingerprint"),
                    since: try reader.require(time, "time")))
        case "account":
            return .account(
                AccountSummary(
                    user: try reader.require(texts["user"], "user"), place: texts["place"] ?? "", expires: time))
        case "description": return .description(try reader.require(description, item))
        case "status": return .status(try reader.require(agentStatus, item))
        case "inventory": return .inventory(try reader.require(inventory, item))
        default: return nil
        }
    }
}
