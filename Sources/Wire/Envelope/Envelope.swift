/// What every message travels in: MessagePack `{hdr: {proto, typ, sid, props}, body}`, one to a WebSocket frame.
///
/// The form, the order of its keys and the omission of what is empty are those of Mender's device connection, so that
/// its tools can be spoken to.
public struct Envelope: Hashable, Sendable {
    /// Which protocol the message belongs to.
    public var proto: ProtocolNumber
    /// Which message of the protocol it is; may be empty.
    public var type: String
    /// To which conversation it belongs; may be empty.
    public var session: String
    /// Small values beside the body, in the order of writing.
    public var properties: [Property]
    /// The rest; for the protocols of this project again MessagePack.
    public var body: [UInt8]

    /// One small value beside the body.
    public struct Property: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its value.
        public var value: PropertyValue

        /// A value under a name.
        public init(_ name: String, _ value: PropertyValue) {
            self.name = name
            self.value = value
        }
    }

    /// A value beside the body.
    public enum PropertyValue: Hashable, Sendable {
        /// A whole number, in the shortest form.
        case integer(Int64)
        /// A whole number in the 64-bit form, on which Mender's `offset` insists.
        case wideInteger(Int64)
        /// A text.
        case text(String)
        /// A truth value.
        case boolean(Bool)
    }

    /// A message of these parts.
    public init(
        proto: ProtocolNumber, type: String, session: String = "", properties: [Property] = [], body: [UInt8] = []
    ) {
        self.proto = proto
        self.type = type
        self.session = session
        self.properties = properties
        self.body = body
    }

    /// The message as bytes.
    public var encoded: [UInt8] {
        var writer = MessagePackWriter(capacity: body.count + 64)
        writer.writeMap(body.isEmpty ? 1 : 2)
        writer.write("hdr")
        let fields = 1 + (type.isEmpty ? 0 : 1) + (session.isEmpty ? 0 : 1) + (properties.isEmpty ? 0 : 1)
        writer.writeMap(fields)
        writer.write("proto")
        writer.writeFullWidth(proto.rawValue)
        if !type.isEmpty {
            writer.write("typ")
            writer.write(type)
        }
        if !session.isEmpty {
            writer.write("sid")
            writer.write(session)
        }
        if !properties.isEmpty {
            writer.write("props")
            writer.writeMap(properties.count)
            for property in properties {
                writer.write(property.name)
                property.value.write(into: &writer)
            }
        }
        if !body.isEmpty {
            writer.write("body")
            writer.write(body)
        }
        return writer.bytes
    }

    /// Reads a message.
    ///
    /// - Parameter bytes: All bytes of one frame.
    /// - Throws: ``WireError`` when they are no message.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self = try MessagePackReader.read(bytes) { (reader) throws(WireError) in
            var envelope: Envelope?
            var body: [UInt8] = []
            try reader.readMap { (key, reader) throws(WireError) in
                switch key {
                case "hdr": envelope = try Envelope(header: &reader)
                case "body":
                    body = try reader.readOptional { (reader) throws(WireError) in try reader.readBytes() } ?? []
                default: try reader.skip()
                }
            }
            var message = try reader.require(envelope, "hdr")
            message.body = body
            return message
        }
    }

    private init(header reader: inout MessagePackReader) throws(WireError) {
        var proto: ProtocolNumber?
        self.init(proto: .control, type: "")
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "proto":
                let start = reader.offset
                guard let number = UInt16(exactly: try reader.readUInt64()) else {
                    throw WireError(.invalidValue, at: start, "proto")
                }
                proto = ProtocolNumber(rawValue: number)
            case "typ": type = try reader.readString()
            case "sid": session = try reader.readString()
            case "props": properties = try Self.readProperties(&reader)
            default: try reader.skip()
            }
        }
        self.proto = try reader.require(proto, "proto")
    }

    private static func readProperties(_ reader: inout MessagePackReader) throws(WireError) -> [Property] {
        guard try !reader.readNil() else { return [] }
        var properties: [Property] = []
        try reader.readMap { (name, reader) throws(WireError) in
            if let value = try reader.readScalar() {
                properties.append(Property(name, value))
            } else {
                try reader.skip()  // foreign tools may put anything here
            }
        }
        return properties
    }
}

extension Envelope.PropertyValue {
    fileprivate func write(into writer: inout MessagePackWriter) {
        switch self {
        case .integer(let number): writer.write(number)
        case .wideInteger(let number): writer.writeFullWidth(number)
        case .text(let text): writer.write(text)
        case .boolean(let boolean): writer.write(boolean)
        }
    }
}

extension MessagePackReader {
    /// A property's value; nil, and nothing read, where the next value is of no type that properties have, or is more
    /// than they hold.
    fileprivate mutating func readScalar() throws(WireError) -> Envelope.PropertyValue? {
        switch try peek() {
        case 0xC2, 0xC3: return .boolean(try readBool())
        case 0xA0...0xBF, 0xD9...0xDB: return .text(try readString())
        case 0xCF:
            var ahead = self
            guard let number = Int64(exactly: try ahead.readUInt64()) else { return nil }
            self = ahead
            return .integer(number)
        case 0x00...0x7F, 0xE0...0xFF, 0xCC...0xCE, 0xD0...0xD3: return .integer(try readInt64())
        default: return nil
        }
    }
}
