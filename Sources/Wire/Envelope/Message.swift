/// A message of one of this project's protocols: the type that its envelope names, and a body that is a map.
public protocol Message: Hashable, Sendable {
    /// The protocol and the type by which the envelope names it.
    static var kind: MessageKind { get }

    /// Writes the body.
    func encode(into writer: inout MessagePackWriter)

    /// Reads the body. Fields that are not known are passed over, so that later versions may add some.
    ///
    /// - Throws: ``WireError``.
    init(from reader: inout MessagePackReader) throws(WireError)
}

/// How an envelope names a message.
public struct MessageKind: Hashable, Sendable {
    /// The protocol.
    public let proto: ProtocolNumber
    /// The type.
    public let type: String

    /// The name of a message.
    public init(_ proto: ProtocolNumber, _ type: String) {
        self.proto = proto
        self.type = type
    }
}

extension Envelope {
    /// A message in its envelope.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - session: The conversation to which it belongs; empty where there is none.
    public init(_ message: some Message, session: String = "") {
        let kind = Swift.type(of: message).kind
        var writer = MessagePackWriter()
        message.encode(into: &writer)
        self.init(proto: kind.proto, type: kind.type, session: session, body: writer.bytes)
    }

    /// The name of the message inside.
    public var kind: MessageKind { MessageKind(proto, type) }

    /// Reads the body as a message.
    ///
    /// - Parameter type: The message that ``kind`` names.
    /// - Throws: ``WireError`` when the body is no such message.
    /// - Returns: The message.
    public func decode<M: Message>(_ type: M.Type) throws(WireError) -> M {
        try MessagePackReader.read(body) { (reader) throws(WireError) in try M(from: &reader) }
    }
}

/// A message without fields.
public protocol EmptyMessage: Message {
    /// The only one there is.
    init()
}

extension EmptyMessage {
    /// Writes an empty map.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap(0)
    }

    /// Passes over whatever fields a later version added.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        try reader.readMap { (_, reader) throws(WireError) in try reader.skip() }
        self.init()
    }
}
