public import DeviceModel
import NIOCore
import NIOPosix
import Transport
public import Wire

/// A connection on which a person asks: to the agent on this machine, or to a router.
public struct ClientConnection: ~Copyable {
    /// How long whoever is asked may take to say anything at all.
    public static let patience: Duration = .seconds(30)
    /// How long a result may take after the time in which the command had to be begun.
    private static let grace: Duration = .seconds(5)

    private let channel: MessageChannel
    private var messages: InboundMessages.Iterator
    private var count = 0
    /// What is added to this machine's clock to have the clock of whom is asked, or one that is behind it; nil: they did
    /// not say.
    private var clockOffset: Duration?

    init(_ channel: MessageChannel, clockOffset: Duration? = nil) {
        self.channel = channel
        self.clockOffset = clockOffset
        messages = channel.inbound.makeAsyncIterator()
    }

    /// Whoever is asked has just said what their clock shows.
    mutating func note(clock: MonotonicTime?) {
        clockOffset = clock.map { $0 - SystemTime.monotonic }
    }

    /// Connects to the agent on this machine.
    ///
    /// - Parameter socket: Its socket.
    /// - Returns: The connection.
    /// - Throws: ``TransportError`` when no agent runs there.
    public static func local(_ socket: String) async throws(ClientError) -> ClientConnection {
        do throws(TransportError) {
            return ClientConnection(
                try await LocalSocket.connect(to: socket, on: .singletonMultiThreadedEventLoopGroup),
                clockOffset: .zero)
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
    ///   - patience: How long the first part of the answer may take; nil: as long as it takes.
    ///   - take: Takes each part of the answer.
    /// - Throws: ``Failure`` when the answer is that there is none; ``NoAnswer`` when none comes in time;
    ///   ``TransportError`` when the connection is gone.
    public mutating func ask(
        _ request: Request, within patience: Duration? = ClientConnection.patience,
        _ take: ([Item]) throws -> Void
    ) async throws {
        count += 1
        let session = "\(count)"
        let dated = clockOffset.map { request.dated(at: SystemTime.monotonic + $0) } ?? request
        let limit = TimeLimit(request.expiry.map { $0 + Self.grace } ?? patience, on: channel)
        defer { limit.cancel() }
        try await channel.send(dated.envelope(session: session).encoded)
        while let envelope = try await receive() {
            limit.cancel()
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
        throw Self.end(channel, limit)
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
        let limit = TimeLimit(Self.patience, on: channel)
        defer { limit.cancel() }
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
        throw Self.end(channel, limit)
    }

    /// Closes the connection in order.
    public consuming func close() async {
        await channel.close()
    }

    private mutating func receive() async throws -> Envelope? {
        try await messages.next().map { bytes throws(WireError) in try Envelope(decoding: bytes) }
    }

    /// Why nothing came any more.
    private static func end(_ channel: MessageChannel, _ limit: borrowing TimeLimit) -> any Error {
        limit.isOver ? NoAnswer(resource: channel.peer.address, duration: limit.duration) : gone(channel)
    }

    private static func gone(_ channel: MessageChannel) -> ClientError {
        ClientError(.unreachable, channel.peer.address, "\(channel.peer.address) closed the connection")
    }
}

/// Whoever was asked takes too long to answer: what was asked for may be done yet.
public struct NoAnswer: ExplainedError, Hashable {
    /// Who was asked.
    public let resource: String
    /// For how long nothing came.
    public let duration: Duration

    /// They can't be reached.
    public var code: ErrorCode { .unreachable }
    /// The failure in words.
    public var description: String { "\(resource) has not answered for \(duration.text)" }
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
