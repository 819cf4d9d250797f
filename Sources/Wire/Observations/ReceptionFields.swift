import DeviceModel

extension MessagePackWriter {
    /// The fields of what a router has of an epoch.
    mutating func receptionFields(_ reception: StreamReception) {
        field("stream", reception.stream.rawValue)
        field("epoch", reception.epoch)
        field("through", reception.received.through)
        let beyond = reception.received.ranges.drop { $0.lowerBound <= 1 }
        field("ranges", beyond.isEmpty ? nil : beyond) { writer, ranges in
            writer.writeArray(ranges) { writer, range in
                writer.writeArray([range.lowerBound, range.upperBound]) { $0.write($1) }
            }
        }
    }
}

/// The fields of what a router has of an epoch, as far as they were read.
struct ReceptionFields {
    private var stream: String?
    private var epoch: UInt64?
    private var received = SequenceRanges()
    private var hasThrough = false

    /// Reads a field.
    ///
    /// - Returns: Whether it was one of these; else it has not been read.
    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) -> Bool {
        switch key {
        case "stream": stream = try reader.readString()
        case "epoch": epoch = try reader.readUInt64()
        case "through":
            hasThrough = true
            received.formUnion(SequenceRanges(through: try reader.readUInt64()))
        case "ranges":
            for range in try reader.readArray({ (reader) throws(WireError) in try reader.readRange() }) {
                received.insert(range)
            }
        default: return false
        }
        return true
    }

    /// What the router has; nil: of a stream that only a later version knows.
    func reception(_ reader: MessagePackReader) throws(WireError) -> StreamReception? {
        let name = try reader.require(stream, "stream")
        let number = try reader.require(epoch, "epoch")
        _ = try reader.require(hasThrough ? true : nil, "through")
        return StreamName(rawValue: name).map { StreamReception(stream: $0, epoch: number, received: received) }
    }
}

extension MessagePackReader {
    /// Two numbers, neither of them 0, the second of them not smaller.
    fileprivate mutating func readRange() throws(WireError) -> ClosedRange<UInt64> {
        let start = offset
        let bounds = try readArray { (reader) throws(WireError) in try reader.readUInt64() }
        guard bounds.count == 2, 1 <= bounds[0], bounds[0] <= bounds[1] else {
            throw WireError(.invalidValue, at: start, "a range is its first and its last number, counted from 1")
        }
        return bounds[0]...bounds[1]
    }
}
