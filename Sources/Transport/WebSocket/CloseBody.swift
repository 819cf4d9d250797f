import NIOCore

/// What a Close frame says (RFC 6455, section 5.5.1): nothing, or a code and perhaps a reason.
struct CloseBody: Hashable {
    /// Why the other end closes; nil: it does not say.
    let code: UInt16?

    /// Reads the content of a Close frame.
    ///
    /// - Throws: ``WebSocketViolation`` for half a code, one that nobody may send, or a reason that is no text.
    init(_ data: ByteBuffer) throws(WebSocketViolation) {
        var rest = data
        code = rest.readInteger()
        guard let code else {
            guard rest.readableBytes == 0 else { throw WebSocketViolation(.protocolError, "closes with half a code") }
            return
        }
        guard Self.isSendable(code) else {
            throw WebSocketViolation(.protocolError, "closes with the code \(code), which nobody may send")
        }
        guard UTF8Check.isText(rest) else {
            throw WebSocketViolation(.invalidData, "closes with a reason that is no UTF-8")
        }
    }

    /// The codes that are registered, and those that are left to libraries and programs (sections 7.4.1 and 7.4.2, and
    /// IANA's list of close codes); 1005, 1006 and 1015 are for an end's own use.
    private static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1_000...1_003, 1_007...1_014, 3_000...4_999: true
        default: false
        }
    }

    /// The content of the answer: the same code (section 5.5.1).
    var answer: ByteBuffer {
        code.map { ByteBuffer(integer: $0) } ?? ByteBuffer()
    }
}
