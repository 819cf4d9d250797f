/// Control `error`: the answer to a message that nobody understands.
///
/// The connection goes on unless `closes` is set.
public struct ControlError: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.control, "error")

    /// What is wrong, in words.
    public var error: String
    /// Whether the sender closes the connection because of it.
    public var closes: Bool
    /// The protocol of the message it is about.
    public var messageProto: UInt64?
    /// The type of the message it is about.
    public var messageType: String?
    /// The conversation of the message it is about.
    public var messageID: String?

    /// An error about a message.
    ///
    /// - Parameters:
    ///   - error: What is wrong, in words.
    ///   - closes: Whether the sender closes the connection because of it.
    ///   - message: The message; nil for bytes that were none.
    public init(_ error: String, closes: Bool = false, about message: Envelope? = nil) {
        self.error = error
        self.closes = closes
        messageProto = message.map { UInt64($0.proto.rawValue) }
        messageType = message?.type
        messageID = message.flatMap { $0.session.isEmpty ? nil : $0.session }
    }

    /// An error about a message whose protocol or type nobody here knows.
    public static func unknown(_ message: Envelope) -> Self {
        let number = "0x" + String(message.proto.rawValue, radix: 16)
        return Self("no message '\(message.type)' in protocol \(number) is known here", about: message)
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("err", error)
            map.field("close", closes)
            map.field("msgproto", messageProto)
            map.field("msgtype", messageType)
            map.field("msgid", messageID)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        self.init("")
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "err": error = try reader.readString()
            case "close": closes = try reader.readBool()
            case "msgproto": messageProto = try reader.readUInt64()
            case "msgtype": messageType = try reader.readString()
            case "msgid": messageID = try reader.readString()
            default: try reader.skip()
            }
        }
    }
}
