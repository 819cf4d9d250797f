import DeviceModel

extension Request {
    /// The request in its envelope.
    ///
    /// - Parameter session: The conversation that it opens: any text that the same end is not using already.
    /// - Returns: The message to send.
    public func envelope(session: String) -> Envelope {
        var writer = MessagePackWriter()
        writer.writeMap { fields(&$0) }
        return Envelope(proto: .requests, type: type, session: session, body: writer.bytes)
    }

    private func fields(_ map: inout MessagePackWriter) {
        switch self {
        case .whoami, .devices, .sessions, .status, .probe: break
        case .describe(let address), .read(let address), .watch(let address): map.addressFields(address)
        case .history(let query):
            map.addressFields(query.address)
            map.field("since", query.since?.nanoseconds)
            map.field("limit", query.limit)
        case .call(let call):
            map.addressFields(call.address)
            map.field("id", call.id.rawValue)
            map.field("action", call.action)
            map.field("parameters", call.parameters)
            map.expiryFields(call)
            map.leaseFields(call.lease)
        case .renew(let renewal):
            map.addressFields(renewal.address)
            map.field("lease", renewal.lease.rawValue)
            map.field("lease_ms", renewal.duration.milliseconds)
            map.expiryFields(renewal)
        case .claim(let device), .revoke(let device), .enable(let device): map.field("device", device.rawValue)
        case .integrity(let request): request.fields(&map)
        case .endSession(let name): map.field("session", name)
        case .audit(let query):
            map.field("since", query.since?.nanoseconds)
            map.field("limit", query.limit)
        case .accept(let device, let fingerprint):
            map.field("device", device.rawValue)
            map.field("fingerprint", fingerprint)
        case .drive(let line, let isActive):
            map.field("line", line)
            map.field("active", isActive)
        }
    }

    /// Reads the request in an envelope.
    ///
    /// - Returns: nil when the envelope names no request that is known here.
    /// - Throws: ``WireError`` when its body is not what the request needs.
    public init?(in envelope: Envelope) throws(WireError) {
        guard envelope.proto == .requests, Self.types.contains(envelope.type) else { return nil }
        self = try MessagePackReader.read(envelope.body) { (reader) throws(WireError) in
            let fields = try RequestFields(from: &reader)
            return try Request(type: envelope.type, fields, reader)
        }
    }

    /// All types of requests.
    public static let types = IntegrityRequest.types.union([
        "whoami", "devices", "describe", "read", "watch", "history", "call", "renew", "claim", "accept", "sessions",
        "end_session", "audit", "revoke", "enable", "status", "probe", "drive",
    ])

    private init(type: String, _ fields: RequestFields, _ reader: MessagePackReader) throws(WireError) {
        switch type {
        case "whoami": self = .whoami
        case "devices": self = .devices
        case "status": self = .status
        case "probe": self = .probe
        case "describe": self = .describe(fields.address)
        case "read": self = .read(fields.address)
        case "watch": self = .watch(fields.address)
        case "history":
            _ = try reader.require(fields.address.component, "component")
            self = .history(HistoryQuery(fields.address, since: fields.since, limit: fields.limit))
        case "call":
            _ = try reader.require(fields.address.component, "component")
            self = .call(
                CallRequest(
                    id: try reader.require(fields.id, "id"), address: fields.address,
                    action: try reader.require(fields.action, "action"), parameters: fields.parameters,
                    expiry: fields.expiry, lease: try fields.lease.lease(reader), deadline: fields.deadline))
        case "renew":
            _ = try reader.require(fields.address.component, "component")
            self = .renew(
                LeaseRenewalRequest(
                    address: fields.address, lease: try reader.require(fields.lease.id, "lease"),
                    duration: try reader.require(fields.lease.duration, "lease_ms"), expiry: fields.expiry,
                    deadline: fields.deadline))
        case "sessions": self = .sessions
        case "end_session": self = .endSession(try reader.require(fields.session, "session"))
        case "audit": self = .audit(AuditQuery(since: fields.since, limit: fields.limit))
        case "revoke": self = .revoke(try reader.require(fields.address.device, "device"))
        case "enable": self = .enable(try reader.require(fields.address.device, "device"))
        case _ where IntegrityRequest.types.contains(type):
            self = .integrity(try fields.integrity.request(type, fields.address.device, reader))
        case "claim": self = .claim(try reader.require(fields.address.device, "device"))
        case "accept":
            self = .accept(try reader.require(fields.address.device, "device"), fingerprint: fields.fingerprint)
        default:
            self = .drive(
                line: try reader.require(fields.line, "line"), isActive: try reader.require(fields.isActive, "active"))
        }
    }
}

extension MessagePackWriter {
    fileprivate mutating func addressFields(_ address: Address) {
        field("device", address.device?.rawValue)
        field("component", address.component?.rawValue)
        field("property", address.property)
    }

    fileprivate mutating func expiryFields(_ request: some Expiring) {
        field("expiry_ms", request.expiry.milliseconds)
        field("deadline", request.deadline?.nanoseconds)
    }
}

/// The fields of all requests, as far as they were there.
private struct RequestFields {
    var address = Address()
    var since: WallTime?
    var limit: Int?
    var id: CommandID?
    var action: String?
    var parameters: [String: Value] = [:]
    var expiry = Command.defaultExpiry
    var deadline: MonotonicTime?
    var lease = LeaseFields()
    var integrity = IntegrityRequestFields()
    var fingerprint: String?
    var session: String?
    var line: String?
    var isActive: Bool?

    init(from reader: inout MessagePackReader) throws(WireError) {
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "device": address.device = try reader.readDeviceID()
            case "component": address.component = try reader.readComponentID()
            case "property": address.property = try reader.readString()
            case "since": since = try reader.readWallTime()
            case "limit":
                let start = reader.offset
                let count = try reader.readInt()
                guard count >= 0 else { throw WireError(.invalidValue, at: start, "'limit' is not below 0") }
                limit = count
            case "id": id = try reader.readText(key) { CommandID(rawValue: $0) }
            case "action": action = try reader.readString()
            case "parameters":
                let start = reader.offset
                parameters = try reader.readValues()
                for (name, value) in parameters where value.numeric?.isFinite == false {
                    throw WireError(
                        .invalidValue, at: start, "the parameter '\(name)' is no number that can be sent on")
                }
            case "expiry_ms": expiry = .milliseconds(max(0, min(try reader.readInt64(), 86_400_000)))
            case "deadline": deadline = MonotonicTime(nanoseconds: try reader.readInt64())
            case _ where LeaseFields.keys.contains(key): try lease.read(key, &reader)
            case _ where IntegrityRequestFields.keys.contains(key): try integrity.read(key, &reader)
            case "fingerprint": fingerprint = try reader.readString()
            case "session": session = try reader.readString()
            case "line": line = try reader.readString()
            case "active": isActive = try reader.readBool()
            default: try reader.skip()
            }
        }
    }
}
