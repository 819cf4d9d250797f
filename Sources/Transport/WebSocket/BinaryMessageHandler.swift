import NIOCore

/// Between a WebSocket and those who know messages of bytes alone.
final class BinaryMessageHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketMessage
    typealias InboundOut = [UInt8]
    typealias OutboundIn = [UInt8]
    typealias OutboundOut = WebSocketMessage

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut([UInt8](buffer: unwrapInboundIn(data).data)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = WebSocketMessage(data: ByteBuffer(bytes: unwrapOutboundIn(data)))
        context.write(wrapOutboundOut(message), promise: promise)
    }
}
