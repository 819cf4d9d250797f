import NIOCore
public import NIOHTTP1
import NIOWebSocket

/// The server's side of a WebSocket, for a pipeline that somebody else has built up to the HTTP request.
public enum WebSocketServer {
    /// Answers upgrade requests for some paths.
    ///
    /// - Parameters:
    ///   - limits: What a path's connections put up with; nil for a path that has no WebSocket.
    ///   - onUpgrade: Takes the connection, on its event loop, and the path.
    /// - Returns: What NIO's typed HTTP upgrade takes.
    public static func upgrader<Result: Sendable>(
        limits: @escaping @Sendable (_ path: String) -> WebSocketLimits?,
        onUpgrade: @escaping @Sendable (MessageChannel, _ path: String) -> Result
    ) -> any NIOTypedHTTPServerProtocolUpgrader<Result> {
        NIOTypedWebSocketServerUpgrader<Result>(
            maxFrameSize: WebSocketLimits().messageSize, enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(limits(head.uri) == nil ? nil : HTTPHeaders())
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let handler = WebSocketMessageHandler(
                        isServer: true, limits: limits(head.uri) ?? WebSocketLimits())
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let address = channel.remoteAddress.map { "\($0)" } ?? "somebody"
                    let peer = MessageChannel.Peer(address: address, host: channel.remoteAddress?.ipAddress ?? "")
                    return onUpgrade(try MessageQueueHandler.add(to: channel, peer: peer), head.uri)
                }
            })
    }
}
