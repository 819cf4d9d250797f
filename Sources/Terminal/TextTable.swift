/// A table as a person likes to read it: columns as wide as they need to be.
public struct TextTable: Sendable {
    private let header: [String]
    private var rows: [[String]] = []

    /// A table without rows.
    ///
    /// - Parameter header: The names of the columns.
    public init(_ header: [String]) {
        self.header = header
    }

    /// Adds a row.
    public mutating func add(_ row: [String]) {
        rows.append(row)
    }

    /// Whether there are no rows.
    public var isEmpty: Bool { rows.isEmpty }

    /// The table, line by line; the header in faint letters where there are colours.
    public var lines: [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let lines = all.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [Style.faint.apply(lines[0])] + lines.dropFirst()
    }
}

/// How a word is set off on a terminal with colours; not at all elsewhere.
public enum Style: String, Sendable {
    /// Less important.
    case faint = "2"
    /// As it should be.
    case good = "32"
    /// To be looked at.
    case warning = "33"
    /// As it should not be.
    case bad = "31"

    /// Sets a text off.
    public func apply(_ text: String) -> String {
        Output.hasColours ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
