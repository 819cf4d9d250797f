import DeviceModel
import Glibc

/// Reads the fields of a line of the audit log, one after the other, written as ``AuditLine`` writes them and not
/// otherwise.
struct AuditLineReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { rest.isEmpty }

    /// A whole number.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type, after field: StaticString) -> Number? {
        guard skip(field) else { return nil }
        let digits = rest.prefix { (0x30...0x39).contains($0) || $0 == 0x2D }
        let text = String(decoding: digits, as: UTF8.self)
        guard let number = Number(text), String(number) == text else { return nil }
        rest = rest[digits.endIndex...]
        return number
    }

    /// A text.
    mutating func text(after field: StaticString) -> String? {
        guard skip(field), skip("\"") else { return nil }
        var bytes: [UInt8] = []
        while let end = rest.firstIndex(where: { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }) {
            bytes += rest[..<end]
            let byte = rest[end]
            rest = rest[(end + 1)...]
            if byte == 0x22 {
                // A text that would do something to a terminal was never written like that.
                return String(validating: bytes, as: UTF8.self).flatMap { $0.auditText(.max) == $0 ? $0 : nil }
            }
            guard byte == 0x5C, let escaped = rest.popFirst(), escaped == 0x22 || escaped == 0x5C else { return nil }
            bytes.append(escaped)
        }
        return nil
    }

    /// Something, or nothing.
    ///
    /// - Returns: nil: it is neither written.
    mutating func nullable<Value>(
        after field: StaticString, _ read: (inout AuditLineReader) -> Value?
    ) -> Value?? {
        guard skip(field) else { return nil }
        if skip("null") { return .some(nil) }
        return read(&self).map { .some($0) }
    }

    private mutating func skip(_ words: StaticString) -> Bool {
        words.withUTF8Buffer { words in
            guard let expected = words.baseAddress, !words.isEmpty else { return true }
            let isThere = rest.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, bytes.count >= words.count else { return false }
                return memcmp(start, expected, words.count) == 0
            }
            if isThere { rest = rest.dropFirst(words.count) }
            return isThere
        }
    }
}
