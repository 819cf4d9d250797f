import Foundation
import TestSupport

/// A document of the repository, with what in it can be compared with the code.
struct Document {
    let lines: [String]

    /// Reads a document, such as `Docs/Protocol.md`.
    init(_ path: String) throws {
        let text = try String(contentsOfFile: Repository.path(path), encoding: .utf8)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// A fenced block: what follows its first three backticks, its text, and the comment `<!-- example: NAME -->` before
    /// it.
    ///
    /// What stands before the fence in its line, because the block is part of a list, is no part of the text.
    struct Block {
        let kind: String
        let name: String?
        let text: String
        let line: Int
    }

    /// All fenced blocks.
    var blocks: [Block] {
        var blocks: [Block] = []
        var open: (kind: String, line: Int, indentation: Int)?
        var text: [String] = []
        for (index, line) in lines.enumerated() {
            let indentation = line.prefix { $0 == " " }.count
            guard line.dropFirst(indentation).hasPrefix("```") else {
                text.append(String(line.dropFirst(min(indentation, open?.indentation ?? 0))))
                continue
            }
            if let (kind, start, _) = open {
                let name = start == 0 ? nil : Self.comment("example", in: lines[start - 1])
                blocks.append(Block(kind: kind, name: name, text: text.joined(separator: "\n"), line: start + 1))
                open = nil
            } else {
                open = (String(line.dropFirst(indentation + 3)), index, indentation)
            }
            text = []
        }
        return blocks
    }

    /// The table after each comment `<!-- schema: NAME -->`, by its name: rows of cells, without the header.
    var tables: [String: [[String]]] {
        var tables: [String: [[String]]] = [:]
        for (index, line) in lines.enumerated() {
            guard let name = Self.comment("schema", in: line) else { continue }
            let rows = lines[(index + 1)...].drop { $0.isEmpty }.prefix { $0.hasPrefix("|") }.dropFirst(2)
            tables[name] = rows.map { row in
                row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            }
        }
        return tables
    }

    private static func comment(_ kind: String, in line: String) -> String? {
        let (before, after) = ("<!-- \(kind): ", " -->")
        guard line.hasPrefix(before), line.hasSuffix(after) else { return nil }
        return String(line.dropFirst(before.count).dropLast(after.count))
    }
}
