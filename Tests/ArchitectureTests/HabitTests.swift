import Testing

/// Habits of this house that a machine can see.
@Suite struct HabitTests {
    private let files: [SourceFile]

    init() throws {
        files = try SourceFile.all(in: "Sources") + SourceFile.all(in: "Tests")
    }

    @Test("no file is longer than 400 lines")
    func length() {
        #expect(files.count > 200)
        for file in files { #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count - 1) lines") }
    }

    @Test("what could hide an error says on its line why it does not")
    func safety() {
        let risky = [
            " try?", "(try?", " try!", "(try!", "fatalError(", " as! ", "@unchecked Sendable", "nonisolated(unsafe)",
        ]
        for file in files where file.path.hasPrefix("Sources/") {
            for (index, line) in file.lines.enumerated() where risky.contains(where: { line.contains($0) }) {
                #expect(line.contains("// safe: "), "\(file.path):\(index + 1)")
            }
        }
    }

    @Test("no program connects without TLS but the one for test suites")
    func plain() {
        for file in files where file.path.hasPrefix("Sources/") {
            for (index, line) in file.lines.enumerated() {
                #expect(!line.contains("trust: nil"), "\(file.path):\(index + 1)")
            }
        }
    }

    @Test("tests do not sleep")
    func sleep() {
        let sleepers = ["Task." + "sleep", "Thread." + "sleep", "u" + "sleep("]
        for file in files where file.path.hasPrefix("Tests/") {
            for (index, line) in file.lines.enumerated() {
                #expect(!sleepers.contains { line.contains($0) }, "\(file.path):\(index + 1)")
            }
        }
    }

    @Test(
        "imports are recognised",
        arguments: [
            ("import Link", "Link"), ("@testable import Link", "Link"), ("public import NIOCore", "NIOCore"),
            ("@preconcurrency internal import Dispatch", "Dispatch"), ("import struct NIOCore.ByteBuffer", "NIOCore"),
            ("let import = 1", nil), ("// import Link", nil),
        ] as [(String, String?)])
    func imports(line: String, module: String?) {
        #expect(SourceFile.module(line[...]) == module)
    }
}
