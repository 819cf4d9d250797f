import Foundation
import TestSupport

/// A file of the repository, line by line.
struct SourceFile {
    /// Its path in the repository.
    let path: String
    let lines: [Substring]

    /// The modules that it imports.
    var imports: Set<String> { Set(lines.compactMap(Self.module)) }

    /// Reads the line of an import.
    ///
    /// - Parameter line: Such as `@testable import Link`, `public import NIOCore` or `import struct NIOCore.ByteBuffer`.
    /// - Returns: The module; nil for a line that is no import.
    static func module(_ line: Substring) -> String? {
        var words = line.split(separator: " ")[...]
        let before: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
        while let word = words.first, word.hasPrefix("@") || before.contains(word) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        if let word = words.first, kinds.contains(word) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    /// The Swift files of a folder, but for those of some folders in it.
    static func all(in folder: String, excluding excluded: [String] = []) throws -> [SourceFile] {
        let start = URL(fileURLWithPath: Repository.path(folder))
        guard let names = FileManager.default.enumerator(atPath: start.path) else { return [] }
        return try names.compactMap { $0 as? String }
            .filter { name in name.hasSuffix(".swift") && !excluded.contains { name.hasPrefix("\($0)/") } }
            .sorted()
            .map { name in
                let text = try String(contentsOf: start.appendingPathComponent(name), encoding: .utf8)
                return SourceFile(
                    path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
    }
}
