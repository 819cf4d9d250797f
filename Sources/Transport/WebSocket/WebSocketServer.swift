import DeviceModel
import NIOCore
public import NIOHTTP1
import NIOWebSocket

/// The server's side of a WebSocket, for a pipeline that somebody else has built up to the HTTP request.
public enum WebSocketServer {
    /// Answers upgrade requests for some paths.
    ///
    /// - Parameters:
    ///   - limits: What a path's connections put up with; nil for a path that has no WebSocket.
    ///   - wait: Asked once for each connection to a path that has one: how long until it may come again, because it is
    ///     too much at the moment; nil: it may come in.
    ///   - source: The address for which a request comes: the other end's, or what its headers `X-Forwarded-For` say.
    ///   - onUpgrade: Takes the connection, on its event loop, and the path.
    /// - Returns: What NIO's typed HTTP upgrade takes.
    public static func upgrader<Result: Sendable>(
        limits: @escaping @Sendable (_ path: String) -> WebSocketLimits?,
        wait: @escaping @Sendable (_ path: String) -> Duration? = { _ in nil },
        source: @escaping @Sendable (_ peer: String, _ forwardedFor: [String]) -> String = { peer, _ in peer },
        onUpgrade: @escaping @Sendable (MessageChannel, _ path: String) -> Result
    ) -> any NIOTypedHTTPServerProtocolUpgrader<Result> {
        NIOTypedWebSocketServerUpgrader<Result>(
            maxFrameSize: WebSocketLimits().messageSize, enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                guard limits(head.uri) != nil else { return reject(channel, .notFound) }
                guard let wait = wait(head.uri) else {
                    return channel.eventLoop.makeSucceededFuture(HTTPHeaders())
                }
                return reject(channel, .serviceUnavailable, retryAfter: wait)
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let handler = WebSocketMessageHandler(
                        isServer: true, limits: limits(head.uri) ?? WebSocketLimits())
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let address = channel.remoteAddress.map { "\($0)" } ?? "somebody"
                    let peer = MessageChannel.Peer(
                        address: address,
                        host: source(channel.remoteAddress?.ipAddress ?? "", head.headers["X-Forwarded-For"]),
                        agent: head.headers.first(name: "User-Agent") ?? "")
                    return onUpgrade(try MessageQueueHandler.add(to: channel, peer: peer), head.uri)
                }
            })
    }

    /// Says why there is no WebSocket, and hangs up: NIO would only hang up.
    private static func reject(
        _ channel: any Channel, _ status: HTTPResponseStatus, retryAfter wait: Duration? = nil
    ) -> EventLoopFuture<HTTPHeaders?> {
        var headers: HTTPHeaders = ["Content-Length": "0", "Connection": "close"]
        if let wait { headers.add(name: "Retry-After", value: "\(max(1, Int64(wait.seconds.rounded(.up))))") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        return channel.writeAndFlush(HTTPServerResponsePart.end(nil)).flatMap { channel.close() }.map { nil }
    }
}
