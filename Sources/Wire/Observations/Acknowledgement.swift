public import DeviceModel

/// Router to device: everything of the stream up to this number is stored.
public struct Acknowledgement: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.observations, "acknowledge")

    /// The last number up to which nothing is missing that is not named in a gap.
    public var through: StreamPosition

    /// Everything up to a number is stored.
    public init(through: StreamPosition) {
        self.through = through
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("stream", through.stream.rawValue)
            map.field("epoch", through.epoch)
            map.field("through", through.sequence)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var stream: StreamName?
        var epoch: UInt64?
        var sequence: UInt64?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "stream": stream = try reader.readChoice(StreamName.self, key)
            case "epoch": epoch = try reader.readUInt64()
            case "through": sequence = try reader.readUInt64()
            default: try reader.skip()
            }
        }
        self.init(
            through: StreamPosition(
                stream: try reader.require(stream, "stream"), epoch: try reader.require(epoch, "epoch"),
                sequence: try reader.require(sequence, "through")))
    }
}
