import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import Transport

/// A frame as a test sends it, with whatever is wrong with it.
struct SentFrame: Hashable, Sendable {
    static let continuation: UInt8 = 0
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let ping: UInt8 = 9
    static let pong: UInt8 = 10

    var opcode: UInt8
    var content: [UInt8]
    var isFinal: Bool
    var reservedBits: UInt8
    /// nil: as the sender has to.
    var isMasked: Bool?
    /// In how many bytes its length is written; nil: in as few as it needs.
    var width: Int?
    /// The length that it announces; nil: that of its content.
    var length: UInt64?

    init(
        _ opcode: UInt8, _ content: [UInt8] = [], fin isFinal: Bool = true, reserved: UInt8 = 0, masked: Bool? = nil,
        width: Int? = nil, length: UInt64? = nil
    ) {
        self.opcode = opcode
        self.content = content
        self.isFinal = isFinal
        self.reservedBits = reserved
        self.isMasked = masked
        self.width = width
        self.length = length
    }

    init(_ opcode: UInt8, _ text: String, fin isFinal: Bool = true, reserved: UInt8 = 0) {
        self.init(opcode, Array(text.utf8), fin: isFinal, reserved: reserved)
    }

    /// A Close frame.
    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> SentFrame {
        SentFrame(close, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    /// The frame as it travels (RFC 6455, section 5.2).
    func bytes(toServer: Bool) -> [UInt8] {
        let length = length ?? UInt64(content.count)
        let isMasked = isMasked ?? toServer
        let mask: UInt8 = isMasked ? 0x80 : 0
        var bytes = [(isFinal ? 0x80 : 0) | reservedBits << 4 | opcode]
        switch width ?? (length < 126 ? 1 : length <= UInt16.max ? 3 : 9) {
        case 1: bytes.append(mask | UInt8(length))
        case 3: bytes += [mask | 126] + (0..<2).map { UInt8(truncatingIfNeeded: length >> (8 - 8 * $0)) }
        default: bytes += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        }
        guard isMasked else { return bytes + content }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return bytes + key + content.enumerated().map { $1 ^ key[$0 % 4] }
    }
}

/// What one end of a WebSocket says.
enum Answer: Hashable, Sendable {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    /// nil: without a code.
    case close(UInt16?)
    case other(UInt8)

    static func text(_ text: String) -> Answer { .text(Array(text.utf8)) }

    init(_ frame: WebSocketFrame) {
        var data = frame.data  // the encoder masks it
        let bytes = Array(data.readableBytesView)
        self =
            switch frame.opcode {
            case .text: .text(bytes)
            case .binary: .binary(bytes)
            case .ping: .ping(bytes)
            case .pong: .pong(bytes)
            case .connectionClose: .close(data.readInteger())
            default: .other(UInt8(webSocketOpcode: frame.opcode))
            }
    }
}

/// One end of a WebSocket without a network, which sends every message back.
final class WebSocketBench {
    let channel = EmbeddedChannel()
    private let isServer: Bool
    /// What it found wrong with what came.
    private(set) var errors: [TransportError] = []
    private let echo = Echo()
    /// How many messages it has taken.
    var messageCount: Int { echo.count }

    init(isServer: Bool = true, limits: WebSocketLimits = .understandingAll) throws {
        self.isServer = isServer
        try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(FrameDecoder(isServer: isServer, limit: limits.messageSize)),
            WebSocketMessageHandler(isServer: isServer, limits: limits), echo)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Frames arrive, so many bytes at a time; all at once when it isn't said.
    func take(_ frames: [SentFrame], inPiecesOf size: Int = .max) throws {
        let bytes = frames.flatMap { $0.bytes(toServer: isServer) }
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                try channel.writeInbound(ByteBuffer(bytes: rest.prefix(size)))
            } catch let error as TransportError {
                errors.append(error)
            }
            rest = rest.dropFirst(size)
        }
    }

    /// What it has said since the last look; all of it masked by a client, and none by a server.
    func answers() throws -> [Answer] {
        var answers: [Answer] = []
        while let frame = try channel.readOutbound(as: WebSocketFrame.self) {
            #expect((frame.maskKey == nil) == isServer)
            answers.append(Answer(frame))
        }
        return answers
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = WebSocketMessage
        var count = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            count += 1
            context.writeAndFlush(data, promise: nil)
        }
    }
}

extension WebSocketLimits {
    /// For tests of the rules, which are about texts, too.
    static let understandingAll = {
        var limits = WebSocketLimits(messageSize: 1_000, fragmentCount: 10)
        limits.understandsText = true
        return limits
    }()
}
