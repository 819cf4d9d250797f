import Foundation
import TestSupport
import Testing

/// Docs/Operations.md tells what each line of the logs means.
@Suite struct OperationsDocumentTests {
    /// What the programs log, up to where it is put together; without what they only print.
    private func logged() throws -> Set<String> {
        let files = try #require(FileManager.default.enumerator(atPath: Repository.path("Sources")))
        let call = #/logger\.(?:info|notice|warning|error|critical)\(\s*"((?:[^"\\]|\\\\)*)/#
        let incident = #/Incident\(\s*logger,\s*"([^"\\]*)",\s*over:\s*"([^"\\]*)"/#
        var lines: Set<String> = []
        for case let file as String in files where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: Repository.path("Sources/\(file)"), encoding: .utf8)
            for match in text.matches(of: call) { lines.insert(String(match.1)) }
            for match in text.matches(of: incident) { lines.formUnion([String(match.1), String(match.2)]) }
        }
        return lines.subtracting([""])
    }

    @Test("each line that a program logs is explained, and each that is explained is logged")
    func complete() throws {
        let rows = try #require(try Document("Docs/Operations.md").tables["log"])
        let explained = rows.map { String($0[0].dropFirst().prefix { $0 != "…" && $0 != "`" }) }
        let logged = try logged()
        #expect(logged.count > 40)
        for line in logged {
            #expect(explained.contains { line == $0 || !$0.isEmpty && line.hasPrefix($0) }, "\(line) is not explained")
        }
        for line in explained {
            #expect(logged.contains { $0.hasPrefix(line) || line.hasPrefix($0) }, "nothing logs \(line)")
        }
    }

    @Test("the files of a backup are those that Docs/Security.md knows")
    func backup() throws {
        let security = try Document("Docs/Security.md").lines.joined(separator: "\n")
        for file in ["router.db", "audit.log", "audit.head", "pepper", "tls/ca.key"] {
            #expect(security.contains("`\(file)`"), "\(file)")
        }
    }
}
