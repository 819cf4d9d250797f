public import DeviceModel

/// `error`, in every protocol of this project: what was asked for, or the connection, came to nothing.
public struct Failure: ExplainedError, Hashable {
    /// The type by which an envelope names it.
    public static let type = "error"

    /// What kind of failure it is.
    public var code: ErrorCode
    /// What happened and what to do, in words.
    public var message: String
    /// How long to wait before the next try; nil: that is up to whoever tries.
    public var retryAfter: Duration?
    /// The observation that it is about; nil: it is about none.
    public var position: StreamPosition?

    /// A failure.
    public init(
        _ code: ErrorCode, _ message: String, retryAfter: Duration? = nil, position: StreamPosition? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.position = position
    }

    /// The failure that an error is to somebody at the other end.
    public init(_ error: some ExplainedError) {
        self.init(error.code, error.description)
    }

    /// What it is about is said in the message.
    public var resource: String { "" }
    /// The message.
    public var description: String { message }

    /// The failure in its envelope.
    ///
    /// - Parameters:
    ///   - proto: The protocol in which it happened.
    ///   - session: The conversation that it ends; empty where there is none.
    /// - Returns: The message to send.
    public func envelope(_ proto: ProtocolNumber, session: String = "") -> Envelope {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("code", code.rawValue)
            map.field("message", message)
            map.field("retry_after_ms", retryAfter?.milliseconds)
            map.field("stream", position?.stream.rawValue)
            map.field("epoch", position?.epoch)
            map.field("seq", position?.sequence)
        }
        return Envelope(proto: proto, type: Self.type, session: session, body: writer.bytes)
    }

    /// Reads the failure in an envelope.
    ///
    /// - Throws: ``WireError`` when there is none in it.
    public init(in envelope: Envelope) throws(WireError) {
        self = try MessagePackReader.read(envelope.body) { (reader) throws(WireError) in
            var failure = Failure(.internalFailure, "the other end gave no reason")
            var stream: StreamName?
            var numbers: [String: UInt64] = [:]
            try reader.readMap { (key, reader) throws(WireError) in
                switch key {
                case "code": failure.code = ErrorCode(rawValue: try reader.readString())
                case "message": failure.message = try reader.readString()
                case "retry_after_ms":
                    failure.retryAfter = .milliseconds(max(0, min(try reader.readInt64(), 86_400_000)))
                case "stream": stream = StreamName(rawValue: try reader.readString())
                case "epoch", "seq": numbers[key] = try reader.readUInt64()
                default: try reader.skip()
                }
            }
            if let stream, let epoch = numbers["epoch"], let sequence = numbers["seq"] {
                failure.position = StreamPosition(stream: stream, epoch: epoch, sequence: sequence)
            }
            return failure
        }
    }
}
