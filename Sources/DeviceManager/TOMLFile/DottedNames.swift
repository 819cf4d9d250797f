/// Finds a name with too many parts before toml++ does: that limits how deeply lists and tables are nested, but follows
/// the dots of names until the stack ends.
///
/// It understands as much of TOML 1.0 as it takes to tell a dot between two parts of a name from one in a text or a
/// comment, and counts the dots on the whole way to a value: `a.b = { c.d = 1 }` has two. Behind the first mistake of a
/// text it may be wrong; there toml++ has ended, too.
struct DottedNames {
    /// How many dots there may be on the way to a value.
    static let limit = 256

    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var line = 1
    private var dots = 0
    /// How many dots there were where each list or table that is open began.
    private var outer: [Int] = []

    private init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
    }

    /// The first line on which a name has too many parts.
    ///
    /// - Parameter text: The text.
    /// - Returns: The line, counted from 1; nil: there is none.
    static func tooMany(in text: String) -> Int? {
        var text = text
        return text.withUTF8 { utf8 in
            var names = DottedNames(utf8)
            return names.find()
        }
    }

    private mutating func find() -> Int? {
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                if outer.isEmpty { dots = 0 }
            case UInt8(ascii: "#"):
                while let byte = next, byte != UInt8(ascii: "\n") { index += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"): passText(byte)
            case UInt8(ascii: "["), UInt8(ascii: "{"): outer.append(dots)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): dots = outer.popLast() ?? 0
            case UInt8(ascii: ","): dots = outer.last ?? 0
            case UInt8(ascii: "."):
                dots += 1
                if dots > Self.limit { return line }
            default: break
            }
        }
        return nil
    }

    /// Passes over a text, of whose quotes the first is gone already.
    private mutating func passText(_ quote: UInt8) {
        let isLong = areNext(2, quote)
        if isLong { index += 2 }
        while let byte = next {
            if byte == UInt8(ascii: "\n"), !isLong { return }  // a mistake, and the end of the line all the same
            index += 1
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            // Only texts in double quotes have escapes.
            case UInt8(ascii: "\\") where quote == UInt8(ascii: "\"") && next != UInt8(ascii: "\n"): index += 1
            case quote where !isLong: return
            case quote where areNext(2, quote):
                index += 2
                // Up to two quotes before the last three belong to the text.
                for _ in 0..<2 where next == quote { index += 1 }
                return
            default: break
            }
        }
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private func areNext(_ count: Int, _ byte: UInt8) -> Bool {
        text[min(index, text.count)...].prefix(count).elementsEqual(repeatElement(byte, count: count))
    }
}
