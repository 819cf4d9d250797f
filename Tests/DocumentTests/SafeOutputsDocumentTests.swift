import Foundation
import TestSupport
import Testing

/// Docs/SafeOutputs.md says of the keeper what is so: how long it is to read, and what a table looks like that it takes.
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
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try SimulatedKeeper.path)
        process.arguments = ["check", "--table", table]
        process.environment = ["M2M_FAKE_CHIPS": "pinctrl-bcm2711:28:GPIO%"]
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said.contains("GPIO5 (pinctrl-bcm2711 offset 5)"), "\(said)")
    }

    private func shownTable() throws -> String {
        let blocks = document.blocks.filter { $0.text.hasPrefix("m2m-keeper table ") }
        #expect(blocks.count == 1)
        return try #require(blocks.first).text + "\n"
    }
}
