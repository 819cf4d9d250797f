import DeviceModel
import TestSupport
import Testing

@testable import Router

/// Promise: whatever somebody types, an entry is bounded, does nothing to a terminal, and is read back as it was written.
@Suite struct AuditEntryTests {
    /// Writes an entry and reads it again.
    private func readBack(_ entry: AuditEntry) -> AuditEntry? {
        AuditLine.entry(AuditLine.body(entry, number: 1)[...])?.entry
    }

    @Test("A name as a stranger typed it is cut to 96 bytes, and what is longer to 256")
    func bounds() {
        let long = String(repeating: "ä", count: 500)
        let entry = AuditEntry(
            time: AuditSample.time, who: long, source: long, act: .loginFailed, object: long, result: long)
        // 46 times two bytes and three for the sign are 95: one byte more would be half an ä.
        #expect(entry.who == String(repeating: "ä", count: 46) + "…")
        #expect(entry.source == entry.who)
        #expect(entry.object.utf8.count == 255)
        #expect(entry.result == entry.object)
        #expect(readBack(entry) == entry)
    }

    @Test(
        "Control characters, also those that turn the direction of writing, are written out",
        arguments: [
            ("\u{1b}[2Jroot", #"\u{1b}[2Jroot"#), ("a\nb", #"a\u{a}b"#), ("\u{0}", #"\u{0}"#), ("\u{7f}", #"\u{7f}"#),
            ("\u{9b}31m", #"\u{9b}31m"#), ("a\u{202e}nna", #"a\u{202e}nna"#), ("a\u{2028}b", #"a\u{2028}b"#),
            ("\r\n", #"\u{d}\u{a}"#), ("Ève 🌱", "Ève 🌱"), ("", ""),
        ])
    func harmless(typed: String, kept: String) {
        let entry = AuditEntry(time: AuditSample.time, who: typed, source: "here", act: .loginFailed)
        #expect(entry.who == kept)
        #expect(readBack(entry) == entry)
    }

    @Test("A character that is written out is there wholly or not at all")
    func wholly() {
        #expect((String(repeating: "x", count: 60) + "\u{1b}").auditText(64) == String(repeating: "x", count: 60) + "…")
        #expect((String(repeating: "x", count: 58) + "\u{1b}").auditText(64).hasSuffix(#"x\u{1b}"#))
        #expect(String(repeating: "x", count: 64).auditText(64) == String(repeating: "x", count: 64))
        #expect(String(repeating: "x", count: 65).auditText(64) == String(repeating: "x", count: 61) + "…")
    }

    @Test("A text that has been cut and written out once is not changed by it again")
    func twice() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let scalars = (0..<Int.random(in: 0...90, using: &generator)).map { _ in
                let ranges: [ClosedRange<UInt32>] = [0...0x7F, 0x80...0x2FF, 0x2000...0x206F, 0x1F300...0x1F3FF]
                return Unicode.Scalar(
                    UInt32.random(in: ranges[Int.random(in: 0...3, using: &generator)], using: &generator))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars.compactMap(\.self))
            let once = text.auditText(64)
            #expect(once.utf8.count <= 64)
            #expect(Array(once.auditText(64).utf8) == Array(once.utf8))
            let entry = AuditEntry(
                time: AuditSample.time, who: text, source: text, act: .login, object: text, result: text)
            #expect(readBack(entry) == entry)
        }
    }

    @Test("Every field is read back, and times to the millisecond before")
    func fields() {
        let later = WallTime(nanoseconds: AuditSample.time.nanoseconds + 61_999_999)
        let entry = AuditEntry(
            time: later, account: AuditEntry.Account(id: .min, name: "anna"), who: #""a\b""#, source: "::1",
            act: AuditAct(rawValue: "of-a-later-version"), object: #"greenhouse/heater on note="\" "#,
            result: "refused",
            times: .max, until: later + .seconds(60))
        #expect(entry.time == AuditSample.time + .milliseconds(61))
        #expect(readBack(entry) == entry)
    }

    @Test("However wrong the clock is, its time is read back", arguments: [.min, -1, 0, 1, 999_999, .max] as [Int64])
    func clocks(nanoseconds: Int64) {
        let time = WallTime(nanoseconds: nanoseconds)
        let entry = AuditEntry(time: time, who: "a", source: "b", act: .routerStarted, until: time)
        #expect(readBack(entry) == entry)
        let difference = time.nanoseconds - entry.time.nanoseconds
        if nanoseconds.magnitude < 1_000_000_000 { #expect((0..<1_000_000).contains(difference)) }
    }

    @Test("An entry that happened less than once happened once")
    func times() {
        #expect(AuditEntry(time: AuditSample.time, who: "a", source: "b", act: .login, times: 0).times == 1)
    }
}
