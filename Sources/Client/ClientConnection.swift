public import DeviceModel
import NIOCore
import NIOPosix
import Transport
public import Wire

/// A connection on which a person asks: to the agent on this machine, or to a router.
public struct ClientConnection: ~Copyable {
    /// How long whoever is asked may take to say anything at all.
    public static let patience: Duration = .seconds(30)
    /// How long the answer to a command may take after the time in which that had to be begun: the router's own 5 s, and
    /// the way back.
    static let grace: Duration = .seconds(7)

    private let channel: MessageChannel
    private let time: any TimeSource
    private var messages: InboundMessages.Iterator
    private var count = 0
    /// What is added to this machine's clock to have the clock of whom is asked, or one that is behind it; nil: they did
    /// not say.
    private var clockOffset: Duration?

    init(_ channel: MessageChannel, clockOffset: Duration? = nil, time: any TimeSource) {
        self.channel = channel
        self.clockOffset = clockOffset
        self.time = time
        messages = channel.inbound.makeAsyncIterator()
    }

    /// Whoever is asked has just said what their clock shows.
    mutating func note(clock: MonotonicTime?) {
        clockOffset = clock.map { $0 - time.now }
    }

    /// Connects to the agent on this machine.
    ///
    /// - Parameters:
    ///   - socket: Its socket.
    ///   - time: The clock; nil: this machine's.
    /// - Returns: The connection.
    /// - Throws: ``ClientError`` when no agent runs there.
    public static func local(
        _ socket: String, time: (any TimeSource)? = nil
    ) async throws(ClientError) -> ClientConnection {
        let time = try clock(time)
        do throws(TransportError) {
            return ClientConnection(
                try await LocalSocket.connect(to: socket, on: .singletonMultiThreadedEventLoopGroup),
                clockOffset: .zero, time: time)
        } catch {
            throw ClientError(
                .unreachable, socket,
                "no agent answers at \(socket) (\(error.cause)); is it running, and does M2M_SOCKET name its socket?")
        }
    }

    /// A clock, or this machine's.
    static func clock(_ time: (any TimeSource)?) throws(ClientError) -> any TimeSource {
        if let time { return time }
        do throws(SystemTimeError) {
            return try SystemTime()
        } catch {
            throw ClientError(error.code, error.resource, error.description)
        }
    }

    /// Asks, and hands over the answer part by part.
    ///
    /// What has to be begun in a time has to be answered soon after that, and wholly.
    ///
    /// - Parameters:
    ///   - request: The question.
    ///   - patience: How long the first part of the answer to any other question may take; nil: as long as it takes.
    ///   - take: Takes each part of the answer.
    /// - Throws: ``Failure`` when the answer is that there is none; ``ClientError`` when the session is over, or the other
    ///   end does not know such a question; ``NoAnswer`` when none comes in time, or the connection is closed before its
    ///   end; ``TransportError`` when the connection is lost.
    public mutating func ask(
        _ request: Request, within patience: Duration? = ClientConnection.patience,
        _ take: ([Item]) throws -> Void
    ) async throws {
        count += 1
        let session = "\(count)"
        let dated = clockOffset.map { request.dated(at: time.now + $0) } ?? request
        let limit = TimeLimit(request.expiry.map { $0 + Self.grace } ?? patience, on: channel, time)
        defer { limit.cancel() }
        try await channel.send(dated.envelope(session: session).encoded)
        while let envelope = try await receive(limit) {
            if envelope.kind == ControlError.kind {
                let error = try envelope.decode(ControlError.self)
                throw ClientError(.unsupported, channel.peer.address, "\(channel.peer.address) says: \(error.error)")
            }
            if envelope.proto == .accounts, envelope.type == Failure.type {
                // The session is over, which says nothing of what was asked.
                let failure = try Failure(in: envelope)
                throw ClientError(failure.code, channel.peer.address, failure.message)
            }
            guard envelope.proto == .requests, envelope.session == session else { continue }
            if request.expiry == nil { limit.cancel() }
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
    /// - Throws: As ``ask(_:within:_:)``.
    public mutating func ask(_ request: Request) async throws -> [Item] {
        var items: [Item] = []
        try await ask(request) { items += $0 }
        return items
    }

    /// Asks, and waits for the whole answer; gives the security code first where that is wanted.
    ///
    /// - Parameters:
    ///   - request: The question.
    ///   - code: Asked for the security code.
    /// - Returns: The answer.
    /// - Throws: As ``ask(_:within:_:)``, and what `code` throws.
    public mutating func ask(_ request: Request, code: () throws -> String) async throws -> [Item] {
        do {
            return try await ask(request)
        } catch let failure as Failure where failure.code == .codeRequired {
            _ = try await exchange(Code(code: try code()))
            return try await ask(request)
        }
    }

    /// Says a message that is no request, and waits for the one that answers it.
    mutating func exchange(_ message: some Message) async throws -> Envelope {
        let limit = TimeLimit(Self.patience, on: channel, time)
        defer { limit.cancel() }
        try await channel.send(Envelope(message).encoded)
        while let envelope = try await receive(limit) {
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

    private mutating func receive(_ limit: borrowing TimeLimit) async throws -> Envelope? {
        do {
            return try await messages.next().map { bytes throws(WireError) in try Envelope(decoding: bytes) }
        } catch let error as TransportError {
            // TLS makes an error of it when this end hangs up and the other one does not answer to that either.
            throw limit.isOver ? Self.end(channel, limit) : error
        }
    }

    /// Why nothing came any more.
    private static func end(_ channel: MessageChannel, _ limit: borrowing TimeLimit) -> NoAnswer {
        let waited = Duration.seconds(max(1, limit.duration.seconds.rounded()))
        let cause = limit.isOver ? "has not answered for \(waited.text)" : "closed the connection"
        // The agent on this machine is the one who proves nothing by a certificate.
        let advice = channel.peer.publicKey == nil ? "does the agent still run?" : "is the network there?"
        return NoAnswer(resource: channel.peer.address, cause: cause, advice: "\(advice) Try again")
    }
}

/// Whoever was asked has not answered, or not to the end: what was asked for may be done yet.
public struct NoAnswer: ExplainedError, Hashable {
    /// Who was asked.
    public let resource: String
    /// What they did instead, as the rest of a sentence that begins with them.
    let cause: String
    /// What to do.
    let advice: String

    /// They can't be reached.
    public var code: ErrorCode { .unreachable }
    /// What happened, without what to do: for whoever knows that better, or does it anyway.
    public var fact: String { "\(resource) \(cause)" }
    /// The failure in words.
    public var description: String { "\(fact); \(advice)" }
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
