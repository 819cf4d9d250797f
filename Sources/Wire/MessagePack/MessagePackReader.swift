/// Reads MessagePack from bytes that somebody else wrote.
///
/// Whatever the bytes are, reading ends in a value or in a ``WireError`` with the offset. It allocates no more than the
/// bytes that are there can hold, whatever lengths they announce, and follows containers to a depth of ``maximumDepth``.
public struct MessagePackReader {
    /// How deeply lists and maps may be nested.
    public static let maximumDepth = 32

    /// Where the next value begins.
    public private(set) var offset = 0
    private let bytes: UnsafeRawBufferPointer
    private var depth = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Reads all of some bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - body: Reads them to their end.
    /// - Returns: What `body` gives.
    /// - Throws: ``WireError``, also when bytes are left over.
    public static func read<Result>(
        _ bytes: [UInt8], _ body: (inout MessagePackReader) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        try bytes.withUnsafeBufferPointer { (region) throws(WireError) -> Result in
            var reader = MessagePackReader(UnsafeRawBufferPointer(region))
            let result = try body(&reader)
            guard reader.remaining == 0 else { throw WireError(.trailing, at: reader.offset) }
            return result
        }
    }

    private var remaining: Int { bytes.count - offset }

    // MARK: Scalars

    /// Takes a nil if one is next.
    public mutating func readNil() throws(WireError) -> Bool {
        guard try peek() == 0xC0 else { return false }
        offset += 1
        return true
    }

    /// A truth value.
    public mutating func readBool() throws(WireError) -> Bool {
        switch try peek() {
        case 0xC2:
            offset += 1
            return false
        case 0xC3:
            offset += 1
            return true
        default: throw unexpected("a truth value")
        }
    }

    /// A whole number.
    public mutating func readInt64() throws(WireError) -> Int64 {
        switch try readInteger() {
        case .negative(let value): return value
        case .positive(let value):
            guard let value = Int64(exactly: value) else { throw WireError(.invalidValue, at: offset) }
            return value
        }
    }

    /// A whole number that is not negative.
    public mutating func readUInt64() throws(WireError) -> UInt64 {
        guard case .positive(let value) = try readInteger() else { throw WireError(.invalidValue, at: offset) }
        return value
    }

    /// A number, written as one or as a whole number.
    public mutating func readDouble() throws(WireError) -> Double {
        switch try peek() {
        case 0xCA: Double(Float(bitPattern: try take(UInt32.self)))
        case 0xCB: Double(bitPattern: try take(UInt64.self))
        default:
            switch try readInteger() {
            case .positive(let value): Double(value)
            case .negative(let value): Double(value)
            }
        }
    }

    private enum Integer {
        case positive(UInt64)
        case negative(Int64)
    }

    private mutating func readInteger() throws(WireError) -> Integer {
        let head = try peek()
        switch head {
        case 0x00...0x7F:
            offset += 1
            return .positive(UInt64(head))
        case 0xE0...0xFF:
            offset += 1
            return .negative(Int64(Int8(bitPattern: head)))
        case 0xCC: return .positive(UInt64(try take(UInt8.self)))
        case 0xCD: return .positive(UInt64(try take(UInt16.self)))
        case 0xCE: return .positive(UInt64(try take(UInt32.self)))
        case 0xCF: return .positive(try take(UInt64.self))
        case 0xD0: return signed(Int64(Int8(bitPattern: try take(UInt8.self))))
        case 0xD1: return signed(Int64(Int16(bitPattern: try take(UInt16.self))))
        case 0xD2: return signed(Int64(Int32(bitPattern: try take(UInt32.self))))
        case 0xD3: return signed(Int64(bitPattern: try take(UInt64.self)))
        default: throw unexpected("a whole number")
        }
    }

    private func signed(_ value: Int64) -> Integer {
        value < 0 ? .negative(value) : .positive(UInt64(value))
    }

    // MARK: Texts and bytes

    /// How many bytes a text may have: nothing that is said here needs more.
    public static let textLimit = 4_096

    /// A text.
    public mutating func readString() throws(WireError) -> String {
        let head = try peek()
        let count: Int
        switch head {
        case 0xA0...0xBF:
            offset += 1
            count = Int(head & 0x1F)
        case 0xD9: count = Int(try take(UInt8.self))
        case 0xDA: count = Int(try take(UInt16.self))
        case 0xDB: count = Int(try take(UInt32.self))
        default: throw unexpected("a text")
        }
        let start = offset
        let region = try takeRegion(count)
        guard count <= Self.textLimit else { throw WireError(.tooLong, at: start, "a text") }
        guard let text = String(validating: region, as: UTF8.self) else { throw WireError(.invalidText, at: start) }
        return text
    }

    /// Bytes.
    public mutating func readBytes() throws(WireError) -> [UInt8] {
        let count: Int
        switch try peek() {
        case 0xC4: count = Int(try take(UInt8.self))
        case 0xC5: count = Int(try take(UInt16.self))
        case 0xC6: count = Int(try take(UInt32.self))
        default: throw unexpected("bytes")
        }
        return [UInt8](try takeRegion(count))
    }

