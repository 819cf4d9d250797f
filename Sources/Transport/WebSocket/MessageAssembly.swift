import NIOCore
import NIOWebSocket

/// Puts the pieces of messages together (RFC 6455, sections 5.4 and 5.6), within bounds.
struct MessageAssembly {
    private let limits: WebSocketLimits
    /// The message of which some pieces have come.
    private var message: WebSocketMessage?
    private var pieces = 0
    /// Whole between two texts.
    private var check = UTF8Check()

    init(limits: WebSocketLimits) {
        self.limits = limits
    }

    /// Takes a frame with a text, bytes, or more of either.
    ///
    /// - Returns: The message that ends with it; nil when more is to come.
    /// - Throws: ``WebSocketViolation`` for what may not come, or not now, or not in this size.
    mutating func take(_ frame: WebSocketFrame) throws(WebSocketViolation) -> WebSocketMessage? {
        var message = frame.opcode == .continuation ? try goOn() : try begin(isText: frame.opcode == .text)
        pieces += 1
        guard pieces <= limits.fragmentCount else {
            throw WebSocketViolation(.tooLong, "sends a message in more than \(limits.fragmentCount) pieces")
        }
        guard message.data.readableBytes + frame.length <= limits.messageSize else {
            throw WebSocketViolation(.tooLong, "sends a message of more than \(limits.messageSize) bytes")
        }
        var piece = frame.unmaskedData
        if message.isText {
            guard check.take(piece), !frame.fin || check.isWhole else {
                throw WebSocketViolation(.invalidData, "sends a text that is no UTF-8")
            }
        }
        message.data.writeBuffer(&piece)
        guard !frame.fin else { return message }
        self.message = message
        return nil
    }

    private mutating func begin(isText: Bool) throws(WebSocketViolation) -> WebSocketMessage {
        guard message == nil else {
            throw WebSocketViolation(.protocolError, "begins a message before the end of the last one")
        }
        guard !isText || limits.understandsText else {
            throw WebSocketViolation(.unsupportedData, "sends text, where only bytes are understood")
        }
        pieces = 0
        return WebSocketMessage(data: ByteBuffer(), isText: isText)
    }

    private mutating func goOn() throws(WebSocketViolation) -> WebSocketMessage {
        guard let message else {
            throw WebSocketViolation(.protocolError, "goes on with a message that it never began")
        }
        self.message = nil  // else each piece would copy all that came before it
        return message
    }
}
