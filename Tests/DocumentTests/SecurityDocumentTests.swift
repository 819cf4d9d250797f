import Foundation
import TestSupport
import Testing

/// Docs/Security.md names tests that are there.
@Suite struct SecurityDocumentTests {
    @Test("Each test that is named as the one that shows something is there")
    func tests() throws {
        let text = try String(contentsOfFile: Repository.path("Docs/Security.md"), encoding: .utf8)
        let named = Set(text.matches(of: /`(\w+Tests)`/).map { String($0.1) })
        #expect(named.count > 50)
        let folder = Repository.path("Tests")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
        let sources = try files.map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
        let suites = Set(sources.flatMap { $0.matches(of: /struct (\w+Tests)\b/).map { String($0.1) } })
        #expect(named.subtracting(suites) == [], "these are named, and not there")
    }
}
