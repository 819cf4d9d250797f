/// A key as people compare it: 20 bytes of its SHA-256, in groups of four hexadecimal digits.
public struct KeyFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes of the digest are shown.
    private static let size = 20

    /// The groups, such as `1f3a 90c2 …`.
    public let description: String

    /// - Parameter digest: SHA-256 over the key.
    public init(digest: [UInt8]) {
        let digits = Array(Array(digest.prefix(Self.size)).hexadecimal)
        description = stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<min($0 + 4, digits.count)]) }
            .joined(separator: " ")
    }

    /// Whether a person's text is this fingerprint; spaces, colons and case don't matter.
    ///
    /// - Parameter text: What a person typed or read.
    /// - Returns: Whether it is the same one.
    public func matches(_ text: String) -> Bool {
        Self.bare(text) == Self.bare(description)
    }

    private static func bare(_ text: String) -> String {
        text.lowercased().filter(\.isHexDigit)
    }
}
