/// A place in a configuration file; lines and columns count from 1.
public struct Position: Hashable, Comparable, Sendable {
    /// The line.
    public var line: Int
    /// The column, in characters.
    public var column: Int

    /// A place in a file.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// In the order of reading.
    public static func < (one: Self, other: Self) -> Bool {
        (one.line, one.column) < (other.line, other.column)
    }
}

/// One value of a configuration file, and where it stands.
public struct Node: Hashable, Sendable {
    /// Where the value begins.
    public var position: Position
    /// The value.
    public var value: Value

    /// What a file can hold.
    public enum Value: Hashable, Sendable {
        /// A text.
        case string(String)
        /// A whole number.
        case integer(Int64)
        /// A number.
        case number(Double)
        /// Yes or no.
        case boolean(Bool)
        /// A date or a time of day. No key of ours takes one.
        case date
        /// A list.
        case array([Node])
        /// A table.
        case table(Table)
    }

    /// A value at a place.
    public init(_ value: Value, at position: Position) {
        self.position = position
        self.value = value
    }

    /// What the value is, for messages: `the number 2`.
    public var words: String {
        switch value {
        case .string(let text): "the text \"\(text)\""
        case .integer(let number): "the number \(number)"
        case .number(let number): "the number \(number)"
        case .boolean(let boolean): boolean ? "true" : "false"
        case .date: "a date"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// The keys of a table in the order of the file, with the place of each.
public struct Table: Hashable, Sendable {
    /// One key and its value.
    public struct Entry: Hashable, Sendable {
        /// The key.
        public var key: String
        /// Where the key begins.
        public var position: Position
        /// Its value.
        public var node: Node

        /// A key and its value.
        public init(key: String, position: Position, node: Node) {
            self.key = key
            self.position = position
            self.node = node
        }
    }

    /// The keys and their values.
    public var entries: [Entry]

    /// A table of these entries; the keys are unique.
    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// The entry of a key, if there is one.
    public subscript(_ key: String) -> Entry? {
        entries.first { $0.key == key }
    }
}

extension Node.Value {
    /// The value in one text, the same wherever it stands and in whatever order its keys are.
    public var canonical: String {
        switch self {
        case .string(let text): "\"\(text.utf8.map { String($0) }.joined(separator: "."))\""
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)f"
        case .boolean(let boolean): "\(boolean)"
        case .date: "date"
        case .array(let nodes): "[\(nodes.map(\.value.canonical).joined(separator: ","))]"
        case .table(let table):
            "{\(table.entries.map { "\($0.key)=\($0.node.value.canonical)" }.sorted().joined(separator: ","))}"
        }
    }
}
