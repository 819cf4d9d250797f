import NIOCore

/// A connection that carries whole messages, whatever is underneath: a WebSocket over TLS or a Unix socket.
///
/// Messages that arrive wait for one reader; when 16 wait, the other end is not read from any more until fewer than 4
/// do, so that neither side needs more memory than the other lets it have.
public final class MessageChannel: Sendable {
    /// The messages that arrive.
    ///
    /// Ends without an error when the other end closed in order, and throws ``TransportError`` otherwise.
    public let inbound: InboundMessages
    /// Who is at the other end.
    public let peer: Peer

    private let channel: any Channel

    /// Who is at the other end, as far as the transport knows.
    public struct Peer: Sendable {
        /// The address of the other end, for logs.
        public var address: String
        /// The other end's IP address without its port; empty where there is none.
        public var host: String
        /// The program at the other end, as it calls itself; empty where it does not say.
        public var agent: String
        /// The public key of the other end's certificate: its SubjectPublicKeyInfo in DER; nil without TLS.
        public var publicKey: [UInt8]?
        /// The id of the user whose process is at the other end of a Unix socket, by the kernel's word; nil elsewhere.
        public var user: UInt32?

        /// Somebody.
        public init(
            address: String, host: String = "", agent: String = "", publicKey: [UInt8]? = nil, user: UInt32? = nil
        ) {
            self.address = address
            self.host = host
            self.agent = agent
            self.publicKey = publicKey
            self.user = user
        }
    }

    init(channel: any Channel, inbound: MessageQueue, peer: Peer) {
        self.channel = channel
        self.inbound = InboundMessages(queue: inbound)
        self.peer = peer
    }

    /// Sends a message, and waits until the network has taken it.
    ///
    /// - Throws: ``TransportError`` when the connection is gone.
    public func send(_ message: [UInt8]) async throws(TransportError) {
        do {
            try await channel.writeAndFlush(message)
        } catch {
            throw TransportError(error, resource: peer.address)
        }
    }

    /// Closes the connection in order, and waits until it is gone: five seconds at most.
    ///
    /// - Parameter code: Why.
    public func close(_ code: CloseCode = .normal) async {
        do {
            try await channel.triggerUserOutboundEvent(code)
        } catch {
            channel.close(promise: nil)  // it is closing, or takes no orders: let go of it
        }
        try? await channel.closeFuture.get()  // safe: a connection that ends with an error has ended too
    }

    /// Closes the connection at once, without a word.
    public func abort() {
        channel.hangUp()
    }
}

/// The messages that arrive on a connection, for one reader.
public struct InboundMessages: AsyncSequence, Sendable {
    let queue: MessageQueue

    /// Reads the messages.
    public func makeAsyncIterator() -> Iterator {
        Iterator(iterator: queue.makeAsyncIterator())
    }

    /// Reads the messages.
    public struct Iterator: AsyncIteratorProtocol {
        var iterator: MessageQueue.AsyncIterator

        /// The next message; nil when the other end has closed in order.
        public mutating func next() async throws -> [UInt8]? {
            try await iterator.next()
        }
    }
}

/// Why a connection is closed (RFC 6455, section 7.4.1).
public enum CloseCode: UInt16, Sendable {
    /// Nothing is left to say.
    case normal = 1_000
    /// This end stops.
    case goingAway = 1_001
    /// The other end broke the rules.
    case protocolError = 1_002
    /// A text came where only bytes are understood.
    case unsupportedData = 1_003
    /// What came is not what it was said to be: a text that is no UTF-8.
    case invalidData = 1_007
    /// The other end may not do what it did.
    case policyViolation = 1_008
    /// A message was longer than allowed.
    case tooLong = 1_009
    /// This end failed.
    case internalError = 1_011
}
