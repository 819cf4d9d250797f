/// A claim code: the secret that lets a device in once, and the fingerprint by which it knows the router on the first
/// contact.
///
/// As text it is 35 characters of Crockford's base32 in seven groups: 13 for the secret, 20 for the fingerprint, 2 by
/// which a slip of the finger is noticed before anybody is asked.
public struct ClaimCode: Hashable, Sendable, CustomStringConvertible {
    /// The secret, as the device sends it: 65 bits.
    public let secret: String
    /// The first 100 bits of SHA-256 over the router's CA certificate, in the lowest bits of each symbol; all zero: the
    /// router's certificate is one that the system trusts.
    private let fingerprint: [UInt8]

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    private static let secretCount = 13
    private static let fingerprintCount = 20
    /// A prime below 2¹⁰: two symbols hold a remainder.
    private static let modulus = 1_021

    /// A new code.
    ///
    /// - Parameters:
    ///   - digest: SHA-256 over the CA's certificate (DER); nil: the system's trust store is enough.
    ///   - generator: Where the secret comes from.
    public init(caDigest digest: [UInt8]?, using generator: inout some RandomNumberGenerator) {
        secret = String(
            (0..<Self.secretCount).map { _ in Self.alphabet[Int.random(in: 0..<32, using: &generator)] })
        fingerprint = digest.map(Self.symbols) ?? [UInt8](repeating: 0, count: Self.fingerprintCount)
    }

    /// Reads a code as a person types it: case, spaces and dashes don't matter, and O, I and L are read as 0 and 1.
    ///
    /// Nil when it is none, or has a slip in it.
    ///
    /// - Parameter text: What a person typed.
    public init?(_ text: String) {
        var symbols: [UInt8] = []
        for character in text.uppercased() where character != "-" && !character.isWhitespace {
            let meant: Character = character == "O" ? "0" : character == "I" || character == "L" ? "1" : character
            guard let symbol = Self.alphabet.firstIndex(of: meant) else { return nil }
            symbols.append(UInt8(symbol))
        }
        let count = Self.secretCount + Self.fingerprintCount
        guard symbols.count == count + 2, Self.check(symbols.prefix(count)) == Array(symbols.suffix(2)) else {
            return nil
        }
        secret = String(symbols.prefix(Self.secretCount).map { Self.alphabet[Int($0)] })
        fingerprint = Array(symbols[Self.secretCount..<count])
    }

    /// Whether the router is known by the system's trust store rather than by a fingerprint.
    public var trustsSystem: Bool { fingerprint.allSatisfy { $0 == 0 } }

    /// Whether the fingerprint is that of a certificate.
    ///
    /// - Parameter digest: SHA-256 over the certificate (DER).
    /// - Returns: Whether it is the router's CA.
    public func matches(caDigest digest: [UInt8]) -> Bool {
        !trustsSystem && Self.symbols(digest) == fingerprint
    }

    /// The code as a person reads it.
    public var description: String {
        let secret = self.secret.compactMap(Self.alphabet.firstIndex(of:)).map(UInt8.init)
        let symbols = secret + fingerprint
        let text = (symbols + Self.check(symbols[...])).map { Self.alphabet[Int($0)] }
        return stride(from: 0, to: text.count, by: 5).map { String(text[$0..<min($0 + 5, text.count)]) }
            .joined(separator: "-")
    }

    /// The first bits of a digest, five to a symbol.
    private static func symbols(_ digest: [UInt8]) -> [UInt8] {
        (0..<fingerprintCount).map { index in
            let bit = index * 5
            let pair = UInt16(digest[bit / 8]) << 8 | UInt16(bit / 8 + 1 < digest.count ? digest[bit / 8 + 1] : 0)
            return UInt8(pair >> (11 - bit % 8) & 31)
        }
    }

    /// Each symbol times its place: one wrong symbol, or two neighbours swapped, changes the remainder.
    private static func check(_ symbols: ArraySlice<UInt8>) -> [UInt8] {
        let sum = symbols.enumerated().reduce(0) { $0 + Int($1.element) * ($1.offset + 1) } % modulus
        return [UInt8(sum / 32), UInt8(sum % 32)]
    }
}
