import ConfigurationSchema

/// Takes lines that are no TOML out of a text, so that the rest can be read.
struct LineRepair {
    private var lines: [Substring]
    private var taken: Set<Int> = []

    /// No mistakes of one file need more tries.
    private static let limit = 100

    init(_ text: String) {
        // By scalars: as characters, "\r\n" is one that is no "\n".
        lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Substring.init)
    }

    /// The text without the lines that were taken out; all others keep their places.
    var text: String { lines.joined(separator: "\n") }

    /// Takes a line out.
    ///
    /// - Parameter number: The line, counted from 1.
    /// - Returns: The key that stood on it, if any; nil when nothing can be read by taking lines out.
    mutating func takeOut(line number: Int) -> String? {
        // A mistake is told where it was noticed: with nothing on that line it began before it.
        var index = min(number, lines.count) - 1
        while index >= 0, lines[index].allSatisfy(\.isWhitespace) { index -= 1 }
        guard index >= 0, taken.count < Self.limit, taken.insert(index).inserted else { return nil }
        let line = lines[index].drop(while: \.isWhitespace)
        // What followed a table's header has to stay out of the table before it.
        lines[index] = line.hasPrefix("[") ? "[\(Self.repaired(index))]" : ""
        let key = line.prefix { $0 != "=" }
        return String(key.reversed().drop(while: \.isWhitespace).reversed())
    }

    /// The table without those that stand for broken headers.
    func withoutRepairs(_ table: Table) -> Table {
        let names = Set(taken.map(Self.repaired))
        return Table(table.entries.filter { !names.contains($0.key) })
    }

    private static func repaired(_ index: Int) -> String { "repaired-line-\(index + 1)" }
}
