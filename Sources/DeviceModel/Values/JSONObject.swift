/// One JSON object as a line of text, its fields in the order in which they were added (RFC 8259).
public struct JSONObject: Sendable {
    private var fields: [String] = []

    /// An object without fields.
    public init() {}

    /// The object as one line.
    public var text: String {
        "{\(fields.joined(separator: ","))}"
    }

    /// Adds a text.
    public mutating func add(_ name: String, _ text: String) {
        fields.append("\(Self.quoted(name)):\(Self.quoted(text))")
    }

    /// Adds a truth value.
    public mutating func add(_ name: String, _ boolean: Bool) {
        fields.append("\(Self.quoted(name)):\(boolean)")
    }

    /// Adds a whole number.
    public mutating func add(_ name: String, _ integer: some BinaryInteger) {
        fields.append("\(Self.quoted(name)):\(integer)")
    }

    /// Adds a number; one that JSON cannot write becomes null.
    public mutating func add(_ name: String, _ number: Double) {
        fields.append("\(Self.quoted(name)):\(Self.written(number))")
    }

    /// Adds a value, or null.
    public mutating func add(_ name: String, _ value: Value?) {
        switch value {
        case nil: fields.append("\(Self.quoted(name)):null")
        case .boolean(let boolean): add(name, boolean)
        case .integer(let integer): add(name, integer)
        case .number(let number): add(name, number)
        case .text(let text): add(name, text)
        }
    }

    /// Adds an object.
    public mutating func add(_ name: String, _ object: JSONObject) {
        fields.append("\(Self.quoted(name)):\(object.text)")
    }

    /// Adds a list of objects.
    public mutating func add(_ name: String, _ objects: [JSONObject]) {
        fields.append("\(Self.quoted(name)):[\(objects.map(\.text).joined(separator: ","))]")
    }

    /// Adds a list of texts.
    public mutating func add(_ name: String, _ texts: [String]) {
        fields.append("\(Self.quoted(name)):[\(texts.map(Self.quoted).joined(separator: ","))]")
    }

    private static func written(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        guard number.magnitude < 1e15, number == number.rounded() else { return "\(number)" }
        return "\(Int64(number))"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                result += "\\u" + scalar.value.padded(to: 4, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