    // MARK: Containers

    /// A list.
    ///
    /// - Parameter element: Reads one element.
    /// - Throws: ``WireError``, and what `element` throws.
    /// - Returns: The elements.
    public mutating func readArray<Element>(
        _ element: (inout MessagePackReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try readArrayHead()
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 64))
        try nested { (reader) throws(WireError) in
            for _ in 0..<count { elements.append(try element(&reader)) }
        }
        return elements
    }

    /// A map whose keys are texts.
    ///
    /// - Parameter field: Reads the value of one key; it calls ``skip()`` for keys that it does not know.
    /// - Throws: ``WireError``, and what `field` throws.
    public mutating func readMap(
        _ field: (_ key: String, inout MessagePackReader) throws(WireError) -> Void
    ) throws(WireError) {
        let count = try readMapHead()
        try nested { (reader) throws(WireError) in
            for _ in 0..<count {
                let key = try reader.readString()
                try field(key, &reader)
            }
        }
    }

    /// Passes over one value, whatever it is.
    public mutating func skip() throws(WireError) {
        let head = try peek()
        switch head {
        case 0xC0, 0xC2, 0xC3: offset += 1
        case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCF, 0xD0...0xD3: _ = try readInteger()
        case 0xCA, 0xCB: _ = try readDouble()
        case 0xA0...0xBF, 0xD9...0xDB: _ = try takeRegion(try stringLength(head))
        case 0xC4...0xC6: _ = try readBytes()
        case 0x90...0x9F, 0xDC, 0xDD: try skipElements(try readArrayHead())
        case 0x80...0x8F, 0xDE, 0xDF: try skipElements(2 * (try readMapHead()))
        case 0xD4...0xD8:
            offset += 1
            _ = try takeRegion(1 + (1 << Int(head - 0xD4)))
        case 0xC7: _ = try takeRegion(1 + Int(try take(UInt8.self)))
        case 0xC8: _ = try takeRegion(1 + Int(try take(UInt16.self)))
        case 0xC9: _ = try takeRegion(1 + Int(try take(UInt32.self)))
        default: throw unexpected("a value")
        }
    }

    private mutating func skipElements(_ count: Int) throws(WireError) {
        try nested { (reader) throws(WireError) in
            for _ in 0..<count { try reader.skip() }
        }
    }

    private mutating func stringLength(_ head: UInt8) throws(WireError) -> Int {
        switch head {
        case 0xD9: return Int(try take(UInt8.self))
        case 0xDA: return Int(try take(UInt16.self))
        case 0xDB: return Int(try take(UInt32.self))
        default:
            offset += 1
            return Int(head & 0x1F)
        }
    }

    private mutating func readArrayHead() throws(WireError) -> Int {
        let head = try peek()
        let start = offset
        let count: Int
        switch head {
        case 0x90...0x9F:
            offset += 1
            count = Int(head & 0x0F)
        case 0xDC: count = Int(try take(UInt16.self))
        case 0xDD: count = Int(try take(UInt32.self))
        default: throw unexpected("a list")
        }
        // Every element takes a byte at least: a list that announces more cannot be honest.
        guard count <= remaining else { throw WireError(.tooLong, at: start, "a list of \(count)") }
        return count
    }

    private mutating func readMapHead() throws(WireError) -> Int {
        let head = try peek()
        let start = offset
        let count: Int
        switch head {
        case 0x80...0x8F:
            offset += 1
            count = Int(head & 0x0F)
        case 0xDE: count = Int(try take(UInt16.self))
        case 0xDF: count = Int(try take(UInt32.self))
        default: throw unexpected("a map")
        }
        guard count <= remaining / 2 else { throw WireError(.tooLong, at: start, "a map of \(count)") }
        return count
    }

    private mutating func nested(
        _ body: (inout MessagePackReader) throws(WireError) -> Void
    ) throws(WireError) {
        guard depth < Self.maximumDepth else { throw WireError(.tooDeep, at: offset) }
        depth += 1
        try body(&self)
        depth -= 1
    }

    // MARK: Bytes

    func peek() throws(WireError) -> UInt8 {
        guard remaining > 0 else { throw WireError(.truncated, at: offset) }
        return bytes[offset]
    }

    /// The number after the head byte.
    private mutating func take<Number: FixedWidthInteger>(_ type: Number.Type) throws(WireError) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining > size else { throw WireError(.truncated, at: offset) }
        defer { offset += 1 + size }
        return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 1, as: Number.self))
    }

    private mutating func takeRegion(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count <= remaining else { throw WireError(.tooLong, at: offset, "\(count) bytes") }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    private func unexpected(_ wanted: String) -> WireError {
        WireError(.unexpectedType, at: offset, "\(wanted) was expected")
    }
}
