extension Duration {
    /// The whole nanoseconds of the duration, or the nearest bound where they are too many for 64 bits (292 years).
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooMany) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || tooMany ? (seconds < 0 ? .min : .max) : sum
    }

    /// The whole milliseconds of the duration; what is left over is dropped.
    public var milliseconds: Int64 {
        nanoseconds / 1_000_000
    }

    /// The duration in seconds.
    public var seconds: Double {
        Double(nanoseconds) / 1e9
    }

    /// The units in which people write durations, with their length in seconds; the longest first.
    static let units: [(symbol: String, seconds: Double)] = [
        ("d", 86_400), ("h", 3_600), ("min", 60), ("m", 60), ("s", 1), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6),
    ]

    /// Reads a duration as people write it: a number and a unit, such as `20ms`, `1.5 h` or `30m`.
    ///
    /// Nil when the text is not that, or when the duration is longer than 292 years.
    ///
    /// - Parameter text: A number with one of the units `d`, `h`, `m` or `min`, `s`, `ms`, `us`.
    public init?(text: some StringProtocol) {
        guard let (number, symbol) = splitNumber(text),
            let unit = Duration.units.first(where: { $0.symbol == symbol })
        else { return nil }
        let nanoseconds = (number * unit.seconds * 1e9).rounded()
        guard let whole = Int64(exactly: nanoseconds) else { return nil }
        self = .nanoseconds(whole)
    }

    /// The duration as people write it, in the longest unit that needs no fraction: `30m`, `90s`, `20ms`.
    public var text: String {
        let total = nanoseconds
        if total == 0 { return "0s" }
        for (symbol, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] as [(String, Int64)]
        where total % (seconds * 1_000_000_000) == 0 {
            return "\(total / (seconds * 1_000_000_000))\(symbol)"
        }
        for (symbol, length) in [("ms", 1_000_000), ("us", 1_000)] as [(String, Int64)] where total % length == 0 {
            return "\(total / length)\(symbol)"
        }
        return "\(total)ns"
    }
}

/// Splits `-0.3 °C` into the number and the rest without spaces between.
///
/// - Returns: nil when the text does not begin with a finite number.
func splitNumber(_ text: some StringProtocol) -> (number: Double, unit: String)? {
    let trimmed = text.drop(while: { $0 == " " })
    let digits = trimmed.prefix { "+-.0123456789".contains($0) }
    guard let number = Double(String(digits)), number.isFinite else { return nil }
    let unit = trimmed.dropFirst(digits.count).drop(while: { $0 == " " })
    return (number, String(unit))
}
