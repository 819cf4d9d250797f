import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// The journal of the outputs is written before anything is done, is read as it was written, and is refused when it is not
/// whole.
struct OutputsJournalTests {
    @Test("It comes before the drive that it is about, and is written only when something has changed")
    func first() {
        var bench = OutputsBench(["heater": .safe(.inactive)])
        bench.isPrompt = false
        bench.send("heater", .on)
        #expect(bench.deeds.first == "journal")
        #expect(bench.deeds.contains("drive"))
        #expect(bench.journal?.entries["heater"]?.claim.wanted == .active)
        #expect(bench.journal?.entries["heater"]?.onSince == bench.now)
        bench.handle(.tick)
        #expect(!bench.deeds.contains("journal"))
        bench.finish("heater")
        #expect(bench.deeds.first == "journal")
    }

    @Test("It is read as it was written, whatever is in it", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let journal = Self.random(using: &generator)
        let read = try #require(OutputJournal(text: journal.text))
        #expect(read == journal)
        #expect(read.text == journal.text)
        #expect(
            journal.text.split(separator: "\n").count == journal.entries.count + (journal.linkDownSince == nil ? 3 : 4))
    }

    @Test("It is small, and read again: as many outputs as a keeper holds, each with the longest names and a lease")
    func small() throws {
        let long = String(repeating: "x", count: 60)
        let ids = (0..<64).map { ComponentID(stringLiteral: "o\($0 < 10 ? "0" : "")\($0)\(long)") }
        var bench = OutputsBench(ids.reduce(into: [:]) { $0[$1] = .safe(.inactive) })
        for id in ids {
            let lease = Lease.held(.seconds(3_600), LeaseID(stringLiteral: long))
            #expect(bench.call(id, .on, lease: lease, by: .router(account: long))?.status == .done)
        }
        bench.handle(.link(isUp: false))
        let journal = try #require(bench.journal)
        #expect(journal.entries.count == 64)
        #expect(journal.entries.values.allSatisfy { $0.claim.holder != nil && $0.onSince != nil })
        #expect(journal.text.utf8.count < 65_536)
        #expect(OutputJournal(text: journal.text)?.text == journal.text)
    }

    @Test("What is cut off anywhere is refused", arguments: 0..<5 as Range<UInt64>)
    func truncated(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = Self.random(using: &generator).text
        for length in 0..<text.count {
            #expect(OutputJournal(text: String(text.prefix(length))) == nil, "\(length) of \(text.count) characters")
        }
    }

    @Test(
        "What is damaged is refused: nothing is known then",
        arguments: [
            ("outputs 2", "outputs 1"), ("boot 01", "boot 0x"), ("boot ", "root "), ("link-down 7", "link-down x"),
            ("wanted=active", "wanted=maybe"), ("wanted=active ", ""), ("cause=%41", "cause=%4"),
            ("cause=%41", "cause=%zz"),
            ("cause=%41", "cause"), ("lease=key", "lease="), ("end=70", "end=7o"), ("on=5", "on="), ("off=6", "off=-"),
            ("switches=3", "switches=3.5"), ("output heater", "output He\u{e4}ter"), ("output heater", "input heater"),
            ("output heater", "output"),
        ])
    func damaged(_ part: String, _ other: String) throws {
        let text = """
            m2m-agent outputs 2
            boot 01010101010101010101010101010101
            link-down 7
            output heater wanted=active cause=%41 who=anna lease=key holder=anna end=70 on=5 off=6 switches=3

            """
        #expect(OutputJournal(text: Self.sealed(text)) != nil)
        let range = try #require(text.firstRange(of: part))
        // However it came about: with a checksum that is right, and without.
        let damaged = text.replacingCharacters(in: range, with: other)
        #expect(OutputJournal(text: Self.sealed(damaged)) == nil)
        #expect(OutputJournal(text: Self.sealed(text).replacingCharacters(in: range, with: other)) == nil)
    }

    @Test("One character that is another one is found out, wherever it is") func oneCharacter() throws {
        var generator = SeededGenerator(seed: 3)
        let text = Self.random(using: &generator).text
        for index in text.indices {
            let other = text[index] == "1" ? "2" : "1"
            let damaged = text.replacingCharacters(in: index..<text.index(after: index), with: other)
            #expect(OutputJournal(text: damaged) == nil)
        }
    }

    /// The text with its last line.
    private static func sealed(_ body: String) -> String { "\(body)end \(Checksum.of(body).text)\n" }

    private static func random(using generator: inout SeededGenerator) -> OutputJournal {
        func some<Element>(_ elements: [Element]) -> Element {
            elements[Int.random(in: elements.indices, using: &generator)]
        }
        func time() -> MonotonicTime { MonotonicTime(nanoseconds: some([0, 1, 1_000_000_007, .max, -5])) }
        let words = ["", "anna", "a b", "100 %", "%41", "=", "end\nend\n", "\u{e4}\u{1F525}", "x=y z=%"]
        var journal = OutputJournal(boot: some([1, 2, 255]), linkDownSince: some([nil, time()]))
        for id in ["heater", "pump", "valve-2"] as [ComponentID] where some([true, true, false]) {
            var claim = Output.Claim(wanted: some([.active, .inactive]), cause: .before(some(words)))
            claim.who = some(words)
            claim.cameOverLink = some([true, false])
            claim.end = some([nil, time()])
            if some([true, false]) {
                claim.holder = Output.Holder(
                    lease: some(["key", "=%", "0"]), who: some(words), isRenewed: some([true, false]))
            }
            journal.entries[id] = OutputJournal.Entry(
                claim: claim, onSince: some([nil, time()]), offSince: some([nil, time()]),
                counters: OutputCounters(
                    switches: some([0, 3]), refusals: some([0, 1]), leaseEnds: some([0, 9]),
                    interventions: some([0, 2])))
        }
        return journal
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        var text = self
        text.replaceSubrange(range, with: other)
        return text
    }
}
