/// A SHA-256 (FIPS 180-4): 32 bytes that need no memory of their own.
public struct SHA256Hash: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes it has.
    public static let size = 32

    private let words: InlineWords

    private struct InlineWords: Hashable, Sendable {
        var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64)
    }

    /// - Parameter bytes: The 32 bytes; nil for any other number of them.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = InlineWords(a: words[0], b: words[1], c: words[2], d: words[3])
    }

    /// - Parameter fill: Writes the 32 bytes, of which it is given the first.
    public init(filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        words = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.size) { buffer in
            buffer.initialize(repeating: 0)
            if let start = buffer.baseAddress { fill(start) }
            let raw = UnsafeRawBufferPointer(buffer)
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return InlineWords(a: word(0), b: word(1), c: word(2), d: word(3))
        }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [words.a, words.b, words.c, words.d].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// 64 hexadecimal digits.
    public var description: String { bytes.hexadecimal }
}
