import NIOCore
import Transport

/// Sends every message back as it came, at once: before whatever came after it is looked at.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketMessage
    typealias OutboundOut = WebSocketMessage

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    /// The other end is here to do what it may not do: what is below closes then.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Keeps the newest message until the connection ends.
final class LastMessageHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketMessage

    private let promise: EventLoopPromise<String>
    private var last = ""

    init(_ promise: EventLoopPromise<String>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        last = String(buffer: unwrapInboundIn(data).data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.succeed(last)
    }
}
