import NIOCore

/// Messages on a stream without frames of its own: four bytes with the length, the highest first, then the message.
final class LengthPrefixedDecoder: ByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return .needMoreData }
        guard length <= limit else {
            throw TransportError(.tooLong, "the other end", "sends a message of more than \(limit) bytes")
        }
        guard buffer.readableBytes >= 4 + Int(length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        let message = buffer.readBytes(length: Int(length)) ?? []
        context.fireChannelRead(wrapInboundOut(message))
        return .continue
    }

    func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        return .needMoreData
    }
}

/// The way out: puts the length before the message, and lets go of the stream when the end is wanted.
final class LengthPrefixedEncoder: ChannelOutboundHandler {
    typealias OutboundIn = [UInt8]
    typealias OutboundOut = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = unwrapOutboundIn(data)
        var buffer = context.channel.allocator.buffer(capacity: message.count + 4)
        buffer.writeInteger(UInt32(clamping: message.count))
        buffer.writeBytes(message)
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is CloseCode else { return context.triggerUserOutboundEvent(event, promise: promise) }
        context.flush()
        context.close(promise: promise)
    }
}
