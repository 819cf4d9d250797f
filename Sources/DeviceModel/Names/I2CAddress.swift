/// The address of a target on an I²C bus: 7 bits, right-aligned.
///
/// 0x76, not 0xEC.
public struct I2CAddress: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    /// The address.
    public let rawValue: UInt8

    /// - Parameter rawValue: 0x08 to 0x77; what is outside is reserved (UM10204, 3.1.12), and gives nil.
    public init?(_ rawValue: Int) {
        guard Self.range.contains(rawValue) else { return nil }
        self.rawValue = UInt8(rawValue)
    }

    /// The addresses that targets can have.
    public static let range = 0x08...0x77

    /// An address that the program itself names; another number than one is its own mistake.
    public init(integerLiteral number: Int) {
        guard let address = I2CAddress(number) else { preconditionFailure("\(number) is no I²C address") }
        self = address
    }

    /// The smaller one comes first.
    public static func < (one: Self, other: Self) -> Bool {
        one.rawValue < other.rawValue
    }

    /// Such as `0x76`.
    public var description: String {
        "0x" + (rawValue < 16 ? "0" : "") + String(rawValue, radix: 16)
    }
}
