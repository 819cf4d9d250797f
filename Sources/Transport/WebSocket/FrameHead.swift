import NIOCore
import NIOWebSocket

/// The first bytes of a frame (RFC 6455, section 5.2): all that has to be known before any of its content is kept.
struct FrameHead: Hashable {
    /// Whether a message ends with the frame.
    let isFinal: Bool
    let opcode: WebSocketOpcode
    let isMasked: Bool
    /// How many bytes the head itself has, with the masking key.
    let size: Int
    /// How many bytes the content has.
    let length: Int

    private static let opcodes: Set<WebSocketOpcode> = [.continuation, .text, .binary, .connectionClose, .ping, .pong]

    /// Reads the head of a frame; nil when not all of it is there yet.
    ///
    /// - Parameters:
    ///   - bytes: What has arrived.
    ///   - isServer: Whether it has arrived at a server.
    ///   - limit: How many bytes the content may have.
    /// - Throws: ``WebSocketViolation`` as soon as the frame is one that nobody may send.
    init?(_ bytes: ByteBuffer, isServer: Bool, limit: Int) throws(WebSocketViolation) {
        let start = bytes.readerIndex
        guard let first = bytes.getInteger(at: start, as: UInt8.self),
            let second = bytes.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        guard first & 0x70 == 0 else { throw WebSocketViolation(.protocolError, "uses reserved bits") }
        guard let opcode = WebSocketOpcode(encodedWebSocketOpcode: first & 0x0F), Self.opcodes.contains(opcode) else {
            throw WebSocketViolation(.protocolError, "sends a frame of an unknown kind")
        }
        // A client masks all that it sends, a server nothing (section 5.1).
        guard (second & 0x80 != 0) == isServer else { throw WebSocketViolation(.protocolError, "masks wrongly") }
        self.opcode = opcode
        isFinal = first & 0x80 != 0
        isMasked = isServer
        if opcode.isControlOpcode {
            guard isFinal else { throw WebSocketViolation(.protocolError, "sends a control frame in pieces") }
            guard second & 0x7F <= 125 else {
                throw WebSocketViolation(.protocolError, "sends a control frame of more than 125 bytes")
            }
        }
        guard let (length, width) = try Self.length(bytes, at: start + 1) else { return nil }
        guard length <= limit else { throw WebSocketViolation(.tooLong, "sends a frame of more than \(limit) bytes") }
        self.length = Int(length)
        size = 1 + width + (isServer ? 4 : 0)
    }

    /// The length of the content, and in how many bytes it is written: as few as it needs.
    private static func length(
        _ bytes: ByteBuffer, at index: Int
    ) throws(WebSocketViolation) -> (length: UInt64, width: Int)? {
        switch bytes.getInteger(at: index, as: UInt8.self).map({ $0 & 0x7F }) {
        case 126:
            guard let length = bytes.getInteger(at: index + 1, as: UInt16.self) else { return nil }
            guard length > 125 else { throw needless }
            return (UInt64(length), 3)
        case 127:
            guard let length = bytes.getInteger(at: index + 1, as: UInt64.self) else { return nil }
            guard length >> 63 == 0 else { throw WebSocketViolation(.protocolError, "sends a length below zero") }
            guard length > UInt16.max else { throw needless }
            return (length, 9)
        case let length: return length.map { (UInt64($0), 1) }
        }
    }

    private static let needless = WebSocketViolation(.protocolError, "writes a length in more bytes than it needs")
}
