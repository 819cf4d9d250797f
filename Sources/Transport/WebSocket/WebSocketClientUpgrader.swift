import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Asks for a WebSocket as RFC 6455, section 4.1 has it: NIO's handshake, and frames and messages after it.
final class WebSocketClientUpgrader<End: Sendable>: NIOTypedHTTPClientProtocolUpgrader {
    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []

    private let limits: WebSocketLimits
    private let onUpgrade: @Sendable (any Channel) throws -> End
    private let handshake = NIOTypedWebSocketClientUpgrader<Void> { channel, _ in
        channel.eventLoop.makeSucceededVoidFuture()
    }

    /// An upgrader.
    ///
    /// - Parameters:
    ///   - limits: What the connection puts up with.
    ///   - onUpgrade: Puts the end to the pipeline, where messages come out; on the event loop.
    init(limits: WebSocketLimits, onUpgrade: @escaping @Sendable (any Channel) throws -> End) {
        self.limits = limits
        self.onUpgrade = onUpgrade
    }

    func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
        handshake.addCustom(upgradeRequestHeaders: &upgradeRequestHeaders)
    }

    /// NIO looks at the proof that the server has understood; a server may not promise what nobody asked for, either.
    func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool {
        let headers = upgradeResponse.headers
        return handshake.shouldAllowUpgrade(upgradeResponse: upgradeResponse)
            && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
            && headers["Sec-WebSocket-Extensions"].isEmpty && headers["Sec-WebSocket-Protocol"].isEmpty
    }

    func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<End> {
        channel.eventLoop.makeCompletedFuture { [limits, onUpgrade] in
            try WebSocketMessageHandler.add(to: channel, isServer: false, limits: limits)
            return try onUpgrade(channel)
        }
    }
}
