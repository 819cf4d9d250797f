import Foundation
import TestSupport
import Testing

/// Docs/SafeOutputs.md says what is so: how long the keeper is to read, what a table looks like that it takes, and what
/// the agent prints for the firmware.
@Suite struct SafeOutputsDocumentTests {
    private let document: Document

    init() throws {
        document = try Document("Docs/SafeOutputs.md")
    }

    @Test("the keeper is shorter than the document says")
    func length() throws {
        let words = document.lines.joined(separator: " ")
        let match = try #require(words.firstMatch(of: /`Sources\/m2m-keeper` is less than ([0-9]+) lines of C/))
        let limit = try #require(Int(match.1))
        let folder = Repository.path("Sources/m2m-keeper")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".c") || $0.hasSuffix(".h") }
        #expect(files.contains("main.c"))
        #expect(files.contains("protocol/keeper_protocol.h"))
        let length = try files.map { try Document("Sources/m2m-keeper/\($0)").lines.count - 1 }.reduce(0, +)
        #expect(length < limit, "\(length) lines")
    }

    @Test("the table that it shows is whole: its checksum is the one that its text explains")
    func checksum() throws {
        let table = try shownTable()
        let lines = table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let end = try #require(lines.dropLast().last)
        let before = lines.dropLast(2).map { "\($0)\n" }.joined()
        // FNV-1a with 64 bits, by its definition, and not by the code under test.
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in before.utf8 { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let outputs = lines.filter { $0.hasPrefix("output ") }.count
        #expect(end == "end \(outputs) \(String(format: "%016lx", sum))")
    }

    @Test("the table that it shows is one that the keeper takes", .timeLimit(.minutes(1)))
    func taken() throws {
        let folder = try TemporaryDirectory()
        let table = try folder.write("outputs.table", try shownTable())
        let check = try Run(
            Made.simulatedKeeper.path, ["check", "--table", table],
            environment: ["M2M_FAKE_CHIPS": "pinctrl-bcm2711:28:GPIO%"])
        #expect(check.status == 0, "\(check.said)")
        #expect(check.said.contains("GPIO5 (pinctrl-bcm2711 offset 5)"), "\(check.said)")
    }

    @Test("it shows what `m2m-agent config-txt` prints for the configuration that it names", .timeLimit(.minutes(1)))
    func configText() throws {
        let blocks = document.blocks
        let index = try #require(blocks.firstIndex { $0.text.hasPrefix("m2m-agent config-txt --config ") })
        let shown = try #require(blocks.dropFirst(index + 1).first).text
        // The document's reader stands in the repository's folder.
        let script = "PATH='\(Built.folder)' && cd '\(Repository.path(""))' && \(blocks[index].text)"
        let printed = try Run("/bin/sh", ["-c", script])
        #expect(printed.status == 0, "\(printed.said)")
        #expect(printed.said == shown + "\n")
        #expect(shown.split(separator: "\n").filter { $0.hasPrefix("gpio=") }.count == 1)
    }

    private func shownTable() throws -> String {
        let blocks = document.blocks.filter { $0.text.hasPrefix("m2m-keeper table ") }
        #expect(blocks.count == 1)
        return try #require(blocks.first).text + "\n"
    }
}
