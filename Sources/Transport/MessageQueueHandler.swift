import NIOCore

/// What lies between a pipeline and the reader of its messages.
typealias MessageQueue = NIOThrowingAsyncSequenceProducer<
    [UInt8], any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, MessageQueueDelegate
>

/// The end of every pipeline: hands messages to the reader of a ``MessageChannel``, and stops reading from the network
/// while too many wait.
final class MessageQueueHandler: ChannelDuplexHandler {
    typealias InboundIn = [UInt8]
    typealias OutboundIn = [UInt8]
    typealias OutboundOut = [UInt8]

    private let resource: String
    private var source: MessageQueue.Source?
    private var isFull = false
    private var isReadWaiting = false
    private var context: ChannelHandlerContext?
    private var failure: (any Error)?

    private init(resource: String) {
        self.resource = resource
    }

    /// Puts the end to a pipeline.
    ///
    /// - Parameters:
    ///   - channel: The channel, on whose event loop this is called.
    ///   - peer: Who is at the other end.
    /// - Returns: The face of the connection.
    /// - Throws: What the pipeline throws.
    static func add(to channel: any Channel, peer: MessageChannel.Peer) throws -> MessageChannel {
        let handler = MessageQueueHandler(resource: peer.address)
        let delegate = MessageQueueDelegate(handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        let new = MessageQueue.makeSequence(
            elementType: [UInt8].self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 4, highWatermark: 16), finishOnDeinit: false, delegate: delegate)
        handler.source = new.source
        try channel.pipeline.syncOperations.addHandler(handler)
        return MessageChannel(channel: channel, inbound: new.sequence, peer: peer)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let source, case .stopProducing = source.yield(unwrapInboundIn(data)) else { return }
        isFull = true
    }

    func read(context: ChannelHandlerContext) {
        if isFull { isReadWaiting = true } else { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = failure ?? TransportError(error, resource: resource)
        finish()
        // Who knows how to close has done so by now, or does: there may be a last word for the other end.
        context.triggerUserOutboundEvent(CloseCode.protocolError, promise: nil)
    }

    /// The reader has caught up.
    func produceMore() {
        isFull = false
        guard isReadWaiting, let context else { return }
        isReadWaiting = false
        context.read()
    }

    /// The reader is gone: so is the connection, in order, unless somebody has closed it with other words by now.
    func close() {
        source = nil
        produceMore()
        context?.triggerUserOutboundEvent(CloseCode.goingAway, promise: nil)
    }

    private func finish() {
        if let failure { source?.finish(failure) } else { source?.finish() }
        source = nil
        produceMore()  // the last word of the other end is waited for, too
    }
}

/// Brings what the reader does back to the event loop.
struct MessageQueueDelegate: NIOAsyncSequenceProducerDelegate {
    let handler: NIOLoopBound<MessageQueueHandler>

    /// The reader has caught up.
    func produceMore() {
        handler.eventLoop.execute { handler.value.produceMore() }
    }

    /// The reader is gone.
    func didTerminate() {
        handler.eventLoop.execute { handler.value.close() }
    }
}
