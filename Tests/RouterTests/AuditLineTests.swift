import DeviceModel
import Foundation
import Testing
import Wire

@testable import Router

/// Promise: there is one way to write an entry, and nothing else is read.
@Suite struct AuditLineTests {
    /// An entry with a quotation mark, a backslash and everything that may be there.
    private static let body =
        Array(
            #"{"seq":2,"time":"2026-11-22T13:41:00.123Z","account":"anna","id":7,"who":"a \"b\\c\" é","from":"10.0.0.1","#
                .utf8)
        + Array(#""act":"login-failed","what":"","result":"no","times":3,"until":"2026-11-22T13:42:00.123Z""#.utf8)

    @Test("An entry is written with its fields in their order, and read back")
    func form() throws {
        let entry = AuditEntry(
            time: AuditSample.time + .seconds(60), account: AuditEntry.Account(id: 7, name: "anna"), who: #"a "b\c" é"#,
            source: "10.0.0.1", act: .loginFailed, result: "no", times: 3, until: AuditSample.time + .seconds(120))
        #expect(AuditLine.body(entry, number: 2) == Self.body)
        let read = try #require(AuditLine.entry(Self.body[...]))
        #expect(read.number == 2)
        #expect(read.entry == entry)
    }

    @Test("A line is no longer than any can be")
    func longest() {
        let worst = String(repeating: "\"", count: 300)
        let entry = AuditEntry(
            time: AuditSample.time, account: AuditEntry.Account(id: .min, name: worst), who: worst, source: worst,
            act: AuditAct(rawValue: worst), object: worst, result: worst, times: .max, until: AuditSample.time)
        let line = AuditChain.line(entry, after: AuditHead(entry: .max - 1, hash: AuditHead.start.hash)).line
        #expect(line.count <= AuditLine.longest)
    }

    @Test("Every byte of an entry counts: without one of them, or with another, it is not the same entry")
    func bytes() {
        for index in Self.body.indices {
            var shorter = Self.body
            shorter.remove(at: index)
            if let read = AuditLine.entry(shorter[...]) {
                #expect(AuditLine.body(read.entry, number: read.number) == shorter)
            }
            for bit in 0..<8 {
                var other = Self.body
                other[index] ^= 1 << bit
                if let read = AuditLine.entry(other[...]) {
                    #expect(AuditLine.body(read.entry, number: read.number) == other, "byte \(index), bit \(bit)")
                }
            }
        }
    }

    @Test(
        "What is no entry is not read",
        arguments: [
            ("\"seq\":2", "\"seq\":02"), ("\"seq\":2", "\"seq\":+2"), ("\"seq\":2", "\"seq\":-2"),
            ("\"seq\":2", "\"seq\":99999999999999999999"), ("\"seq\":2", "\"seq\": 2"), ("\"seq\":2", "\"seq\":2.0"),
            ("11-22T13:41", "02-30T13:41"), ("T13:41", "T24:41"), ("2026-11", "9223372036854775807-11"),
            ("2026-11", "9999-11"), (".123Z", ".1230Z"),
            ("\"id\":7", "\"id\":null"), ("\"anna\"", "null"), ("\"anna\"", "nil"), ("\\\"b", "\\u0022b"),
            ("é", "\u{1}"), ("\"times\":3", "\"times\":"), ("Z\"", "Z\"}"), ("\"act\"", "\"Act\""),
        ])
    func others(part: String, other: String) throws {
        let text = String(decoding: Self.body, as: UTF8.self)
        let range = try #require(text.range(of: part))
        let changed = Array(text.replacingCharacters(in: range, with: other).utf8)
        #expect(AuditLine.entry(changed[...]) == nil)
    }

    @Test("Text that is no UTF-8 is not read")
    func encoding() throws {
        var body = Self.body
        body[try #require(body.firstIndex(of: 0xC3))] = 0xFF
        #expect(AuditLine.entry(body[...]) == nil)
    }

    @Test("A line's hash is read where 64 small hexadecimal digits are at its end, and nowhere else")
    func hash() throws {
        let hash = [UInt8](repeating: 0xAB, count: 32)
        let line = AuditLine.whole(Self.body, hash: hash).dropLast()
        let parts = try #require(AuditLine.parts(line))
        #expect(Array(parts.body) == Self.body)
        #expect(parts.hash == hash)
        #expect(AuditLine.head(line) == AuditHead(entry: 2, hash: hash))
        for index in line.indices.suffix(AuditLine.hashPartSize) {
            var other = line
            other[index] = other[index] == UInt8(ascii: "a") ? UInt8(ascii: "A") : UInt8(ascii: "?")
            #expect(AuditLine.parts(other) == nil, "\(index)")
        }
        #expect(AuditLine.parts([]) == nil)
        let long = AuditLine.whole([UInt8](repeating: 0x20, count: AuditLine.longest), hash: hash).dropLast()
        #expect(AuditLine.parts(long.suffix(AuditLine.longest)) != nil)
        #expect(AuditLine.parts(long.suffix(AuditLine.longest + 1)) == nil)
        #expect(AuditLine.parts(line.suffix(AuditLine.hashPartSize)) == nil)
    }

    @Test("The end of a log is written in so many bytes, and nothing else is read as one")
    func head() {
        let hash = [UInt8](repeating: 0xAB, count: 32)
        for number: UInt64 in [0, 1, 99, .max] {
            let head = AuditHead(entry: number, hash: hash)
            #expect(head.text.count == 86)
            #expect(AuditHead(text: head.text) == head)
        }
        let text = AuditHead(entry: 99, hash: hash).text
        for size in 0..<text.count { #expect(AuditHead(text: Array(text.prefix(size))) == nil) }
        for index in text.indices {
            var other = text
            other[index] = UInt8(ascii: "G")
            #expect(AuditHead(text: other) == nil)
        }
        #expect(AuditHead(text: text + [0x0A]) == nil)
        #expect(AuditHead(text: [UInt8](repeating: 0, count: 86)) == nil)
    }
}
