import CTOML
import ConfigurationSchema

/// Builds the tree of a TOML text from what toml++ tells of it.
final class TreeBuilder {
    /// Why a text is no TOML.
    struct SyntaxError: Error {
        var position: Position
        var words: String
    }

    /// A table or a list that has begun and not ended yet.
    ///
    /// What it holds grows where it is: a copy for each new value would take hours for a long list.
    private struct Frame {
        var key: (name: String, position: Position)?
        var position: Position
        var isTable: Bool
        var entries: [Table.Entry] = []
        var elements: [Node] = []
    }

    private var frames = [Frame(key: nil, position: Position(line: 1, column: 1), isTable: true)]

    /// The tree of a text.
    static func build(_ text: String) -> Result<Table, SyntaxError> {
        let builder = TreeBuilder()
        var error = ctoml_error()
        var visitor = Self.visitor
        var text = text
        let isTOML = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                withExtendedLifetime(builder) {
                    let context = Unmanaged.passUnretained(builder).toOpaque()
                    return ctoml_walk(characters.baseAddress, characters.count, &visitor, context, &error)
                }
            }
        }
        guard isTOML else {
            return .failure(SyntaxError(position: Position(error.position), words: words(of: error)))
        }
        return .success(Table(builder.frames[0].entries))
    }

    // MARK: Told by the walk

    private func add(_ value: Node.Value, _ key: ctoml_key, _ at: ctoml_position) {
        let name = key.text.map { _ in (Self.text(key), Position(key.position)) }
        append(Node(value, at: Position(at)), name)
    }

    private func append(_ node: Node, _ key: (name: String, position: Position)?) {
        let last = frames.count - 1
        if !frames[last].isTable {
            frames[last].elements.append(node)
        } else if let key {
            frames[last].entries.append(Table.Entry(key: key.name, position: key.position, node: node))
        }
    }

    private func begin(isTable: Bool, _ key: ctoml_key, _ at: ctoml_position) {
        let name = key.text.map { _ in (Self.text(key), Position(key.position)) }
        frames.append(Frame(key: name, position: Position(at), isTable: isTable))
    }

    private func end() {
        let frame = frames.removeLast()
        let value: Node.Value = frame.isTable ? .table(Table(frame.entries)) : .array(frame.elements)
        append(Node(value, at: frame.position), frame.key)
    }

    // MARK: C

    private static func of(_ context: UnsafeMutableRawPointer?) -> TreeBuilder {
        guard let context else { preconditionFailure("the walk hands back the context that it was given") }
        return Unmanaged<TreeBuilder>.fromOpaque(context).takeUnretainedValue()
    }

    private static let visitor = ctoml_visitor(
        begin_table: { of($0).begin(isTable: true, $1, $2) },
        end_table: { of($0).end() },
        begin_array: { of($0).begin(isTable: false, $1, $2) },
        end_array: { of($0).end() },
        string: { of($0).add(.string(text($3, $4)), $1, $2) },
        integer: { of($0).add(.integer($3), $1, $2) },
        floating: { of($0).add(.number($3), $1, $2) },
        boolean: { of($0).add(.boolean($3), $1, $2) },
        date: { of($0).add(.date, $1, $2) })

    private static func text(_ key: ctoml_key) -> String { text(key.text, key.count) }

    private static func text(_ characters: UnsafePointer<CChar>?, _ count: Int) -> String {
        UnsafeBufferPointer(start: characters, count: count).withMemoryRebound(to: UInt8.self) {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The parser's words without its own beginning, `Error while parsing …: `.
    private static func words(of error: ctoml_error) -> String {
        let whole = withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard whole.hasPrefix("Error while parsing "), let colon = whole.firstIndex(of: ":") else { return whole }
        return String(whole[whole.index(after: colon)...].drop(while: \.isWhitespace))
    }
}

extension Position {
    fileprivate init(_ position: ctoml_position) {
        self.init(line: Int(position.line), column: Int(position.column))
    }
}
