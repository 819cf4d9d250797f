/// One key of a table: its name, what it takes, whether it has to be there, and a sentence about it.
///
/// Checks, messages and the reference in the documentation are all made from it.
public struct Key<Value: Sendable>: ConfigurationKey {
    /// The key as it stands in the file.
    public let name: String
    /// What it takes, in a word or two.
    public let kindName: String
    /// The range of its values, in words; empty where there is none.
    public let range: String
    /// Whether it has to be there, and what holds where it is not.
    public let presence: Presence
    /// One sentence for people.
    public let summary: String

    private let absent: Value?
    private let read: @Sendable (Node, String, inout Findings) -> Value?

    /// A key that has to be there.
    public static func required(_ name: String, _ kind: ValueKind<Value>, _ summary: String) -> Self {
        Self(name, kind.name, kind.range, .required, summary, absent: nil) { node, table, findings in
            kind.read(node, KeyPlace(key: name, table: table), &findings)
        }
    }

    /// A key that may be left out.
    ///
    /// - Parameters:
    ///   - name: The key.
    ///   - kind: What it takes.
    ///   - standard: What holds where it is left out.
    ///   - shown: How the documentation writes that.
    ///   - summary: One sentence for people.
    /// - Returns: The key.
    public static func optional(
        _ name: String, _ kind: ValueKind<Value>, default standard: Value, shown: String, _ summary: String
    ) -> Self {
        Self(name, kind.name, kind.range, .optional(default: shown), summary, absent: standard) {
            node, table, findings in
            kind.read(node, KeyPlace(key: name, table: table), &findings)
        }
    }

    /// A key that may be left out, and then stands for nothing.
    public static func optional<Wrapped>(_ name: String, _ kind: ValueKind<Wrapped>, _ summary: String) -> Self
    where Value == Wrapped? {
        Self(name, kind.name, kind.range, .optional(default: ""), summary, absent: .some(nil)) {
            node, table, findings in
            // A value that can't be read is not the same as one that is not there.
            kind.read(node, KeyPlace(key: name, table: table), &findings).map { .some($0) }
        }
    }

    private init(
        _ name: String, _ kindName: String, _ range: String, _ presence: Presence, _ summary: String, absent: Value?,
        read: @escaping @Sendable (Node, String, inout Findings) -> Value?
    ) {
        self.name = name
        self.kindName = kindName
        self.range = range
        self.presence = presence
        self.summary = summary
        self.absent = absent
        self.read = read
    }

    /// Reads the key's value; what is wrong is added to the findings, and nil is returned.
    public func value(_ entry: Table.Entry?, in table: String, at header: Position, _ findings: inout Findings)
        -> (any Sendable)?
    {
        if let entry { return read(entry.node, table, &findings) }
        if let absent { return absent }
        if findings.isMistake(missing: name) {
            let place = table.isEmpty ? "this file" : "[\(table)]"
            findings.add(at: header, "'\(name)' is missing in \(place): \(summary)")
        }
        return nil
    }
}

/// Whether a key has to be there.
public enum Presence: Hashable, Sendable {
    /// It has to.
    case required
    /// It may be left out; then this holds.
    case optional(default: String)
}

/// A key, whatever the type of its value.
public protocol ConfigurationKey: Sendable {
    /// The key as it stands in the file.
    var name: String { get }
    /// What it takes, in a word or two.
    var kindName: String { get }
    /// The range of its values, in words; empty where there is none.
    var range: String { get }
    /// Whether it has to be there.
    var presence: Presence { get }
    /// One sentence for people.
    var summary: String { get }

    /// Reads the key's value.
    ///
    /// - Parameters:
    ///   - entry: The key and its value in the file; nil where it is not there.
    ///   - table: The name of the table, for messages.
    ///   - header: Where the table begins.
    ///   - findings: Takes what is wrong.
    /// - Returns: The value; nil when something is wrong.
    func value(_ entry: Table.Entry?, in table: String, at header: Position, _ findings: inout Findings)
        -> (any Sendable)?
}
