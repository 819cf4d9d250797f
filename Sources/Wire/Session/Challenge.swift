public import DeviceModel

/// Router to device, first of all: what the device has to sign.
public struct Challenge: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.deviceSession, "challenge")
    /// How many bytes a nonce has.
    public static let nonceSize = 32

    /// The versions of this protocol that the router speaks.
    public var versions: [Int]
    /// Random, used once.
    public var nonce: [UInt8]

    /// A challenge.
    public init(versions: [Int] = [ProtocolVersion.current], nonce: [UInt8]) {
        self.versions = versions
        self.nonce = nonce
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("versions", versions) { $0.write(Int64($1)) }
            map.field("nonce", nonce)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var versions: [Int]?
        var nonce: [UInt8]?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "versions": versions = try reader.readArray { (reader) throws(WireError) in try reader.readInt() }
            case "nonce": nonce = try reader.readBytes("nonce", count: Self.nonceSize)
            default: try reader.skip()
            }
        }
        self.init(versions: try reader.require(versions, "versions"), nonce: try reader.require(nonce, "nonce"))
    }
}

/// The versions of the protocols of this project.
public enum ProtocolVersion {
    /// The one that this code speaks.
    public static let current = 1
}

/// What a device signs to show who it is: bound to one connection, one router, one device and one boot, so that it is
/// good for nothing else.
public struct SignedStatement: Hashable, Sendable {
    /// What the signature is for.
    public enum Purpose: String, Sendable {
        /// To be let in for the first time.
        case enroll = "m2m/1 enroll"
        /// To be let in again.
        case prove = "m2m/1 prove"
        /// To have another key.
        case rotate = "m2m/1 rotate"
    }

    /// What the signature is for.
    public var purpose: Purpose
    /// The router's nonce.
    public var nonce: [UInt8]
    /// SHA-256 of the public key of the router's certificate (its SubjectPublicKeyInfo in DER), as this end sees it.
    public var routerKeyHash: [UInt8]
    /// The device's boot.
    public var boot: BootID
    /// The device's name.
    public var device: DeviceID
    /// The device's public key from now on, where it is to have another one.
    public var newKey: [UInt8]?

    /// A statement of these parts.
    public init(
        purpose: Purpose, nonce: [UInt8], routerKeyHash: [UInt8], boot: BootID, device: DeviceID,
        newKey: [UInt8]? = nil
    ) {
        self.purpose = purpose
        self.nonce = nonce
        self.routerKeyHash = routerKeyHash
        self.boot = boot
        self.device = device
        self.newKey = newKey
    }

    /// The bytes that are signed: the purpose and a zero byte, nonce (32), key hash (32), boot id (16), device name;
    /// and, where there is a new key, a zero byte and that (32).
    public var bytes: [UInt8] {
        // Piece by piece: one expression with all of them is more than Swift 6.2 finds the types of.
        var bytes = Array(purpose.rawValue.utf8)
        bytes.append(0)
        bytes += nonce
        bytes += routerKeyHash
        bytes += boot.bytes
        bytes += device.rawValue.utf8
        if let newKey { bytes += [0] + newKey }
        return bytes
    }
}
