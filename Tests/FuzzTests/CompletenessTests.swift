import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Promise: nothing of Sources/Wire is read that is not fuzzed.
@Suite struct CompletenessTests {
    private let found: Set<String>

    init() throws {
        let folder = URL(fileURLWithPath: Repository.path("Sources/Wire"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        found = try names.reduce(into: []) { found, name in
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            found.formUnion(Self.messages(in: text))
            found.formUnion(Self.readers(in: text))
        }
    }

    @Test("Every type that is read from bytes has a target, and every target its type")
    func everyType() {
        let covered = FuzzTarget.all.reduce(into: Set<String>()) { $0.formUnion($1.types) }
        #expect(found.count > 30)
        #expect(found.subtracting(covered) == [], "add a target to Tests/FuzzTargets and a folder to Tests/Corpus")
        #expect(covered.subtracting(found) == [], "a target for what is not there any more")
    }

    @Test("A new message would be found, wherever it says that it is one")
    func notices() {
        let text = """
            public struct One: Message {
            struct Two: Sendable, EmptyMessage {}
            extension Three: Hashable,
                Message
            {
            public protocol Four: Message {
            struct Five { var body: Message }
            extension Six {
                public init?(in envelope: Envelope) throws(WireError) {
            private struct Seven {
                init(from reader: inout MessagePackReader) throws(WireError) {
            extension Eight {
                fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
            """
        #expect(Self.messages(in: text) == ["One", "Two", "Three"])
        #expect(Self.readers(in: text) == ["Six"])
    }

    /// The types that say that they are messages.
    private static func messages(in text: String) -> Set<String> {
        let declaration = /(?:struct|enum|class|extension)\s+(\w+)\s*:([^{]*)\{/
        let types = text.matches(of: declaration).filter { match in
            match.2.split { $0 == "," || $0.isWhitespace }.contains { $0 == "Message" || $0 == "EmptyMessage" }
        }
        return Set(types.map { String($0.1) })
    }

    /// The types that can be made of bytes or of a text, but for those that are private, and for the mere fields of
    /// others.
    private static func readers(in text: String) -> Set<String> {
        var readers: Set<String> = []
        var type: Substring?
        for line in text.split(separator: "\n") {
            if let match = line.prefixMatch(of: /(?:(?:public|package|final) )*(?:struct|enum|class|extension) (\w+)/) {
                type = match.1
            } else if line.first?.isLetter == true {
                type = nil
            }
            let reader = /^    (?:public |package )?init\??\((?:from reader|in envelope|decoding bytes|_ text)\b/
            if let type, !type.hasSuffix("Fields"), type != "EmptyMessage", line.contains(reader) {
                readers.insert(String(type))
            }
        }
        return readers
    }
}
