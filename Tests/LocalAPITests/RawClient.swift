import DeviceModel
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

/// A program on the local socket that says whatever a test likes.
struct RawClient {
    let channel: MessageChannel
    private var messages: InboundMessages.Iterator

    init(_ socket: String) async throws {
        channel = try await LocalSocket.connect(to: socket, on: .singletonMultiThreadedEventLoopGroup)
        messages = channel.inbound.makeAsyncIterator()
    }

    func say(_ envelope: Envelope) async throws {
        try await channel.send(envelope.encoded)
    }

    func say(_ bytes: [UInt8]) async throws {
        try await channel.send(bytes)
    }

    func stop(_ session: String) async throws {
        try await say(Envelope(Stop(), session: session))
    }

    /// The next message; it has to come.
    mutating func next() async throws -> Envelope {
        guard let bytes = try await messages.next() else { throw HarnessError(description: "the agent has closed") }
        return try Envelope(decoding: bytes)
    }

    /// The next message, which has to be of a type.
    mutating func next<M: Message>(_ type: M.Type, _ place: SourceLocation = #_sourceLocation) async throws -> M {
        let envelope = try await next()
        try #require(envelope.kind == M.kind, "\(envelope.kind)", sourceLocation: place)
        return try envelope.decode(M.self)
    }

    /// The next message, which has to be a refusal in a conversation.
    mutating func refusal(_ session: String) async throws -> Failure {
        let envelope = try await next()
        #expect(envelope.proto == .requests)
        #expect(envelope.type == Failure.type)
        #expect(envelope.session == session)
        return try Failure(in: envelope)
    }

    /// Whether the agent has closed the connection, in order or not.
    mutating func isClosed() async -> Bool {
        do {
            while try await messages.next() != nil {}
        } catch {
            return error is TransportError
        }
        return true
    }
}
