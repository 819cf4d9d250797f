package import NIOCore

/// What lies between the bytes of a connection and the messages on it, for whoever makes channels of their own.
package enum Framing {
    /// Messages of bytes in WebSocket frames (RFC 6455).
    ///
    /// - Parameters:
    ///   - channel: The channel, on whose event loop this is called.
    ///   - isServer: Whether this end is the server.
    ///   - limits: What it puts up with.
    /// - Throws: What the pipeline throws.
    package static func addWebSocket(to channel: any Channel, isServer: Bool, limits: WebSocketLimits) throws {
        try WebSocketMessageHandler.add(to: channel, isServer: isServer, limits: limits)
        try channel.pipeline.syncOperations.addHandler(BinaryMessageHandler())
    }

    /// Messages with their lengths before them, as on the Unix socket.
    ///
    /// - Parameter channel: The channel, on whose event loop this is called.
    /// - Throws: What the pipeline throws.
    package static func addLengths(to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(LengthPrefixedDecoder(limit: LocalSocket.messageSize)), LengthPrefixedEncoder())
    }
}
