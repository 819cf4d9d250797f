import NIOCore

/// Whether bytes that come in pieces are UTF-8 (RFC 3629, section 4): it fails at the first byte that can't be.
struct UTF8Check {
    /// How many bytes the last character still needs.
    private var missing = 0
    /// What the next of them may be.
    private var next = Self.following

    /// What a byte within a character may be, but for the second bytes of some.
    private static let following: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the last character is whole.
    var isWhole: Bool { missing == 0 }

    /// Whether bytes are a whole text.
    static func isText(_ bytes: ByteBuffer) -> Bool {
        var check = UTF8Check()
        return check.take(bytes) && check.isWhole
    }

    /// Takes the next piece.
    ///
    /// - Returns: Whether all so far can be a text, or the beginning of one.
    mutating func take(_ piece: ByteBuffer) -> Bool {
        piece.withUnsafeReadableBytes { bytes in
            var index = 0
            while index < bytes.count {
                if missing == 0, bytes.isASCII(at: index) {
                    index += 8
                } else {
                    guard take(bytes[index]) else { return false }
                    index += 1
                }
            }
            return true
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard next.contains(byte) else { return false }
            (missing, next) = (missing - 1, Self.following)
            return true
        }
        // What is left out: characters in more bytes than they need, surrogates, and what is beyond U+10FFFF.
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, next) = (2, 0xA0...0xBF)
        case 0xED: (missing, next) = (2, 0x80...0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, next) = (3, 0x90...0xBF)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, next) = (3, 0x80...0x8F)
        default: return false
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// Whether there are eight more bytes, and all of them ASCII.
    fileprivate func isASCII(at index: Int) -> Bool {
        index + 8 <= count && loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    }
}
