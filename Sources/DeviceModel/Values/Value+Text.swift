extension Value {
    /// The value as people read it, with its unit: `21.46 °C`, `true`, `on`.
    ///
    /// - Parameter quantity: What the value measures; nil where it measures nothing.
    /// - Returns: The value, a number with the unit for people.
    public func text(of quantity: Quantity?) -> String {
        guard let quantity, let number = numeric else { return plainText }
        let isWhole = type == .integer && quantity.display == quantity.si
        let shown = fixed(quantity.display.fromSI(number), decimals: isWhole ? 0 : quantity.decimals)
        let symbol = quantity.display.symbol
        return symbol.isEmpty ? shown : "\(shown) \(symbol)"
    }

    /// The value in the unit for people, as programs read it.
    ///
    /// - Parameter quantity: What the value measures; nil where it measures nothing.
    /// - Returns: The value, a number in the unit for people.
    public func displayed(as quantity: Quantity?) -> Value {
        guard let quantity, let number = numeric else { return self }
        if case .integer = self, quantity.display == quantity.si { return self }
        return .number(quantity.displayed(number))
    }

    private var plainText: String {
        switch self {
        case .boolean(let boolean): boolean ? "true" : "false"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }

    /// Reads what a person typed on a command line as a value of a type.
    ///
    /// Nil when the text is no such value.
    ///
    /// - Parameters:
    ///   - text: The text; a number may carry a unit of the quantity, else it is taken in the unit for people.
    ///   - type: The type that is wanted.
    ///   - quantity: What a number measures.
    public init?(typed text: String, as type: ValueType, of quantity: Quantity?) {
        switch type {
        case .boolean:
            switch text {
            case "true", "on", "yes", "1": self = .boolean(true)
            case "false", "off", "no", "0": self = .boolean(false)
            default: return nil
            }
        case .integer:
            guard let integer = Int64(text) else { return nil }
            self = .integer(integer)
        case .number:
            guard let number = quantity?.parse(text) ?? quantity.inDisplayUnit(text) else { return nil }
            self = .number(number)
        case .text:
            self = .text(text)
        }
    }
}

extension Quantity? {
    /// A bare number, taken in the unit for people where there is a quantity.
    fileprivate func inDisplayUnit(_ text: String) -> Double? {
        guard let number = Double(text), number.isFinite else { return nil }
        return self?.display.toSI(number) ?? number
    }
}

/// A number with exactly so many digits after the point, such as `21.50`.
///
/// Numbers that are too big for that, and those that are none, are written as Swift writes them.
public func fixed(_ number: Double, decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (number * scale).rounded()
    guard scaled.magnitude < 9e15 else { return "\(number)" }
    let whole = Int64(scaled)
    let padded = whole.magnitude.padded(to: decimals + 1)
    let sign = whole < 0 ? "-" : ""
    return decimals == 0 ? sign + padded : "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
}
