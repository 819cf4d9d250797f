import DeviceModel
import Wire

/// Reads any MessagePack with all that the reader offers, from the outermost value to the innermost.
///
/// Promised: whatever can be read as something is passed over to the same byte, numbers, texts and bytes are the same
/// when they were written and read again, and the depth has a bound.
struct MessagePackWalk {
    private var broken: BrokenPromise?

    static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Verdict {
        var walk = MessagePackWalk()
        var verdict = Verdict.read
        do throws(WireError) {
            try MessagePackReader.read(bytes) { (reader) throws(WireError) in try walk.value(&reader, depth: 0) }
        } catch {
            verdict = .refused(error.description)
            if !(0...bytes.count).contains(error.offset) { walk.fail("an error at byte \(error.offset)") }
        }
        if let broken = walk.broken { throw broken }
        return verdict
    }

    private mutating func fail(_ words: String) {
        broken = broken ?? BrokenPromise(words)
    }

    private mutating func value(_ reader: inout MessagePackReader, depth: Int) throws(WireError) {
        var ahead = reader
        try ahead.skip()
        if ahead.offset <= reader.offset { fail("nothing was passed over at byte \(reader.offset)") }
        if depth > MessagePackReader.maximumDepth { fail("\(depth) levels were read") }
        scalar(reader, to: ahead.offset)
        container(reader, to: ahead.offset, depth: depth)
        reader = ahead
    }

    private mutating func scalar(_ reader: MessagePackReader, to end: Int) {
        form(reader, to: end, { (r) throws(WireError) in try r.readInt64() }, { $0.write($1) })
        form(reader, to: end, { (r) throws(WireError) in try r.readUInt64() }, { $0.write($1) })
        form(reader, to: end, { (r) throws(WireError) in try r.readBool() }, { $0.write($1) })
        form(reader, to: end, { (r) throws(WireError) in try r.readString() }, { $0.write($1) })
        form(reader, to: end, { (r) throws(WireError) in try r.readBytes() }, { $0.write($1) })
        form(reader, to: end, { (r) throws(WireError) in Bits(try r.readDouble()) }, { $0.write($1.number) })
        form(reader, to: end, { (r) throws(WireError) in Bits(try r.readValue()) }, { $0.write($1.value) })
    }

    /// A value, compared by its bits: a number that is none does not equal itself.
    private struct Bits: Equatable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }

        init(_ number: Double) {
            value = .number(number)
        }

        var number: Double {
            if case .number(let number) = value { number } else { 0 }
        }

        static func == (one: Self, other: Self) -> Bool {
            guard case .number(let a) = one.value, case .number(let b) = other.value else {
                return one.value == other.value
            }
            return a.bitPattern == b.bitPattern
        }
    }

    /// Reads a value as something that it may be, and the same once more after it was written.
    private mutating func form<Form: Equatable>(
        _ reader: MessagePackReader, to end: Int, _ read: (inout MessagePackReader) throws(WireError) -> Form,
        _ write: (inout MessagePackWriter, Form) -> Void
    ) {
        var reader = reader
        let start = reader.offset
        guard let value = try? read(&reader) else { return }
        if reader.offset != end { fail("the value at byte \(start) ends at \(end) and at \(reader.offset)") }
        var writer = MessagePackWriter()
        write(&writer, value)
        let again = try? MessagePackReader.read(writer.bytes, read)
        if again != value { fail("\(value) is written as \(writer.bytes.hexadecimal)") }
    }

    private mutating func container(_ reader: MessagePackReader, to end: Int, depth: Int) {
        var (list, map) = (reader, reader)
        let isList: [Void]? = try? list.readArray { (reader) throws(WireError) in try value(&reader, depth: depth + 1) }
        if isList != nil, list.offset != end { fail("the list up to byte \(end) ends at \(list.offset)") }
        // A map may also be passed over where its keys are no texts.
        let isMap: Void? = try? map.readMap { (_, reader) throws(WireError) in try value(&reader, depth: depth + 1) }
        if isMap != nil, map.offset != end { fail("the map up to byte \(end) ends at \(map.offset)") }
    }
}
