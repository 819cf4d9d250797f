public import DeviceModel

/// Device to router: let me in for the first time.
public struct Enroll: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "enroll")

    /// The version of the protocol that the device speaks.
    public var version: Int
    /// The name under which it wants to be known.
    public var device: DeviceID
    /// Its public key: Ed25519, 32 bytes.
    public var key: [UInt8]
    /// Its boot.
    public var boot: BootID
    /// The secret of a claim code; nil: the owner will accept the key's fingerprint.
    public var claim: String?
    /// The account, where there is no claim code.
    public var account: String?
    /// A ``SignedStatement`` to `enroll`, signed.
    public var signature: [UInt8]

    /// A request to be let in.
    public init(
        version: Int = ProtocolVersion.current, device: DeviceID, key: [UInt8], boot: BootID, claim: String? = nil,
        account: String? = nil, signature: [UInt8]
    ) {
        self.version = version
        self.device = device
        self.key = key
        self.boot = boot
        self.claim = claim
        self.account = account
        self.signature = signature
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("version", version)
            map.field("device", device.rawValue)
            map.field("key", key)
            map.field("boot", boot.bytes)
            map.field("claim", claim)
            map.field("account", account)
            map.field("signature", signature)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = IdentityFields()
        var claim: String?
        var account: String?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "claim": claim = try reader.readString()
            case "account": account = try reader.readString()
            default: try fields.read(key, &reader)
            }
        }
        self.init(
            version: try reader.require(fields.version, "version"),
            device: try reader.require(fields.device, "device"), key: try reader.require(fields.key, "key"),
            boot: try reader.require(fields.boot, "boot"), claim: claim, account: account,
            signature: try reader.require(fields.signature, "signature"))
    }
}

/// Router to device: the owner has to accept you first.
///
/// An ``Enrolled`` follows on the same connection, or an error.
public struct EnrolmentPending: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "pending")

    /// The fingerprint of the device's key, as the owner sees it.
    public var fingerprint: String

    /// The owner has to accept this fingerprint.
    public init(fingerprint: String) {
        self.fingerprint = fingerprint
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { $0.field("fingerprint", fingerprint) }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fingerprint: String?
        try reader.readMap { (key, reader) throws(WireError) in
            if key == "fingerprint" { fingerprint = try reader.readString() } else { try reader.skip() }
        }
        self.init(fingerprint: try reader.require(fingerprint, "fingerprint"))
    }
}

/// Router to device: you are in.
///
/// From now on connect with ``Prove``.
public struct Enrolled: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "enrolled")

    /// The account in whose space the device is.
    public var owner: String

    /// The device is in somebody's space.
    public init(owner: String) {
        self.owner = owner
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { $0.field("owner", owner) }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var owner: String?
        try reader.readMap { (key, reader) throws(WireError) in
            if key == "owner" { owner = try reader.readString() } else { try reader.skip() }
        }
        self.init(owner: try reader.require(owner, "owner"))
    }
}

/// The fields by which a device says who it is, in ``Enroll`` and in ``Prove``.
struct IdentityFields {
    var version: Int?
    var device: DeviceID?
    var key: [UInt8]?
    var boot: BootID?
    var signature: [UInt8]?

    static let keySize = 32
    static let signatureSize = 64

    mutating func read(_ name: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch name {
        case "version": version = try reader.readInt()
        case "device": device = try reader.readDeviceID()
        case "key": key = try reader.readBytes("key", count: Self.keySize)
        case "boot": boot = BootID(bytes: try reader.readBytes("boot", count: BootID.size))
        case "signature": signature = try reader.readBytes("signature", count: Self.signatureSize)
        default: try reader.skip()
        }
    }
}
