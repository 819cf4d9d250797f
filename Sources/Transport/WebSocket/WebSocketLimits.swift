public import NIOCore

/// What one end of a WebSocket puts up with.
public struct WebSocketLimits: Hashable, Sendable {
    /// How many bytes a message may have.
    public var messageSize: Int
    /// In how many pieces a message may come.
    public var fragmentCount: Int
    /// How long an end may be silent before it is pinged; after two and a quarter of these it counts as gone.
    ///
    /// nil: never, because somebody else watches over the connection.
    public var keepAlive: TimeAmount?
    /// How long the handshake of TCP may take, and once more those of TLS and HTTP together.
    public var connectTimeout: TimeAmount
    /// How long the other end may take to say goodbye.
    public var closeTimeout: TimeAmount
    /// Whether texts may come, and not bytes alone: nobody here says anything in text, but RFC 6455 has rules for it.
    package var understandsText = false

    /// Limits.
    public init(
        messageSize: Int = 1_048_576, fragmentCount: Int = 1_024, keepAlive: TimeAmount? = .seconds(20),
        connectTimeout: TimeAmount = .seconds(15), closeTimeout: TimeAmount = .seconds(5)
    ) {
        self.messageSize = messageSize
        self.fragmentCount = fragmentCount
        self.keepAlive = keepAlive
        self.connectTimeout = connectTimeout
        self.closeTimeout = closeTimeout
    }
}
