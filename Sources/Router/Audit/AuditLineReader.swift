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

extension WallTime {
    /// - Parameter text: A point as `rfc3339` writes it, in the years 1678 to 2261; nil for anything else.
    init?(rfc3339 text: String) {
        guard text.utf8.count == 24 else { return nil }  // so that no number in it is too big to be counted with
        let parts = text.utf8.split(whereSeparator: { !(0x30...0x39).contains($0) }).map { digits in
            digits.reduce(Int64(0)) { $0 &* 10 &+ Int64($1 - 0x30) }
        }
        guard parts.count == 7, (1678...2261).contains(parts[0]) else { return nil }
        // The proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
        let (year, month) = (parts[1] <= 2 ? parts[0] - 1 : parts[0], (parts[1] + 9) % 12)
        let (era, yearOfEra) = (year / 400, year % 400)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * month + 2) / 5 + parts[2] - 1
        let days = era * 146_097 + dayOfEra - 719_468  // days from 0000-03-01 to 1970-01-01
        let seconds = ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5]
        let (nanoseconds, overflow) = (seconds * 1_000 + parts[6]).multipliedReportingOverflow(by: 1_000_000)
        self.init(nanoseconds: nanoseconds)
        guard !overflow, rfc3339 == text else { return nil }
    }
}
