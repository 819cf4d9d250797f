public import DeviceModel

/// Device to router, the answer to a ``Challenge``: it is me.
public struct Prove: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "prove")

    /// The version of the protocol that the device speaks.
    public var version: Int
    /// The device's name.
    public var device: DeviceID
    /// Its public key: Ed25519, 32 bytes.
    public var key: [UInt8]
    /// Its boot.
    public var boot: BootID
    /// Its own clock, now.
    public var monotonic: MonotonicTime
    /// A ``SignedStatement`` to `prove`, signed.
    public var signature: [UInt8]
    /// How often it has connected, this time included, by a count that it keeps; nil: it keeps none.
    public var connects: UInt64?
    /// The end of the router's audit log, as the device was told of it last; nil: it never was.
    public var auditHead: AuditHead?
    /// What its files are meant to be, as far as it knows; nil: it does not watch over them.
    public var integrity: IntegrityClaim?

    /// A proof of identity.
    public init(
        version: Int = ProtocolVersion.current, device: DeviceID, key: [UInt8], boot: BootID,
        monotonic: MonotonicTime, signature: [UInt8], connects: UInt64? = nil, auditHead: AuditHead? = nil,
        integrity: IntegrityClaim? = nil
    ) {
        self.integrity = integrity
        self.version = version
        self.device = device
        self.key = key
        self.boot = boot
        self.monotonic = monotonic
        self.signature = signature
        self.connects = connects
        self.auditHead = auditHead
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("version", version)
            map.field("device", device.rawValue)
            map.field("key", key)
            map.field("boot", boot.bytes)
            map.field("at", monotonic.nanoseconds)
            map.field("signature", signature)
            map.field("connects", connects)
            map.auditFields(auditHead)
            map.field("integrity", integrity) { $1.encode(into: &$0) }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = IdentityFields()
        var monotonic: Int64?
        var connects: UInt64?
        var integrity: IntegrityClaim?
        var auditHead = AuditHeadFields()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "at": monotonic = try reader.readInt64()
            case "connects": connects = try reader.readUInt64()
            case "integrity": integrity = try IntegrityClaim(from: &reader)
            case _ where AuditHeadFields.keys.contains(key): try auditHead.read(key, &reader)
            default: try fields.read(key, &reader)
            }
        }
        self.init(
            version: try reader.require(fields.version, "version"),
            device: try reader.require(fields.device, "device"), key: try reader.require(fields.key, "key"),
            boot: try reader.require(fields.boot, "boot"),
            monotonic: MonotonicTime(nanoseconds: try reader.require(monotonic, "at")),
            signature: try reader.require(fields.signature, "signature"), connects: connects,
            auditHead: try auditHead.head(reader), integrity: integrity)
    }
}

/// Router to device: you are who you say.
///
/// The session begins.
public struct Welcome: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "welcome")

    /// The account in whose space the device is.
    public var owner: String
    /// How often the router sends a ``Heartbeat``.
    ///
    /// After two and a quarter of these without one the link is dead.
    public var heartbeat: Duration
    /// What the router has of each stream: of its newest epochs, in the order in which it heard of them.
    public var streams: [StreamReception]
    /// Why the router withholds commands from the device until its owner trusts it again, in words; nil: it doesn't.
    public var alarm: String?
    /// The end of the router's audit log, to be remembered and told in the next ``Prove``.
    public var auditHead: AuditHead?
    /// What the router says to the device's ``Prove/integrity``; nil: the device has said nothing of it.
    public var integrity: IntegrityVerdict?

    /// The beginning of a session.
    public init(
        owner: String, heartbeat: Duration, streams: [StreamReception], alarm: String? = nil,
        auditHead: AuditHead? = nil, integrity: IntegrityVerdict? = nil
    ) {
        self.integrity = integrity
        self.owner = owner
        self.heartbeat = heartbeat
        self.streams = streams
        self.alarm = alarm
        self.auditHead = auditHead
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("owner", owner)
            map.field("heartbeat_ms", heartbeat.milliseconds)
            map.field("streams", streams) { writer, reception in
                writer.writeMap { map in
                    map.receptionFields(reception)
                    map.field("seq", reception.received.last)  // for devices that know no ranges
                }
            }
            map.field("alarm", alarm)
            map.auditFields(auditHead)
            map.field("integrity", integrity) { $1.encode(into: &$0) }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var owner: String?
        var heartbeat: Int64?
        var streams: [StreamReception?] = []
        var alarm: String?
        var integrity: IntegrityVerdict?
        var auditHead = AuditHeadFields()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "owner": owner = try reader.readString()
            case "heartbeat_ms": heartbeat = try reader.readInt64()
            case "alarm": alarm = try reader.readString()
            case "integrity": integrity = try IntegrityVerdict(from: &reader)
            case _ where AuditHeadFields.keys.contains(key): try auditHead.read(key, &reader)
            case "streams":
                streams = try reader.readArray { (reader) throws(WireError) in
                    var fields = ReceptionFields()
                    try reader.readMap { (key, reader) throws(WireError) in
                        if try !fields.read(key, &reader) { try reader.skip() }
                    }
                    return try fields.reception(reader)
                }
            default: try reader.skip()
            }
        }
        let milliseconds = max(100, min(try reader.require(heartbeat, "heartbeat_ms"), 3_600_000))
        self.init(
            owner: try reader.require(owner, "owner"), heartbeat: .milliseconds(milliseconds),
            streams: streams.compactMap(\.self), alarm: alarm, auditHead: try auditHead.head(reader),
            integrity: integrity)
    }
}

/// Router to device, and back: I am still here.
public struct Heartbeat: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "heartbeat")

    /// The device's own clock, in the device's answer.
    public var monotonic: MonotonicTime?

    /// A sign of life.
    public init(monotonic: MonotonicTime? = nil) {
        self.monotonic = monotonic
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { $0.field("at", monotonic?.nanoseconds) }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var monotonic: Int64?
        try reader.readMap { (key, reader) throws(WireError) in
            if key == "at" { monotonic = try reader.readInt64() } else { try reader.skip() }
        }
        self.init(monotonic: monotonic.map { MonotonicTime(nanoseconds: $0) })
    }
}
