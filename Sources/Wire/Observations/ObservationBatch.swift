public import DeviceModel

/// Device to router: observations of one stream, one epoch and one boot, and gaps among them.
public struct ObservationBatch: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.observations, "observations")
    /// How many observations and gaps it has at most: a router takes it in one transaction, for which others wait.
    public static let bound = 5_000

    /// The stream.
    public var stream: StreamName
    /// The epoch of the numbers.
    public var epoch: UInt64
    /// The boot of the time stamps.
    public var boot: BootID
    /// The observations with their numbers, in rising order.
    public var items: [Item]
    /// Numbers that are known to be missing.
    public var gaps: [Gap]
    /// By what the answer to it is known, on this connection; nil: answers come in the order of the batches anyway.
    public var number: UInt64?
    /// By how much the wall clock of this boot is ahead of the device's own, once it was synchronised; nil: it was not.
    public var clockOffset: Duration?

    /// One observation with its number.
    public struct Item: Hashable, Sendable {
        /// Its number.
        public var sequence: UInt64
        /// What was observed.
        public var observation: Observation

        /// An observation with its number.
        public init(sequence: UInt64, observation: Observation) {
            self.sequence = sequence
            self.observation = observation
        }
    }

    /// A batch.
    public init(
        stream: StreamName, epoch: UInt64, boot: BootID, items: [Item], gaps: [Gap] = [], number: UInt64? = nil,
        clockOffset: Duration? = nil
    ) {
        self.stream = stream
        self.epoch = epoch
        self.boot = boot
        self.items = items
        self.gaps = gaps
        self.number = number
        self.clockOffset = clockOffset
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("stream", stream.rawValue)
            map.field("epoch", epoch)
            map.field("boot", boot.bytes)
            map.field("batch", number)
            map.field("offset", clockOffset?.nanoseconds)
            map.field("items", items) { writer, item in
                writer.writeMap { map in
                    map.field("seq", item.sequence)
                    map.timeFields(item.observation.time)
                    map.contentFields(item.observation.content)
                }
            }
            map.field("gaps", gaps.isEmpty ? nil : gaps) { writer, gaps in
                writer.writeArray(gaps) { writer, gap in
                    writer.writeMap { $0.gapFields(gap) }
                }
            }
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var stream: StreamName?
        var epoch: UInt64?
        var boot: BootID?
        var (batch, offset): (UInt64?, Int64?)
        var items: [ObservationFields] = []
        var gaps: [GapFields] = []
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "stream": stream = try reader.readChoice(StreamName.self, key)
            case "epoch": epoch = try reader.readUInt64()
            case "boot": boot = BootID(bytes: try reader.readBytes(key, count: BootID.size))
            case "batch": batch = try reader.readUInt64()
            case "offset": offset = try reader.readInt64()
            case "items":
                items = try reader.readArray { (reader) throws(WireError) in try ObservationFields(from: &reader) }
            case "gaps":
                gaps = try reader.readArray { (reader) throws(WireError) in
                    var fields = GapFields()
                    try reader.readMap { (key, reader) throws(WireError) in
                        if try !fields.read(key, &reader) { try reader.skip() }
                    }
                    return fields
                }
            default: try reader.skip()
            }
        }
        let (name, number, run) = (
            try reader.require(stream, "stream"), try reader.require(epoch, "epoch"), try reader.require(boot, "boot")
        )
        var known: [Gap] = []
        for gap in gaps { known.append(try gap.gap(of: name, epoch: number, reader)) }
        self.init(
            stream: name, epoch: number, boot: run, items: items.map { $0.item(boot: run) }, gaps: known,
            number: batch, clockOffset: offset.map { .nanoseconds($0) })
    }
}

/// An observation as it stands in a batch: its boot is the batch's.
struct ObservationFields {
    private let sequence: UInt64
    private let monotonic: Int64
    private let wall: Int64
    private let isSynchronised: Bool
    private let content: Observation.Content

    init(from reader: inout MessagePackReader) throws(WireError) {
        var sequence: UInt64?
        var monotonic: Int64?
        var wall: Int64 = 0
        var isSynchronised = false
        var content = ContentFields()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "seq": sequence = try reader.readUInt64()
            case "at": monotonic = try reader.readInt64()
            case "wall": wall = try reader.readInt64()
            case "synced": isSynchronised = try reader.readBool()
            default: try content.read(key, &reader)
            }
        }
        self.sequence = try reader.require(sequence, "seq")
        self.monotonic = try reader.require(monotonic, "at")
        self.wall = wall
        self.isSynchronised = isSynchronised
        self.content = try content.content(reader)
    }

    func item(boot: BootID) -> ObservationBatch.Item {
        let time = Timestamp(
            boot: boot, monotonic: MonotonicTime(nanoseconds: monotonic), wall: WallTime(nanoseconds: wall),
            isSynchronised: isSynchronised)
        return ObservationBatch.Item(sequence: sequence, observation: Observation(time: time, content: content))
    }
}
