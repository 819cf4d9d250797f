import DeviceModel
import Wire

/// How an entry is written: one JSON object (RFC 8259) in a line, always with the same fields in the same order.
///
///     {"seq":1,"time":"2026-11-22T13:40:00.123Z","account":"anna","id":1,"who":"anna","from":"127.0.0.1",
///     "act":"login","what":"","result":"done","times":1,"until":null,"hash":"<64 digits>"}
///
/// The hash covers the bytes before `,"hash":`, which is why there is one way only to write an entry. A program that
/// reads JSON can read the file; nothing but this writes it.
enum AuditLine {
    /// No line is longer, without its line feed: texts are bounded, and at worst each of their bytes is escaped.
    static let longest = 4_096

    private static let beforeHash = Array(#","hash":""#.utf8)
    private static let afterHash = Array(#""}"#.utf8)
    /// How much of a line is its hash, and what is around it.
    static let hashPartSize = beforeHash.count + 2 * AuditHead.hashSize + afterHash.count

    // MARK: Writing

    /// An entry without its hash: what the hash covers.
    static func body(_ entry: AuditEntry, number: UInt64) -> [UInt8] {
        let name = entry.account.map { quoted($0.name) } ?? "null"
        let id = entry.account.map { String($0.id) } ?? "null"
        let until = entry.until.map { quoted($0.rfc3339) } ?? "null"
        let subject = #""account":\#(name),"id":\#(id),"who":\#(quoted(entry.who)),"from":\#(quoted(entry.source))"#
        let act = #""act":\#(quoted(entry.act.rawValue)),"what":\#(quoted(entry.object))"#
        let outcome = #""result":\#(quoted(entry.result)),"times":\#(entry.times),"until":\#(until)"#
        return Array(#"{"seq":\#(number),"time":\#(quoted(entry.time.rfc3339)),\#(subject),\#(act),\#(outcome)"#.utf8)
    }

    /// A whole line, with its line feed.
    static func whole(_ body: [UInt8], hash: [UInt8]) -> [UInt8] {
        body + beforeHash + hash.hexadecimal.utf8 + afterHash + [0x0A]
    }

    /// The texts of an entry have no control characters, so there are two characters only to escape.
    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C }) else { return "\"\(text)\"" }
        let escaped = text.utf8.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
        return "\"\(String(decoding: escaped, as: UTF8.self))\""
    }

    // MARK: Reading

    /// A line in its two parts.
    ///
    /// - Parameter line: A line without its line feed.
    /// - Returns: What the hash covers, and the hash; nil: the line does not end with a hash.
    static func parts(_ line: ArraySlice<UInt8>) -> (body: ArraySlice<UInt8>, hash: [UInt8])? {
        let body = line.dropLast(hashPartSize)
        let digits = line[body.endIndex...].dropFirst(beforeHash.count).dropLast(afterHash.count)
        guard (hashPartSize + 1...longest).contains(line.count), line[body.endIndex...].starts(with: beforeHash),
            line.suffix(afterHash.count).elementsEqual(afterHash), let hash = bytes(digits)
        else { return nil }
        return (body, hash)
    }

    /// The bytes that hexadecimal digits mean; nil: there are others among them, or capital ones.
    ///
    /// It is half the work of reading a long log, which is why it is done here and not by way of a text.
    private static func bytes(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var (bytes, high): ([UInt8], UInt8?) = ([], nil)
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x61...0x66: value = digit - 0x61 + 10
            default: return nil
            }
            if let before = high { bytes.append(before << 4 | value) }
            high = high == nil ? value : nil
        }
        return bytes
    }

    /// The entry before a hash, and its number; nil: it is not written as an entry is.
    static func entry(_ body: ArraySlice<UInt8>) -> (number: UInt64, entry: AuditEntry)? {
        var reader = AuditLineReader(body)
        guard let number = reader.number(UInt64.self, after: #"{"seq":"#),
            let time = reader.text(after: #","time":"#).flatMap(WallTime.init(rfc3339:)),
            let account = reader.nullable(after: #","account":"#, { $0.text(after: "") }),
            let id = reader.nullable(after: #","id":"#, { $0.number(Int64.self, after: "") }),
            (account == nil) == (id == nil),
            let who = reader.text(after: #","who":"#), let source = reader.text(after: #","from":"#),
            let act = reader.text(after: #","act":"#), let object = reader.text(after: #","what":"#),
            let result = reader.text(after: #","result":"#), let times = reader.number(Int.self, after: #","times":"#),
            let until = reader.nullable(after: #","until":"#, { $0.text(after: "").flatMap(WallTime.init(rfc3339:)) }),
            reader.isAtEnd
        else { return nil }
        let entry = AuditEntry(
            time: time, account: id.flatMap { id in account.map { AuditEntry.Account(id: id, name: $0) } }, who: who,
            source: source, act: AuditAct(rawValue: act), object: object, result: result, times: times, until: until)
        return (number, entry)
    }

    /// The number and the hash that stand in a line; nil: it is not written as a line is.
    static func head(_ line: ArraySlice<UInt8>) -> AuditHead? {
        guard let (body, hash) = parts(line) else { return nil }
        var reader = AuditLineReader(body)
        return reader.number(UInt64.self, after: #"{"seq":"#).map { AuditHead(entry: $0, hash: hash) }
    }
}
