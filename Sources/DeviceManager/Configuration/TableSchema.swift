/// What a table may hold.
public struct TableSchema: Sendable {
    /// The keys.
    public let keys: [any ConfigurationKey]

    /// A table with these keys; their names are unique.
    public init(_ keys: [any ConfigurationKey]) {
        self.keys = keys
    }

    /// Checks a table: every key known, every required one there, every value what it has to be.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - name: Its name, such as `components.climate`, for messages.
    ///   - header: Where it begins.
    ///   - findings: Takes all that is wrong.
    /// - Returns: The checked values; nil when anything is wrong.
    public func check(_ table: Table, name: String, at header: Position, _ findings: inout Findings) -> CheckedTable? {
        let checked = checkPartly(table, name: name, at: header, &findings)
        return checked.isRight ? checked : nil
    }

    /// Checks a table, and keeps what is right in it.
    ///
    /// With that much, mistakes between tables are found beside the mistakes in them.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - name: Its name, such as `components.climate`, for messages.
    ///   - header: Where it begins.
    ///   - findings: Takes all that is wrong.
    /// - Returns: The values that are right; only ``CheckedTable/known(_:)`` may be asked when not all are.
    public func checkPartly(
        _ table: Table, name: String, at header: Position, _ findings: inout Findings
    ) -> CheckedTable {
        var values: [String: any Sendable] = [:]
        for entry in table.entries where !keys.contains(where: { $0.name == entry.key }) {
            let hint = suggestion(for: entry.key, among: keys.map(\.name))
            let place = name.isEmpty ? "in this file" : "in [\(name)]"
            findings.add(at: entry.position, "unknown key '\(entry.key)' \(place)\(hint)")
        }
        for key in keys {
            values[key.name] = key.value(table[key.name], in: name, at: header, &findings)
        }
        let isComplete = keys.allSatisfy { values[$0.name] != nil }
        let hasOnlyKnown = table.entries.allSatisfy { values[$0.key] != nil }
        return CheckedTable(values: values, table: table, header: header, isRight: isComplete && hasOnlyKnown)
    }

    /// The kind of value that is a table of this schema.
    public var kind: ValueKind<CheckedTable> {
        ValueKind("table") { node, place, findings in
            guard case .table(let table) = node.value else {
                findings.add(at: node.position, "'\(place.key)' must be a table, not \(node.words)")
                return nil
            }
            let name = place.table.isEmpty ? place.key : "\(place.table).\(place.key)"
            return check(table, name: name, at: node.position, &findings)
        }
    }
}

extension Key where Value == CheckedTable {
    /// A table that may be left out, all of whose keys may be left out.
    public static func optional(_ name: String, _ schema: TableSchema, _ summary: String) -> Self {
        var findings = Findings(file: "")
        let start = Position(line: 1, column: 1)
        guard let defaults = schema.check(Table(), name: name, at: start, &findings) else {
            preconditionFailure("[\(name)] has a key without a default: \(findings.lines)")
        }
        return .optional(name, schema.kind, default: defaults, shown: "", summary)
    }
}

/// The values of a table that was found to be right.
public struct CheckedTable: Sendable {
    /// Whether nothing in it is wrong.
    public let isRight: Bool
    private let values: [String: any Sendable]
    private let table: Table
    private let header: Position

    init(values: [String: any Sendable], table: Table, header: Position, isRight: Bool) {
        self.isRight = isRight
        self.values = values
        self.table = table
        self.header = header
    }

    /// The value of a key of the schema with which the table was checked.
    public subscript<Value>(_ key: Key<Value>) -> Value {
        guard let value = values[key.name] as? Value else {
            preconditionFailure("'\(key.name)' is no key of the schema with which this table was checked")
        }
        return value
    }

    /// The value of a key; nil when it is wrong, or is missing and must not be.
    public func known<Value>(_ key: Key<Value>) -> Value? {
        values[key.name] as? Value
    }

    /// Where the value of a key stands; where the table begins when the key was left out.
    public func position(of key: some ConfigurationKey) -> Position {
        table[key.name]?.node.position ?? header
    }
}
