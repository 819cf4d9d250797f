import DeviceModel
import NIOCore
public import NIOHTTP1

/// The server's side of a WebSocket, for a pipeline that somebody else has built up to the HTTP request.
public enum WebSocketServer {
    /// Answers upgrade requests for some paths.
    ///
    /// - Parameters:
    ///   - limits: What a path's connections put up with; nil for a path that has no WebSocket.
    ///   - source: The address for which a request comes: the other end's, or what its headers `X-Forwarded-For` say.
    ///   - onUpgrade: Takes the connection, on its event loop, and the path.
    /// - Returns: What NIO's typed HTTP upgrade takes.
    public static func upgrader<Result: Sendable>(
        limits: @escaping @Sendable (_ path: String) -> WebSocketLimits?,
        source: @escaping @Sendable (_ peer: String, _ forwardedFor: [String]) -> String = { peer, _ in peer },
        onUpgrade: @escaping @Sendable (MessageChannel, _ path: String) -> Result
    ) -> any NIOTypedHTTPServerProtocolUpgrader<Result> {
        WebSocketServerUpgrader(limits: limits) { channel, request in
            let host = source(channel.remoteAddress?.ipAddress ?? "", request.headers["X-Forwarded-For"])
            let peer = MessageChannel.Peer(
                address: channel.remoteAddress.map { "\($0)" } ?? "somebody", host: host,
                agent: request.headers.first(name: "User-Agent") ?? "")
            try channel.pipeline.syncOperations.addHandler(BinaryMessageHandler())
            return onUpgrade(try MessageQueueHandler.add(to: channel, peer: peer), request.uri)
        }
    }
}
