public import DeviceModel
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The client's side of a WebSocket over TLS.
public struct WebSocketClient: Sendable {
    private let group: any EventLoopGroup
    private let limits: WebSocketLimits
    private let agent: String

    /// How a connection was answered.
    private enum Answer<End: Sendable>: Sendable {
        case accepted(End)
        /// The head of the answer comes as soon as NIO has let go of it.
        case rejected(EventLoopFuture<HTTPResponseHead>)
    }

    /// A client.
    ///
    /// - Parameters:
    ///   - group: Where its connections live.
    ///   - agent: The program and its version, for the server's logs.
    ///   - limits: What its connections put up with.
    public init(group: any EventLoopGroup, agent: String, limits: WebSocketLimits = WebSocketLimits()) {
        self.group = group
        self.agent = agent
        self.limits = limits
    }

    /// Makes a connection: TCP, TLS with the server's certificate and name verified, and the upgrade to WebSocket.
    ///
    /// - Parameters:
    ///   - address: The server.
    ///   - path: What is asked for.
    ///   - trust: Which certificates are trusted.
    /// - Returns: The connection.
    /// - Throws: ``TransportError`` that says at which of the steps it failed, and why.
    public func connect(
        to address: RouterAddress, path: String, trust: TLSTrust
    ) async throws(TransportError) -> MessageChannel {
        try await connect(to: address, path: path, trust: trust) { channel, peer in
            try channel.pipeline.syncOperations.addHandler(BinaryMessageHandler())
            return try MessageQueueHandler.add(to: channel, peer: peer)
        }
    }

    /// Makes a connection, and lets the caller put the end to its pipeline.
    ///
    /// - Parameters:
    ///   - address: The server.
    ///   - path: What is asked for.
    ///   - trust: Which certificates are trusted; nil: there is no TLS, which is for test suites alone.
    ///   - onUpgrade: Puts the end to the pipeline, where messages come out; on the event loop.
    /// - Returns: What that has made.
    /// - Throws: ``TransportError`` that says at which of the steps it failed, and why.
    package func connect<End: Sendable>(
        to address: RouterAddress, path: String, trust: TLSTrust?,
        onUpgrade: @escaping @Sendable (any Channel, MessageChannel.Peer) throws -> End
    ) async throws(TransportError) -> End {
        let attempt = Attempt()
        do {
            let tls = try trust?.context()
            return try await withTaskCancellationHandler {
                let upgrade = try await bootstrap(attempt).connect(host: address.host, port: address.port) { channel in
                    prepare(channel, address, path, tls, attempt, onUpgrade)
                }
                let timeout = upgrade.eventLoop.scheduleTask(in: limits.connectTimeout) { attempt.abort() }
                defer { timeout.cancel() }
                switch try await upgrade.get() {
                case .accepted(let end): return end
                case .rejected(let head): throw Self.rejection(try await head.get(), address)
                }
            } onCancel: {
                attempt.abort()
            }
        } catch {
            attempt.abort()
            throw await Self.explain(attempt.firstError ?? error, address, trust, group)
        }
    }

