public import DeviceModel

/// Device to router, in the place of a ``Prove``: from now on this is my key.
///
/// Both keys sign it: the old one that it may, the new one that it is there. A ``Rotated`` follows, or an error.
public struct Rotate: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "rotate")

    /// The version of the protocol that the device speaks.
    public var version: Int
    /// The device's name.
    public var device: DeviceID
    /// Its public key so far: Ed25519, 32 bytes.
    public var key: [UInt8]
    /// Its public key from now on.
    public var newKey: [UInt8]
    /// Its boot.
    public var boot: BootID
    /// A ``SignedStatement`` to `rotate`, signed with the old key.
    public var signature: [UInt8]
    /// The same, signed with the new key.
    public var newSignature: [UInt8]

    /// A change of keys.
    public init(
        version: Int = ProtocolVersion.current, device: DeviceID, key: [UInt8], newKey: [UInt8], boot: BootID,
        signature: [UInt8], newSignature: [UInt8]
    ) {
        self.version = version
        self.device = device
        self.key = key
        self.newKey = newKey
        self.boot = boot
        self.signature = signature
        self.newSignature = newSignature
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("version", version)
            map.field("device", device.rawValue)
            map.field("key", key)
            map.field("new_key", newKey)
            map.field("boot", boot.bytes)
            map.field("signature", signature)
            map.field("new_signature", newSignature)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = IdentityFields()
        var newKey: [UInt8]?
        var newSignature: [UInt8]?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "new_key": newKey = try reader.readBytes(key, count: IdentityFields.keySize)
            case "new_signature": newSignature = try reader.readBytes(key, count: IdentityFields.signatureSize)
            default: try fields.read(key, &reader)
            }
        }
        self.init(
            version: try reader.require(fields.version, "version"),
            device: try reader.require(fields.device, "device"), key: try reader.require(fields.key, "key"),
            newKey: try reader.require(newKey, "new_key"), boot: try reader.require(fields.boot, "boot"),
            signature: try reader.require(fields.signature, "signature"),
            newSignature: try reader.require(newSignature, "new_signature"))
    }
}

/// Router to device: the new key is good.
///
/// The old one is good, too, until the new one has been used.
public struct Rotated: EmptyMessage {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "rotated")

    /// The new key is good.
    public init() {}
}
