public import NIOCore
public import NIOHTTP1

extension WebSocketServer {
    /// Makes a pipeline in which an HTTP request becomes a WebSocket where it asks for one.
    ///
    /// - Parameters:
    ///   - channel: The connection, on whose event loop this is called; where there is TLS, it is there already.
    ///   - upgrader: Answers requests for a WebSocket.
    ///   - otherwise: Takes a connection whose first request asks for none.
    /// - Returns: What the connection has become, as soon as that is known.
    /// - Throws: What the pipeline throws.
    public static func configure<Result: Sendable>(
        _ channel: any Channel, upgrader: any NIOTypedHTTPServerProtocolUpgrader<Result>,
        otherwise: @escaping @Sendable (any Channel) -> EventLoopFuture<Result>
    ) throws -> EventLoopFuture<Result> {
        let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Result>(
            upgraders: [upgrader], notUpgradingCompletionHandler: otherwise)
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration(upgradeConfiguration: upgrade)
        configuration.enablePipelining = false  // one request after the other; what serves HTTP sees to it
        return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
    }
}
