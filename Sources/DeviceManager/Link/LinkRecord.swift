import DeviceModel
import Wire

/// What a device remembers from one connection to the next, so that a copy of its key, or a router whose audit log was
/// cut, is noticed.
struct LinkRecord: Hashable {
    /// How often the device has connected.
    var connects: UInt64 = 0
    /// The end of the router's audit log, as the device was told of it last.
    var auditHead: AuditHead?

    /// - Parameter text: The text of a file; nil for any other text.
    init?(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch (words.first, words.count) {
            case ("connects", 2):
                guard let count = UInt64(words[1]) else { return nil }
                connects = count
            case ("audit", 3):
                guard let entry = UInt64(words[1]), let hash = [UInt8](hexadecimal: words[2]),
                    hash.count == AuditHead.hashSize
                else { return nil }
                auditHead = entry == 0 ? nil : AuditHead(entry: entry, hash: hash)
            case ("end", 1): return
            default: return nil
            }
        }
        return nil  // without its last line it was cut
    }

    init() {}

    /// The text of its file: always of one length, so that it can be written over where the disk has no room.
    var text: String {
        let head = auditHead ?? AuditHead(entry: 0, hash: [UInt8](repeating: 0, count: AuditHead.hashSize))
        return "connects \(connects.padded(to: 20))\naudit \(head.entry.padded(to: 20)) \(head.hash.hexadecimal)\nend\n"
    }
}
