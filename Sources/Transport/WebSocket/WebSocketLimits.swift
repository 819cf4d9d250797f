public import NIOCore

/// What one end of a WebSocket puts up with.
public struct WebSocketLimits: Hashable, Sendable {
    /// How many bytes a message may have.
    public var messageSize: Int
    /// How long an end may be silent before it is pinged; after two and a quarter of these it counts as gone.
    ///
    /// nil: never, because somebody else watches over the connection.
    public var keepAlive: TimeAmount?
    /// How long the handshake of TCP may take, and once more those of TLS and HTTP together.
    public var connectTimeout: TimeAmount
    /// How long the other end may take to say goodbye.
    public var closeTimeout: TimeAmount

    /// Limits.
    public init(
        messageSize: Int = 1_048_576, keepAlive: TimeAmount? = .seconds(20), connectTimeout: TimeAmount = .seconds(15),
        closeTimeout: TimeAmount = .seconds(5)
    ) {
        self.messageSize = messageSize
        self.keepAlive = keepAlive
        self.connectTimeout = connectTimeout
        self.closeTimeout = closeTimeout
    }
}
