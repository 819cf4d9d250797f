import DeviceModel
import Wire

extension AuditHead {
    /// The end of a log without entries.
    static let start = AuditHead(entry: 0, hash: [UInt8](repeating: 0, count: hashSize))

    /// The end as it stands in `audit.head`: always as many bytes, so that the next one written in place leaves nothing
    /// of it.
    var text: [UInt8] {
        Array("\(entry.padded(to: Self.numberSize)) \(hash.hexadecimal)\n".utf8)
    }

    /// The digits of the greatest number.
    private static let numberSize = String(UInt64.max).count

    /// - Parameter text: What stands in `audit.head`; nil: it is no end of a log.
    init?(text: [UInt8]) {
        let words = String(decoding: text, as: UTF8.self).dropLast().split(separator: " ")
        guard words.count == 2, let entry = UInt64(words[0]), let hash = [UInt8](hexadecimal: words[1]) else {
            return nil
        }
        self.init(entry: entry, hash: hash)
        guard self.text == text, hash.count == Self.hashSize else { return nil }
    }
}
