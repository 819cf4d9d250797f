import NIOCore
import NIOWebSocket

/// Turns WebSocket frames into messages and back (RFC 6455): answers pings, closes in order, and holds the other end to
/// the rules.
final class WebSocketMessageHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketMessage
    typealias OutboundIn = WebSocketMessage
    typealias OutboundOut = WebSocketFrame

    private enum State {
        case open
        /// This end has said that it closes.
        case closing
        /// Both have, or one has broken the rules: what still comes is let go of.
        case closed
    }

    private let isServer: Bool
    private let limits: WebSocketLimits
    private var state = State.open
    private var assembly: MessageAssembly
    /// What the newest ping said that could not be answered yet.
    private var ping: ByteBuffer?
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    private var watch: Scheduled<Void>?
    private var farewell: Scheduled<Void>?

    init(isServer: Bool, limits: WebSocketLimits) {
        self.isServer = isServer
        self.limits = limits
        assembly = MessageAssembly(limits: limits)
    }

    /// Puts frames and messages to the end of a pipeline.
    ///
    /// - Parameters:
    ///   - channel: The channel, on whose event loop this is called.
    ///   - isServer: Whether this end is the server.
    ///   - limits: What it puts up with.
    /// - Throws: What the pipeline throws.
    static func add(to channel: any Channel, isServer: Bool, limits: WebSocketLimits) throws {
        try channel.pipeline.syncOperations.addHandlers(
            WebSocketFrameEncoder(),
            ByteToMessageHandler(FrameDecoder(isServer: isServer, limit: limits.messageSize)),
            WebSocketMessageHandler(isServer: isServer, limits: limits))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = context.eventLoop.now
        if let interval = limits.keepAlive { keepAlive(context, every: interval) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        cancelTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        context.fireChannelInactive()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        lastHeard = context.eventLoop.now
        guard state != .closed else { return }
        do throws(WebSocketViolation) {
            switch frame.opcode {
            case .ping: answer(context, frame.unmaskedData)
            case .pong: break
            case .connectionClose: close(context, try CloseBody(frame.unmaskedData))
            default:
                guard let message = try assembly.take(frame), state == .open else { return }
                context.fireChannelRead(wrapInboundOut(message))
            }
        } catch {
            fail(context, error)
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ ping: ByteBuffer) {
        // Who does not read is answered later: only the newest ping needs it (section 5.5.3).
        guard context.channel.isWritable else { return self.ping = ping }
        self.ping = nil
        write(context, .pong, ping)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let ping, state != .closed, context.channel.isWritable {
            self.ping = nil
            write(context, .pong, ping)
        }
        context.fireChannelWritabilityChanged()
    }

    private func close(_ context: ChannelHandlerContext, _ body: CloseBody) {
        let isAnswer = state == .closing
        finish(context, after: isAnswer ? nil : write(context, .connectionClose, body.answer))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let violation = error as? WebSocketViolation { return fail(context, violation) }
        // After the last word nothing matters any more, least of all what follows the frame that broke the rules.
        guard state != .closed else { return }
        state = .closed
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let message = unwrapOutboundIn(data)
        context.write(wrapOutboundOut(frame(message.isText ? .text : .binary, message.data)), promise: promise)
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
        write(context, .connectionClose, ByteBuffer(integer: reason.rawValue))
        limitFarewell(context)
    }

    /// Tells the other end what it did, and hears no more of it (section 7.1.7).
    private func fail(_ context: ChannelHandlerContext, _ violation: WebSocketViolation) {
        guard state != .closed else { return }
        guard state == .open else { return finish(context, after: nil) }
        finish(context, after: write(context, .connectionClose, ByteBuffer(integer: violation.code.rawValue)))
        let kind: TransportError.Kind = violation.code == .tooLong ? .tooLong : .violation
        context.fireErrorCaught(TransportError(kind, address(context), violation.cause))
    }

    /// After the last word of this end: a server hangs up, and a client lets it do so (section 7.1.1).
    private func finish(_ context: ChannelHandlerContext, after lastWord: EventLoopFuture<Void>?) {
        state = .closed
        limitFarewell(context)
        guard isServer else { return }
        guard let lastWord else { return context.close(promise: nil) }
        lastWord.whenComplete { [context = context.loopBound] _ in context.value.close(promise: nil) }
    }

    /// The other end has a moment for its part, and no more.
    private func limitFarewell(_ context: ChannelHandlerContext) {
        guard farewell == nil else { return }
        farewell = context.eventLoop.scheduleTask(in: limits.closeTimeout) { [channel = context.channel] in
            channel.hangUp()
        }
    }

    /// Who is at the other end, for whoever reads of an error.
    private func address(_ context: ChannelHandlerContext) -> String {
        context.remoteAddress.map { "\($0)" } ?? "the other end"
    }

    private func cancelTimers() {
        watch?.cancel()
        farewell?.cancel()
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
            state = .closed
            let cause = "is gone: it has not answered for a while"
            context.fireErrorCaught(TransportError(.lost, address(context), cause))
            return context.channel.hangUp()
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
