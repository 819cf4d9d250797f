import DeviceModel
import NIOCore
import NIOEmbedded
import Transport

/// A connection in memory: bytes arrive, and what this end makes of them and answers is written down.
final class FuzzChannel {
    /// What came of the bytes.
    struct Outcome: Hashable, CustomStringConvertible {
        /// The messages that were delivered.
        var messages: [[UInt8]] = []
        /// What this end said.
        var said: [UInt8] = []
        /// Whether this end has not hung up.
        var isOpen = true

        /// All of it in words.
        var description: String {
            let delivered = messages.map { $0.hexadecimal }
            let words = String(decoding: said, as: UTF8.self).debugDescription
            return "\(delivered) delivered, \(words) said\(isOpen ? "" : ", and hung up")"
        }
    }

    /// Longer than anybody has to say goodbye, and shorter than anybody may be silent.
    private static let patience = WebSocketLimits().closeTimeout + .seconds(1)

    private let channel = EmbeddedChannel()
    private let probe = MessageProbe()

    /// A connection.
    ///
    /// - Parameter configure: Puts handlers into its pipeline, the last of which delivers messages or nothing.
    /// - Throws: What the pipeline throws.
    init(_ configure: (any Channel) throws -> Void) throws {
        try configure(channel)
        try channel.pipeline.syncOperations.addHandler(probe)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Lets bytes arrive.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; what comes after this end has hung up is lost.
    ///   - count: How many arrive at a time.
    /// - Returns: What came of them.
    /// - Throws: What the channel throws.
    func receive(_ bytes: [UInt8], count: Int) throws -> Outcome {
        var rest = bytes[...]
        while !rest.isEmpty, channel.isActive {
            _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
            channel.embeddedEventLoop.run()
        }
        channel.embeddedEventLoop.advanceTime(by: Self.patience)
        var outcome = Outcome(isOpen: channel.isActive)
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { outcome.said += piece.readableBytesView }
        outcome.messages = probe.messages
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
        return outcome
    }
}

/// The end of a pipeline, until it is made longer: keeps the messages, and closes at the first error, as a connection's
/// own end does.
private final class MessageProbe: ChannelInboundHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any

    var messages: [[UInt8]] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let message = unwrapInboundIn(data) as? [UInt8] { messages.append(message) }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let closed = context.eventLoop.makePromise(of: Void.self)
        context.triggerUserOutboundEvent(CloseCode.protocolError, promise: closed)
        // What knows no way to close in order, such as HTTP, hangs up.
        closed.futureResult.whenFailure { [context = context.loopBound] _ in context.value.close(promise: nil) }
    }
}
