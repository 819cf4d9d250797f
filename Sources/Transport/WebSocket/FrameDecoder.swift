import NIOCore
import NIOWebSocket

/// Finds the frames in what arrives.
///
/// NIO's own decoder leaves reserved bits, opcodes and masks to others, takes a length in too many bytes, and waits for
/// a whole frame that it could refuse by its head.
final class FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = WebSocketFrame

    private let isServer: Bool
    private let limit: Int
    /// Of the frame whose content is still on its way.
    private var head: FrameHead?

    /// A decoder.
    ///
    /// - Parameters:
    ///   - isServer: Whether this end is the server.
    ///   - limit: How many bytes the content of a frame may have.
    init(isServer: Bool, limit: Int) {
        self.isServer = isServer
        self.limit = limit
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        head = try head ?? FrameHead(buffer, isServer: isServer, limit: limit)
        guard let head, buffer.readableBytes >= head.size + head.length else { return .needMoreData }
        self.head = nil
        // The masking key is the end of the head.
        let key = head.isMasked ? buffer.viewBytes(at: buffer.readerIndex + head.size - 4, length: 4) : nil
        let mask = key.flatMap { WebSocketMaskingKey($0) }
        buffer.moveReaderIndex(forwardBy: head.size)
        guard let data = buffer.readSlice(length: head.length) else { return .needMoreData }
        let frame = WebSocketFrame(fin: head.isFinal, opcode: head.opcode, maskKey: mask, data: data)
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }
}
