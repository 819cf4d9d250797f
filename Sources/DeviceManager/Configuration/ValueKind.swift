/// A kind of value that a key can take: how it is read, and how the documentation describes it.
public struct ValueKind<Value: Sendable>: Sendable {
    /// The kind in a word or two, such as `duration`.
    public let name: String
    /// The range, such as `100ms to 1d`; empty where there is none.
    public let range: String
    /// Reads a node.
    ///
    /// Whatever is wrong is added to the findings, and nil is returned.
    public let read: @Sendable (Node, KeyPlace, inout Findings) -> Value?

    /// A kind of value.
    ///
    /// - Parameters:
    ///   - name: The kind in a word or two.
    ///   - range: The range, in words.
    ///   - read: Reads a node; adds a finding and returns nil where it can't.
    public init(
        _ name: String, range: String = "", read: @escaping @Sendable (Node, KeyPlace, inout Findings) -> Value?
    ) {
        self.name = name
        self.range = range
        self.read = read
    }

    /// The kind whose values are made from those of this one.
    ///
    /// - Parameters:
    ///   - name: The new kind in a word or two; nil: as this one.
    ///   - range: The new range, in words; nil: as this one.
    ///   - transform: Gives the new value, or what is wrong: `must be …`.
    /// - Returns: The kind of value.
    public func map<New>(
        _ name: String? = nil, range: String? = nil,
        _ transform: @escaping @Sendable (Value) -> Result<New, Mistake>
    ) -> ValueKind<New> {
        ValueKind<New>(name ?? self.name, range: range ?? self.range) { node, place, findings in
            guard let value = read(node, place, &findings) else { return nil }
            switch transform(value) {
            case .success(let new): return new
            case .failure(let mistake):
                findings.add(at: node.position, "'\(place.key)' \(mistake.words)")
                return nil
            }
        }
    }
}

/// Which key of which table a value belongs to, for messages.
public struct KeyPlace: Sendable {
    /// The key.
    public let key: String
    /// The table, such as `components.climate`; empty for the file itself.
    public let table: String

    /// A key of a table.
    public init(key: String, table: String) {
        self.key = key
        self.table = table
    }
}

/// What is wrong with a value, as the rest of a sentence that begins with the key.
public struct Mistake: Error {
    /// Such as `must be a GPIO line, not "GPIOX"`.
    public let words: String

    /// - Parameter words: The rest of the sentence.
    public init(_ words: String) {
        self.words = words
    }
}