    private func bootstrap(_ attempt: Attempt) -> ClientBootstrap {
        ClientBootstrap(group: group)
            .connectTimeout(limits.connectTimeout)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.tcpOption(.userTimeout), value: TCPSettings.userTimeout)
            .channelOption(.tcpOption(.notSentLowWaterMark), value: TCPSettings.notSentLowWaterMark)
            .channelInitializer { channel in
                attempt.begin(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
    }

    private func prepare<End: Sendable>(
        _ channel: any Channel, _ address: RouterAddress, _ path: String, _ tls: NIOSSLContext?, _ attempt: Attempt,
        _ onUpgrade: @escaping @Sendable (any Channel, MessageChannel.Peer) throws -> End
    ) -> EventLoopFuture<EventLoopFuture<Answer<End>>> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let tls { try CertificateGuard.add(to: channel, tls, host: address.host) }
            try pipeline.addHandler(FirstErrorHandler(attempt))
            let upgrader = WebSocketClientUpgrader<Answer<End>>(limits: limits) { channel in
                .accepted(try onUpgrade(channel, try Self.peer(of: channel, address, hasTLS: tls != nil)))
            }
            var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                    upgradeRequestHead: request(address, path), upgraders: [upgrader]
                ) { channel in channel.eventLoop.makeSucceededFuture(.rejected(RejectionHandler.head(on: channel))) })
            // The server may say its first word in the same packet as its consent.
            configuration.leftOverBytesStrategy = .forwardBytes
            return try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
        }
    }

    private static func peer(
        of channel: any Channel, _ address: RouterAddress, hasTLS: Bool
    ) throws -> MessageChannel.Peer {
        guard hasTLS else { return MessageChannel.Peer(address: "\(address)") }
        let certificate = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
        return MessageChannel.Peer(
            address: "\(address)", publicKey: try certificate?.extractPublicKey().toSPKIBytes())
    }

    private func request(_ address: RouterAddress, _ path: String) -> HTTPRequestHead {
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        let port = address.port == RouterAddress.standardPort ? "" : ":\(address.port)"
        return HTTPRequestHead(
            version: .http1_1, method: .GET, uri: path,
            headers: ["Host": "\(host)\(port)", "User-Agent": agent, "Content-Length": "0"])
    }

    // MARK: Why not

    private static func rejection(_ head: HTTPResponseHead, _ address: RouterAddress) -> TransportError {
        let seconds = head.headers.first(name: "Retry-After").flatMap { Int64($0) }
        let retryAfter = seconds.map { Duration.seconds(max(0, min($0, 86_400))) }
        let cause =
            switch head.status {
            case .notFound, .ok: "is no m2m router: it answered \(head.status.code) \(head.status.reasonPhrase)"
            case .serviceUnavailable: "is too busy at the moment"
            default: "does not want this connection: \(head.status.code) \(head.status.reasonPhrase)"
            }
        return TransportError(.rejected, "\(address)", cause, retryAfter: retryAfter)
    }

    private static func explain(
        _ error: any Error, _ address: RouterAddress, _ trust: TLSTrust?, _ group: any EventLoopGroup
    ) async -> TransportError {
        if let error = error as? TLSTrustError { return TransportError(.untrusted, "\(address)", error.description) }
        if error is NIOHTTPClientUpgradeError {
            return TransportError(.rejected, "\(address)", "does not keep to the handshake of WebSocket")
        }
        guard let trust, TLSDiagnosis.knows(error) else { return TransportError(error, resource: "\(address)") }
        let cause = await TLSDiagnosis.words(for: error, address, trust, group)
        return TransportError(cause.kind, "\(address)", cause.words)
    }
}

/// One try to connect: its channels, as soon as there are any, and the first thing that went wrong.
final class Attempt: Sendable {
    private struct State {
        /// One for each address of a host that has several.
        var channels: [any Channel] = []
        var isAborted = false
        var error: (any Error)?
    }

    private let state = Mutex(State())

    func begin(_ channel: any Channel) {
        let isAborted = state.withLock { state in
            state.channels.append(channel)
            return state.isAborted
        }
        if isAborted { channel.close(promise: nil) }
    }

    func abort() {
        let channels = state.withLock { state in
            state.isAborted = true
            return state.channels
        }
        for channel in channels { channel.close(promise: nil) }
    }

    func note(_ error: any Error) {
        state.withLock { $0.error = $0.error ?? error }
    }

    var firstError: (any Error)? { state.withLock { $0.error } }
}

/// Notes the first error of a handshake: what the promises at the end tell is only that the connection was closed.
private final class FirstErrorHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny
    private let attempt: Attempt

    init(_ attempt: Attempt) {
        self.attempt = attempt
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        attempt.note(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}

/// Waits for the head of an answer that is no upgrade.
private final class RejectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<HTTPResponseHead>

    private init(_ promise: EventLoopPromise<HTTPResponseHead>) {
        self.promise = promise
    }

    static func head(on channel: any Channel) -> EventLoopFuture<HTTPResponseHead> {
        let promise = channel.eventLoop.makePromise(of: HTTPResponseHead.self)
        do {
            try channel.pipeline.syncOperations.addHandler(RejectionHandler(promise))
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        promise.succeed(head)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.inputClosed)
    }
}
