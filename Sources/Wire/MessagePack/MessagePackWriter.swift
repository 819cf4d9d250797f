/// Writes MessagePack (the specification of 2013, msgpack/msgpack spec.md), always in the shortest form unless a
/// method says otherwise.
public struct MessagePackWriter: Sendable {
    /// What was written.
    public private(set) var bytes: [UInt8]
    private var fieldCount = 0

    /// - Parameter capacity: How many bytes are expected; more are no mistake.
    public init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Nothing.
    public mutating func writeNil() {
        bytes.append(0xC0)
    }

    /// A truth value.
    public mutating func write(_ value: Bool) {
        bytes.append(value ? 0xC3 : 0xC2)
    }

    /// A whole number.
    public mutating func write(_ value: Int64) {
        switch value {
        case 0...: write(UInt64(value))
        case (-32)...: bytes.append(UInt8(bitPattern: Int8(value)))
        case Int64(Int8.min)...: append(0xD0, UInt8(bitPattern: Int8(value)))
        case Int64(Int16.min)...: append(0xD1, UInt16(bitPattern: Int16(value)))
        case Int64(Int32.min)...: append(0xD2, UInt32(bitPattern: Int32(value)))
        default: append(0xD3, UInt64(bitPattern: value))
        }
    }

    /// A whole number that is not negative.
    public mutating func write(_ value: UInt64) {
        switch value {
        case ...0x7F: bytes.append(UInt8(value))
        case ...0xFF: append(0xCC, UInt8(value))
        case ...0xFFFF: append(0xCD, UInt16(value))
        case ...0xFFFF_FFFF: append(0xCE, UInt32(value))
        default: append(0xCF, value)
        }
    }

    /// A whole number in the 64-bit form, however small: the other end may insist on it.
    public mutating func writeFullWidth(_ value: Int64) {
        append(0xD3, UInt64(bitPattern: value))
    }

    /// A whole number in the 16-bit form, however small: the other end may insist on it.
    public mutating func writeFullWidth(_ value: UInt16) {
        append(0xCD, value)
    }

    /// A number.
    public mutating func write(_ value: Double) {
        append(0xCB, value.bitPattern)
    }

    /// A text.
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            switch utf8.count {
            case ...31: bytes.append(0xA0 | UInt8(utf8.count))
            case ...0xFF: append(0xD9, UInt8(utf8.count))
            case ...0xFFFF: append(0xDA, UInt16(utf8.count))
            default: append(0xDB, UInt32(clamping: utf8.count))
            }
            bytes.append(contentsOf: utf8)
        }
    }

    /// Bytes.
    public mutating func write(_ data: [UInt8]) {
        switch data.count {
        case ...0xFF: append(0xC4, UInt8(data.count))
        case ...0xFFFF: append(0xC5, UInt16(data.count))
        default: append(0xC6, UInt32(clamping: data.count))
        }
        bytes.append(contentsOf: data)
    }

    /// The head of a list; so many values have to follow.
    public mutating func writeArray(_ count: Int) {
        switch count {
        case ...15: bytes.append(0x90 | UInt8(count))
        case ...0xFFFF: append(0xDC, UInt16(count))
        default: append(0xDD, UInt32(clamping: count))
        }
    }

    /// The head of a map; so many keys, each with its value, have to follow.
    public mutating func writeMap(_ count: Int) {
        switch count {
        case ...15: bytes.append(0x80 | UInt8(count))
        case ...0xFFFF: append(0xDE, UInt16(count))
        default: append(0xDF, UInt32(clamping: count))
        }
    }

    // MARK: Maps that count their own fields

    mutating func beginMap() -> (offset: Int, outerFieldCount: Int) {
        bytes.append(0x80)
        defer { fieldCount = 0 }
        return (bytes.count - 1, fieldCount)
    }

    mutating func endMap(_ head: (offset: Int, outerFieldCount: Int)) {
        precondition(fieldCount <= 15, "no message of ours has a map with more fields than fit the short form")
        bytes[head.offset] = 0x80 | UInt8(fieldCount)
        fieldCount = head.outerFieldCount
    }

    mutating func key(_ name: String) {
        fieldCount += 1
        write(name)
    }

    private mutating func append(_ head: UInt8, _ value: some FixedWidthInteger) {
        bytes.append(head)
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
