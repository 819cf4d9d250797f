/// One value of a property, a parameter or a result.
///
/// `false`, `0` and `""` are values like any other.
public enum Value: Hashable, Sendable {
    /// Yes or no.
    case boolean(Bool)
    /// A whole number.
    case integer(Int64)
    /// A number; in SI units where it has a quantity.
    case number(Double)
    /// A text.
    case text(String)

    /// The type of the value.
    public var type: ValueType {
        switch self {
        case .boolean: .boolean
        case .integer: .integer
        case .number: .number
        case .text: .text
        }
    }

    /// The value as a number, where it is one.
    public var numeric: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        case .boolean, .text: nil
        }
    }
}

/// The types of values, named as in JSON Schema, which the W3C Web of Things Thing Description uses.
public enum ValueType: String, Sendable, CaseIterable {
    /// Yes or no.
    case boolean
    /// A whole number.
    case integer
    /// A number.
    case number
    /// A text.
    case text = "string"
}
