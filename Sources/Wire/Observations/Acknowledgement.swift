public import DeviceModel

/// Router to device: these numbers are stored.
public struct Acknowledgement: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.observations, "acknowledge")

    /// Everything up to a number, and the ranges beyond it that have to do with the batch.
    public var reception: StreamReception
    /// The number of the batch that it answers; nil where that had none.
    public var batch: UInt64?

    /// These numbers are stored.
    public init(_ reception: StreamReception, batch: UInt64? = nil) {
        self.reception = reception
        self.batch = batch
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("batch", batch)
            map.receptionFields(reception)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var fields = ReceptionFields()
        let start = reader.offset
        var batch: UInt64?
        try reader.readMap { (key, reader) throws(WireError) in
            if key == "batch" {
                batch = try reader.readUInt64()
            } else if try !fields.read(key, &reader) {
                try reader.skip()
            }
        }
        guard let reception = try fields.reception(reader) else { throw WireError(.invalidValue, at: start, "stream") }
        self.init(reception, batch: batch)
    }
}
