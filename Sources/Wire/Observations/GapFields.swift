import DeviceModel

extension MessagePackWriter {
    /// The fields of a gap, beside its stream and epoch.
    mutating func gapFields(_ gap: Gap) {
        field("first", gap.first)
        field("last", gap.last)
        field("count", gap.count)
        field("reason", gap.reason.rawValue)
        field("since", gap.since?.nanoseconds)
        field("until", gap.until?.nanoseconds)
    }
}

/// The fields of a gap, as far as they were read.
struct GapFields {
    private var first: UInt64?
    private var last: UInt64?
    private var count: UInt64?
    private var reason = ""
    private var since: WallTime?
    private var until: WallTime?

    /// Reads a field.
    ///
    /// - Returns: Whether it was one of these; else it has not been read.
    mutating func read(_ key: String, _ reader: inout MessagePackReader) throws(WireError) -> Bool {
        switch key {
        case "first": first = try reader.readUInt64()
        case "last": last = try reader.readUInt64()
        case "count": count = try reader.readUInt64()
        case "reason": reason = try reader.readString()
        case "since": since = try reader.readWallTime()
        case "until": until = try reader.readWallTime()
        default: return false
        }
        return true
    }

    /// The gap.
    func gap(of stream: StreamName, epoch: UInt64, _ reader: MessagePackReader) throws(WireError) -> Gap {
        let numbers = (try reader.require(first, "first"), try reader.require(last, "last"))
        guard numbers.0 <= numbers.1 else {
            throw WireError(.invalidValue, at: reader.offset, "a gap that ends before it begins")
        }
        return Gap(
            stream: stream, epoch: epoch, first: numbers.0, last: numbers.1, count: count,
            reason: GapReason(rawValue: reason), since: since, until: until)
    }
}
