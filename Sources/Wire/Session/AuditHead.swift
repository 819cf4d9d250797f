/// The end of a router's audit log: whoever remembers it notices when the log was cut or rewritten.
public struct AuditHead: Hashable, Sendable {
    /// How many bytes a hash has.
    public static let hashSize = 32

    /// The number of the last entry, from 1; 0: there is none.
    public var entry: UInt64
    /// The hash of the last entry, which covers all before it: SHA-256.
    public var hash: [UInt8]

    /// The end of an audit log.
    public init(entry: UInt64, hash: [UInt8]) {
        self.entry = entry
        self.hash = hash
    }
}

extension MessagePackWriter {
    /// The fields of an end of the audit log; none where it is not known.
    mutating func auditFields(_ head: AuditHead?) {
        field("audit_entry", head?.entry)
        field("audit_hash", head?.hash)
    }
}

/// The fields of an end of the audit log, as far as they were there.
struct AuditHeadFields {
    private var entry: UInt64?
    private var hash: [UInt8]?

    static let keys: Set = ["audit_entry", "audit_hash"]

    /// What was read; nil where neither was there.
    func head(_ reader: MessagePackReader) throws(WireError) -> AuditHead? {
        if entry == nil, hash == nil { return nil }
        return AuditHead(
            entry: try reader.require(entry, "audit_entry"), hash: try reader.require(hash, "audit_hash"))
    }

    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) {
        if key == "audit_entry" {
            entry = try reader.readUInt64()
        } else {
            hash = try reader.readBytes(key, count: AuditHead.hashSize)
        }
    }
}
