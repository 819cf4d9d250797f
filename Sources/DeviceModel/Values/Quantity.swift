/// What kind of thing a number measures.
///
/// It decides the SI unit inside and the unit in which people read it.
public enum Quantity: String, Sendable, CaseIterable {
    /// A temperature: kelvin inside, degrees Celsius for people.
    case temperature
    /// A difference between two temperatures: kelvin inside, degrees Celsius for people.
    case temperatureDifference = "temperature_difference"
    /// A pressure: pascal inside, hectopascal for people.
    case pressure
    /// A length or a height: metres.
    case length
    /// A share of a whole: 0 to 1 inside, percent for people.
    case ratio
    /// A length of time: seconds.
    case duration
    /// An amount of memory or disk: bytes inside, mebibytes for people.
    case information
    /// How often something happens: hertz.
    case frequency
    /// An electric potential: volt.
    case voltage
    /// An electric current: ampere.
    case current
    /// An amount of light on a surface: lux.
    case illuminance
    /// A number without a unit.
    case count
}

/// A unit of a quantity: how it is written, and how a number in it becomes SI.
public struct Unit: Hashable, Sendable {
    /// How people write it, such as `°C`; empty where there is none.
    public let symbol: String
    /// SI value = number × factor + offset.
    let factor: Double
    let offset: Double

    init(_ symbol: String, factor: Double = 1, offset: Double = 0) {
        self.symbol = symbol
        self.factor = factor
        self.offset = offset
    }

    /// A number in this unit as the SI value.
    public func toSI(_ number: Double) -> Double {
        number * factor + offset
    }

    /// An SI value as a number in this unit.
    public func fromSI(_ value: Double) -> Double {
        (value - offset) / factor
    }
}

extension Quantity {
    /// The unit inside, and on the wire.
    public var si: Unit {
        switch self {
        case .temperature, .temperatureDifference: Unit("K")
        case .pressure: Unit("Pa")
        case .length: Unit("m")
        case .ratio, .count: Unit("")
        case .duration: Unit("s")
        case .information: Unit("B")
        case .frequency: Unit("Hz")
        case .voltage: Unit("V")
        case .current: Unit("A")
        case .illuminance: Unit("lx")
        }
    }

    /// The unit in which people read it.
    public var display: Unit {
        switch self {
        case .temperature: Unit("°C", offset: 273.15)
        case .temperatureDifference: Unit("°C")
        case .pressure: Unit("hPa", factor: 100)
        case .ratio: Unit("%", factor: 0.01)
        case .information: Unit("MiB", factor: 1_048_576)
        default: si
        }
    }

    /// How many digits after the point people are shown.
    public var decimals: Int {
        switch self {
        case .temperature, .temperatureDifference, .pressure, .length, .voltage, .current: 2
        case .ratio, .information, .illuminance: 1
        case .duration, .frequency: 3
        case .count: 6
        }
    }

    /// All units that people may write for it; the one in which they read it comes first.
    public var units: [Unit] {
        switch self {
        case .temperature: [display, Unit("C", offset: 273.15), si]
        case .temperatureDifference: [display, Unit("C"), si]
        case .pressure: [display, si, Unit("mbar", factor: 100), Unit("kPa", factor: 1_000), Unit("bar", factor: 1e5)]
        case .length: [si, Unit("cm", factor: 0.01), Unit("mm", factor: 0.001), Unit("km", factor: 1_000)]
        case .duration: Duration.units.map { Unit($0.symbol, factor: $0.seconds) }
        case .information:
            [
                display, si, Unit("kB", factor: 1e3), Unit("MB", factor: 1e6), Unit("GB", factor: 1e9),
                Unit("KiB", factor: 1_024), Unit("GiB", factor: 1_073_741_824),
            ]
        case .voltage: [si, Unit("mV", factor: 0.001)]
        case .current: [si, Unit("mA", factor: 0.001)]
        case .frequency: [si, Unit("kHz", factor: 1_000)]
        default: [display]
        }
    }

    /// Reads what people write, such as `0.1 hPa`.
    ///
    /// - Parameter text: A number and one of ``units``.
    /// - Returns: The SI value, or nil when the text is not that.
    public func parse(_ text: some StringProtocol) -> Double? {
        guard let (number, symbol) = splitNumber(text), let unit = units.first(where: { $0.symbol == symbol })
        else { return nil }
        let value = unit.toSI(number)
        return value.isFinite ? value : nil
    }

    /// An SI value in the unit for people, rounded to as many digits as they are shown.
    public func displayed(_ value: Double) -> Double {
        display.fromSI(value).rounded(decimals: decimals)
    }

    /// The difference that makes one temperature another is not itself a temperature: what a dead band or an offset
    /// of this quantity is measured in.
    public var difference: Quantity {
        self == .temperature ? .temperatureDifference : self
    }
}

extension Double {
    /// The nearest number with so many digits after the point; the number itself where it is too big to have any.
    public func rounded(decimals: Int) -> Double {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = self * scale
        return scaled.magnitude < 9e15 ? scaled.rounded() / scale : self
    }
}
