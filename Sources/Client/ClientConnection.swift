public import DeviceModel
import NIOCore
import NIOPosix
import Transport
public import Wire

/// A connection on which a person asks: to the agent on this machine, or to a router.
public struct ClientConnection: ~Copyable {
    private let channel: MessageChannel
    private var messages: InboundMessages.Iterator
    private var count = 0

    init(_ channel: MessageChannel) {
        self.channel = channel
        messages = channel.inbound.makeAsyncIterator()
    }

    /// Connects to the agent on this machine.
    ///
    /// - Parameter socket: Its socket.
    /// - Returns: The connection.
    /// - Throws: ``TransportError`` when no agent runs there.
    public static func local(_ socket: String) async throws(ClientError) -> ClientConnection {
        do throws(TransportError) {
            return ClientConnection(
                try await LocalSocket.connect(to: socket, on: .singletonMultiThreadedEventLoopGroup))
        } catch {
            throw ClientError(
                .unreachable, socket,
                "no agent answers at \(socket) (\(error.cause)); is it running, and does M2M_SOCKET name its socket?")
        }
    }

    /// Asks, and hands over the answer part by part.
    ///
    /// - Parameters:
    ///   - request: The question.
    ///   - take: Takes each part of the answer.
    /// - Throws: ``Failure`` when the answer is that there is none; ``TransportError`` when the connection is gone.
    public mutating func ask(_ request: Request, _ take: ([Item]) throws -> Void) async throws {
        count += 1
        let session = "\(count)"
        try await channel.send(request.envelope(session: session).encoded)
        while let envelope = try await receive() {
            if envelope.kind == ControlError.kind {
                let error = try envelope.decode(ControlError.self)
                throw ClientError(.unsupported, channel.peer.address, "\(channel.peer.address) says: \(error.error)")
            }
            if envelope.proto == .accounts, envelope.type == Failure.type { throw try Failure(in: envelope) }
            guard envelope.proto == .requests, envelope.session == session else { continue }
            switch envelope.type {
            case Items.kind.type: try take(try envelope.decode(Items.self).items)
            case End.kind.type: return
            case Failure.type: throw try Failure(in: envelope)
            default: break
            }
        }
        throw Self.gone(channel)
    }

    /// Asks, and waits for the whole answer.
    ///
    /// - Parameter request: The question.
    /// - Returns: The answer.
    /// - Throws: As ``ask(_:_:)``.
    public mutating func ask(_ request: Request) async throws -> [Item] {
        var items: [Item] = []
        try await ask(request) { items += $0 }
        return items
    }

    /// Says a message that is no request, and waits for the one that answers it.
    mutating func exchange(_ message: some Message) async throws -> Envelope {
        try await channel.send(Envelope(message).encoded)
        while let envelope = try await receive() {
            if envelope.kind == ControlError.kind {
                let error = try envelope.decode(ControlError.self)
                throw ClientError(.badRequest, channel.peer.address, "not understood: \(error.error)")
            }
            guard envelope.proto == .accounts else { continue }
            if envelope.type == Failure.type { throw try Failure(in: envelope) }
            return envelope
        }
        throw Self.gone(channel)
    }

    /// Closes the connection in order.
    public consuming func close() async {
        await channel.close()
    }

    private mutating func receive() async throws -> Envelope? {
        try await messages.next().map { bytes throws(WireError) in try Envelope(decoding: bytes) }
    }

    private static func gone(_ channel: MessageChannel) -> ClientError {
        ClientError(.unreachable, channel.peer.address, "\(channel.peer.address) closed the connection")
    }
}

/// Why a person's question was not answered.
public struct ClientError: ExplainedError, Hashable {
    /// The kind of failure.
    public let code: ErrorCode
    /// What it is about.
    public let resource: String
    /// The failure in words.
    public let description: String

    /// Something went wrong.
    public init(_ code: ErrorCode, _ resource: String, _ description: String) {
        self.code = code
        self.resource = resource
        self.description = description
    }
}
