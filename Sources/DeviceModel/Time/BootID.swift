/// Which run of the device's kernel a monotonic time belongs to: 16 random bytes, new at every boot.
public struct BootID: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes a boot id has.
    public static let size = 16

    /// The bytes, always ``size`` of them.
    public let bytes: [UInt8]

    /// - Parameter bytes: The 16 bytes; nil for any other number of them.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = Array(bytes)
    }

    /// - Parameter text: 32 hexadecimal digits, with or without dashes, as in `/proc/sys/kernel/random/boot_id`.
    public init?(text: some StringProtocol) {
        guard let bytes = [UInt8](hexadecimal: String(text.filter { $0 != "-" && !$0.isNewline })) else { return nil }
        self.init(bytes: bytes)
    }

    /// The bytes as hexadecimal digits.
    public var description: String {
        bytes.hexadecimal
    }
}

extension [UInt8] {
    /// The bytes as lower-case hexadecimal digits.
    public var hexadecimal: String {
        var text = ""
        text.reserveCapacity(count * 2)
        for byte in self {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }

    /// - Parameter text: Hexadecimal digits, two for each byte; nil for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
