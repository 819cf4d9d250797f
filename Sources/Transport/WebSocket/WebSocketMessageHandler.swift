import NIOCore
import NIOWebSocket

/// Turns WebSocket frames into messages and back (RFC 6455): puts fragments together, answers pings, closes in order,
/// and holds the other end to the rules.
final class WebSocketMessageHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = [UInt8]
    typealias OutboundIn = [UInt8]
    typealias OutboundOut = WebSocketFrame

    private enum State {
        case open
        /// This end has said that it closes.
        case closing
        case closed
    }

    private let isServer: Bool
    private let limits: WebSocketLimits
    private var state = State.open
    private var fragments: ByteBuffer?
    private var fragmentCount = 0
    /// In how many pieces a message may come.
    private static let fragmentBound = 1_024
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    private var watch: Scheduled<Void>?

    init(isServer: Bool, limits: WebSocketLimits) {
        self.isServer = isServer
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = context.eventLoop.now
        if let interval = limits.keepAlive { keepAlive(context, every: interval) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        watch?.cancel()
        context.fireChannelInactive()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        lastHeard = context.eventLoop.now
        guard state != .closed else { return }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return fail(context, .protocolError, "uses reserved bits") }
        guard (frame.maskKey != nil) == isServer else { return fail(context, .protocolError, "masks wrongly") }
        switch frame.opcode {
        case .binary: begin(context, frame)
        case .continuation: goOn(context, frame)
        case .text: fail(context, .unsupportedData, "sends text, where only bytes are understood")
        case .ping: answer(context, frame)
        case .pong: break
        case .connectionClose: close(context, frame)
        default: fail(context, .protocolError, "sends a frame of an unknown kind")
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ frame: WebSocketFrame) {
        guard fragments == nil else {
            return fail(context, .protocolError, "begins a message before the end of the last one")
        }
        fragmentCount = 1
        deliver(context, frame, ByteBuffer())
    }

    private func goOn(_ context: ChannelHandlerContext, _ frame: WebSocketFrame) {
        guard let message = fragments else {
            return fail(context, .protocolError, "goes on with a message that it never began")
        }
        fragmentCount += 1
        guard fragmentCount <= Self.fragmentBound else {
            return fail(context, .tooLong, "sends a message in more than \(Self.fragmentBound) pieces")
        }
        fragments = nil  // else each piece would copy all that came before it
        deliver(context, frame, message)
    }

    private func deliver(_ context: ChannelHandlerContext, _ frame: WebSocketFrame, _ before: consuming ByteBuffer) {
        var message = before
        var data = frame.unmaskedData
        guard message.readableBytes + data.readableBytes <= limits.messageSize else {
            return fail(context, .tooLong, "sends a message of more than \(limits.messageSize) bytes")
        }
        message.writeBuffer(&data)
        fragments = frame.fin ? nil : message
        if frame.fin, state == .open { context.fireChannelRead(wrapInboundOut([UInt8](buffer: message))) }
    }

    private func answer(_ context: ChannelHandlerContext, _ frame: WebSocketFrame) {
        // Who does not read gets no answers; only the newest ping needs one (section 5.5.3).
        guard state == .open, context.channel.isWritable else { return }
        write(context, .pong, frame.unmaskedData)
    }

    private func close(_ context: ChannelHandlerContext, _ frame: WebSocketFrame) {
        var data = frame.unmaskedData
        let isAnswer = state == .closing
        state = .closed
        // An empty body is allowed, half a code is not.
        let echo = data.readableBytes == 1 ? nil : data.readSlice(length: min(2, data.readableBytes))
        guard !isAnswer else { return finish(context) }
        write(context, .connectionClose, echo ?? code(.protocolError)).whenComplete { [context = context.loopBound] _ in
            context.value.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? NIOWebSocketError else { return context.fireErrorCaught(error) }
        switch error {
        case .invalidFrameLength: fail(context, .tooLong, "sends a frame of more than \(limits.messageSize) bytes")
        default: fail(context, .protocolError, "breaks the rules of WebSocket: \(error)")
        }
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let message = ByteBuffer(bytes: unwrapOutboundIn(data))
        context.write(wrapOutboundOut(frame(.binary, message)), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let reason = event as? CloseCode else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        beginClosing(context, reason)
        promise?.succeed()
    }

    private func beginClosing(_ context: ChannelHandlerContext, _ reason: CloseCode) {
        guard state == .open else { return }
        state = .closing
        write(context, .connectionClose, code(reason))
        // The other end has a moment to answer, and no more.
        let context = context.loopBound
        context.eventLoop.scheduleTask(in: limits.closeTimeout) { context.value.close(promise: nil) }
    }

    /// After the other end's last word: a server hangs up, a client lets it, for a moment (section 7.1.1).
    private func finish(_ context: ChannelHandlerContext) {
        context.close(promise: nil)
    }

    private func fail(_ context: ChannelHandlerContext, _ reason: CloseCode, _ cause: String) {
        guard state == .open else { return context.close(promise: nil) }
        let address = context.remoteAddress.map { "\($0)" } ?? "the other end"
        let kind: TransportError.Kind = reason == .tooLong ? .tooLong : .violation
        let sent = write(context, .connectionClose, code(reason))
        state = .closed
        context.fireErrorCaught(TransportError(kind, address, cause))
        sent.whenComplete { [context = context.loopBound] _ in context.value.close(promise: nil) }
    }

    @discardableResult
    private func write(
        _ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer
    ) -> EventLoopFuture<Void> {
        let promise = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(frame(opcode, data)), promise: promise)
        return promise.futureResult
    }

    /// A client masks what it sends, a server does not (section 5.1).
    private func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: isServer ? nil : .random(), data: data)
    }

    private func code(_ reason: CloseCode) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(reason.rawValue)
        return buffer
    }

    // MARK: Keeping alive

    /// Pings the other end when it was silent for an interval, and hangs up after two and a quarter.
    private func keepAlive(_ context: ChannelHandlerContext, every interval: TimeAmount) {
        let loopBound = context.loopBound
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleTask(in: interval) { handler.value.look(loopBound.value, interval) }
    }

    private func look(_ context: ChannelHandlerContext, _ interval: TimeAmount) {
        let silence = context.eventLoop.now - lastHeard
        if silence > interval * 9 / 4 {
            let address = context.remoteAddress.map { "\($0)" } ?? "the other end"
            context.fireErrorCaught(TransportError(.lost, address, "is gone: it has not answered for a while"))
            return context.close(promise: nil)
        }
        if silence >= interval / 2, state == .open { write(context, .ping, ByteBuffer()) }
        keepAlive(context, every: interval)
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
