package import NIOCore

/// A whole message, as it comes out of a WebSocket and goes into one.
package struct WebSocketMessage: Hashable, Sendable {
    /// Its bytes; those of a text are UTF-8.
    package var data: ByteBuffer
    /// Whether it is a text.
    package var isText: Bool

    package init(data: ByteBuffer, isText: Bool = false) {
        self.data = data
        self.isText = isText
    }
}
