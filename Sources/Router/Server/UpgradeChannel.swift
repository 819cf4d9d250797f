import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import ServiceLifecycle
import Transport

/// One port for everything: WebSockets of devices and of people, and plain HTTP for whatever else is asked.
struct UpgradeChannel: ServerChildChannel, HTTPChannelHandler {
    /// What a connection turned out to be.
    enum Kind: Sendable {
        case device(MessageChannel, Entrance)
        case person(MessageChannel, Entrance)
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
    }

    /// A connection whose kind is being found out.
    struct Value: ServerChildChannelValue {
        let kind: EventLoopFuture<Kind>
        let channel: any Channel
    }

    /// The path on which devices connect.
    static let devicePath = "/api/devices/v1/link"
    /// The path on which people connect.
    static let personPath = "/api/v1/link"

    let responder: HTTPChannelHandler.Responder
    let core: RouterCore

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let entrance = try core.door.arrive(channel) else {
                channel.hangUp()
                return Value(kind: channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel), channel: channel)
            }
            // Who has closed one direction has closed both: TLS would wait five seconds for words that can't come.
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            // The kernel notices, too, that nobody is there any more, also while this end has something to say.
            try channel.syncOptions?.setOption(.tcpOption(.userTimeout), value: TCPSettings.userTimeout)
            try channel.syncOptions?.setOption(
                .tcpOption(.notSentLowWaterMark), value: TCPSettings.notSentLowWaterMark)
            let upgrader = WebSocketServer.upgrader(limits: Self.limits, source: source) { channel, path in
                path == Self.devicePath ? Kind.device(channel, entrance) : .person(channel, entrance)
            }
            let kind = try WebSocketServer.configure(channel, upgrader: upgrader, otherwise: Self.http)
            Self.hangUp(on: channel, unless: kind)
            return Value(kind: kind, channel: channel)
        }
    }

    /// Who has not become a WebSocket in time takes a place from others: TLS, the request and a page have 10 s.
    private static func hangUp(on channel: any Channel, unless kind: EventLoopFuture<Kind>) {
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(10)) { channel.hangUp() }
        kind.whenSuccess { kind in
            if case .http = kind { return }
            timeout.cancel()
        }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    private static func limits(_ path: String) -> WebSocketLimits? {
        switch path {
        case devicePath: WebSocketLimits(keepAlive: nil)  // the session's heartbeats watch over it
        case personPath: WebSocketLimits()
        default: nil
        }
    }

    /// The address for which a request comes, where a trusted proxy stands between.
    private func source(_ peer: String, _ forwardedFor: [String]) -> String {
        core.settings.trustedProxies.source(peer: peer, forwardedFor: forwardedFor)
    }

    private static func http(_ channel: any Channel) -> EventLoopFuture<Kind> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: true))
            return .http(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.kind.get() {
            case .device(let channel, let entrance):
                await untilShutdown(channel) {
                    await DeviceConnection(channel, core, entrance: entrance, logger: logger).run()
                }
            case .person(let channel, let entrance):
                await untilShutdown(channel) {
                    await PersonConnection(channel: channel, core: core, entrance: entrance, logger: logger).run()
                }
            case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
            }
        } catch {
            logger.debug("connection came to nothing", metadata: ["reason": "\(error)"])
        }
    }

    /// A router that stops does not wait for connections that would last for ever.
    private func untilShutdown(_ channel: MessageChannel, _ body: () async -> Void) async {
        await withGracefulShutdownHandler {
            await body()
        } onGracefulShutdown: {
            channel.abort()
        }
    }
}
