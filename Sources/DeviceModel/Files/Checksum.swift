/// FNV-1a with 64 bits (RFC 9923): it finds damage to a small file, and is no protection against anybody.
public struct Checksum: Hashable, Sendable {
    /// The number.
    public let value: UInt64

    /// - Parameter value: The number.
    private init(value: UInt64) {
        self.value = value
    }

    /// The checksum of a text.
    public static func of(_ text: some StringProtocol) -> Checksum {
        Checksum(value: text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
    }

    /// 16 hexadecimal digits.
    public var text: String {
        value.padded(to: 16, radix: 16)
    }
}
