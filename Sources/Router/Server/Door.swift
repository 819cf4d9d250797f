import DeviceModel
import NIOCore
import Synchronization
import Transport

/// The door of a router: every connection stands at it until it is known whose it is.
final class Door: Sendable {
    private struct State {
        var keeper: Doorkeeper
        /// How those who stand there are sent away.
        var standing: [Doorkeeper.Ticket: @Sendable () -> Void] = [:]
    }

    private let state: Mutex<State>
    private let proxies: TrustedProxies
    private let time: any TimeSource

    init(_ limits: Doorkeeper.Limits = Doorkeeper.Limits(), proxies: TrustedProxies, time: any TimeSource) {
        state = Mutex(State(keeper: Doorkeeper(limits)))
        (self.proxies, self.time) = (proxies, time)
    }

    /// Somebody comes.
    ///
    /// - Parameter channel: Their connection, on whose event loop this is called.
    /// - Returns: Their place at the door; nil: they are to be sent away.
    /// - Throws: What the pipeline throws.
    func arrive(_ channel: any Channel) throws -> Entrance? {
        let address = channel.remoteAddress?.ipAddress ?? ""
        let source = proxies.contains(address) ? nil : SourceNetwork.of(address)
        let (ticket, sendAway) = state.withLock { state -> (Doorkeeper.Ticket?, (@Sendable () -> Void)?) in
            guard case .admit(let ticket, let oldest) = state.keeper.arrive(from: source, at: time.now) else {
                return (nil, nil)
            }
            state.standing[ticket] = { channel.hangUp() }
            return (ticket, oldest.flatMap { state.standing.removeValue(forKey: $0) })
        }
        sendAway?()
        guard let ticket else { return nil }
        channel.closeFuture.whenComplete { [self] _ in leave(ticket) }
        let limit = UnknownInboundLimit()
        try channel.pipeline.syncOperations.addHandler(limit)
        return Entrance(door: self, ticket: ticket, limit: NIOLoopBound(limit, eventLoop: channel.eventLoop))
    }

    fileprivate func leave(_ ticket: Doorkeeper.Ticket) {
        state.withLock { state in
            state.keeper.leave(ticket)
            state.standing[ticket] = nil
        }
    }
}

/// The place of one connection at the door.
struct Entrance: Sendable {
    fileprivate let door: Door
    fileprivate let ticket: Doorkeeper.Ticket
    fileprivate let limit: NIOLoopBound<UnknownInboundLimit>

    /// It has said something whole, of which nothing has to be kept.
    func heard() {
        limit.eventLoop.execute { limit.value.heard = 0 }
    }

    /// Its password or its token was right: it makes room for no stranger any more, but may not say more than one.
    func makeRoom() { door.leave(ticket) }

    /// It is known whose it is: it stands at the door no more.
    func pass() {
        makeRoom()
        limit.eventLoop.execute { limit.value.isLifted = true }
    }
}

/// Keeps those of whom nothing is known from filling the memory: by long headers, or with a message that never ends.
final class UnknownInboundLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// How many bytes may come between one message and the next; the head of the request counts as one.
    static let bytes = 8_192

    fileprivate var heard = 0
    fileprivate var isLifted = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard += unwrapInboundIn(data).readableBytes
        guard isLifted || heard <= Self.bytes else { return context.channel.hangUp() }
        context.fireChannelRead(data)
    }
}
