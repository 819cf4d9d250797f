import DeviceModel
package import NIOCore
package import NIOHTTP1
import NIOWebSocket

/// Answers upgrade requests as RFC 6455, section 4.2 has it: NIO's handshake, and frames and messages after it.
package final class WebSocketServerUpgrader<End: Sendable>: NIOTypedHTTPServerProtocolUpgrader {
    package let supportedProtocol = "websocket"
    package let requiredUpgradeHeaders: [String] = []

    private let limits: @Sendable (_ path: String) -> WebSocketLimits?
    private let onUpgrade: @Sendable (any Channel, HTTPRequestHead) throws -> End
    private let handshake = NIOTypedWebSocketServerUpgrader<Void>(
        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
        upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })

    /// Why there is no WebSocket.
    private struct Refusal {
        var status: HTTPResponseStatus
        var headers: HTTPHeaders = [:]
    }

    /// An upgrader.
    ///
    /// - Parameters:
    ///   - limits: What a path's connections put up with; nil for a path that has no WebSocket.
    ///   - onUpgrade: Puts the end to the pipeline, where messages come out; on the event loop.
    package init(
        limits: @escaping @Sendable (_ path: String) -> WebSocketLimits?,
        onUpgrade: @escaping @Sendable (any Channel, HTTPRequestHead) throws -> End
    ) {
        self.limits = limits
        self.onUpgrade = onUpgrade
    }

    package func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        if let refusal = refusal(of: upgradeRequest) { return Self.answer(channel, refusal) }
        return handshake.buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders
        ).flatMapError { _ in Self.answer(channel, Refusal(status: .badRequest)) }
    }

    package func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<End> {
        channel.eventLoop.makeCompletedFuture { [limits, onUpgrade] in
            let limits = limits(upgradeRequest.uri) ?? WebSocketLimits()
            try WebSocketMessageHandler.add(to: channel, isServer: true, limits: limits)
            return try onUpgrade(channel, upgradeRequest)
        }
    }

    private func refusal(of request: HTTPRequestHead) -> Refusal? {
        guard limits(request.uri) != nil else { return Refusal(status: .notFound) }
        guard request.method == .GET, request.version == .http1_1, request.headers["Host"].count == 1,
            Self.isSound(request.headers)
        else { return Refusal(status: .badRequest) }
        guard request.headers["Sec-WebSocket-Version"] == ["13"] else {
            return Refusal(status: .upgradeRequired, headers: ["Sec-WebSocket-Version": "13"])
        }
        return nil
    }

    /// What NIO does not look at (RFC 6455, section 4.2.1).
    ///
    /// Without `Connection: Upgrade`, and with a body, it would read what follows as frames or as HTTP, as it happens to
    /// arrive.
    private static func isSound(_ headers: HTTPHeaders) -> Bool {
        guard headers[canonicalForm: "Connection"].contains(where: { $0.lowercased() == "upgrade" }) else {
            return false
        }
        let hasBody = headers["Content-Length"].contains { $0 != "0" } || headers.contains(name: "Transfer-Encoding")
        guard !hasBody, headers["Sec-WebSocket-Key"].count == 1 else { return false }
        // 16 bytes in Base64 (RFC 4648, section 4)
        let key = Array(headers["Sec-WebSocket-Key"][0].utf8)
        let isLetter = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return key.count == 24 && key.prefix(22).allSatisfy(isLetter) && key.suffix(2) == [0x3D, 0x3D]
    }

    /// Says why there is no WebSocket, and hangs up: NIO would only hang up.
    private static func answer(_ channel: any Channel, _ refusal: Refusal) -> EventLoopFuture<HTTPHeaders> {
        var headers: HTTPHeaders = ["Content-Length": "0", "Connection": "close"]
        headers.add(contentsOf: refusal.headers)
        let head = HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        return channel.writeAndFlush(HTTPServerResponsePart.end(nil)).flatMap { channel.close() }
            .flatMapThrowing { throw NIOWebSocketUpgradeError.unsupportedWebSocketTarget }
    }
}
