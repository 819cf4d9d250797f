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
        let widths = header.indices.map { column in all.map { $0[column].places }.max() ?? 0 }
        let lines = all.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.places) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [Style.faint.apply(lines[0])] + lines.dropFirst()
    }
}

extension String {
    /// How many places it takes on a terminal: colours take none, ideographs and pictures two.
    var places: Int {
        var places = 0
        var isEscape = false
        for character in self {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { places += character.unicodeScalars.contains(where: \.isWide) ? 2 : 1 }
            if isEscape, character == "m" { isEscape = false }
        }
        return places
    }
}

extension Unicode.Scalar {
    /// Whether it is wide or full-width (Unicode Standard Annex #11), by the blocks that people use.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

/// How a word is set off on a terminal with colours; not at all elsewhere.
public enum Style: String, CaseIterable, Sendable {
    /// Less important.
    case faint = "2"
    /// As it should be.
    case good = "32"
    /// To be looked at.
    case warning = "33"
    /// As it should not be.
    case bad = "31"

    /// How long an escape sequence of a style is with which a text begins; nil: it begins with none.
    static func escape(in text: Substring.UnicodeScalarView) -> Int? {
        let end = text.prefix(6).firstIndex(of: "m")
        guard text.first == "\u{1B}", text.dropFirst().first == "[", let end else { return nil }
        let digits = text[..<end].dropFirst(2)
        // No other: a device's words could hide themselves, or what follows them.
        guard
            digits.elementsEqual("0".unicodeScalars)
                || allCases.contains(where: { digits.elementsEqual($0.rawValue.unicodeScalars) })
        else { return nil }
        return digits.count + 3
    }

    /// Sets a text off.
    public func apply(_ text: String) -> String {
        Output.hasColours ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
