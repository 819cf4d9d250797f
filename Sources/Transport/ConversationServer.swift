import DeviceModel
import Synchronization
public import Wire

/// Serves the requests that arrive on a connection: each is a conversation of its own, up to a bound, until it ends or
/// is stopped, or the connection is gone.
public struct ConversationServer: Sendable {
    /// How many conversations one connection may hold at a time.
    public static let bound = 16

    private let channel: MessageChannel
    private let conversations = Conversations()

    /// - Parameter channel: The connection.
    public init(on channel: MessageChannel) {
        self.channel = channel
    }

    /// Serves until the connection ends.
    ///
    /// - Parameters:
    ///   - messages: What arrives on the connection.
    ///   - answer: Answers one request: sends items, and returns when there are no more, or throws an
    ///     ``ExplainedError``.
    ///   - other: Takes a message that is no request; false when it is not known.
    /// - Throws: ``TransportError`` when the connection broke, and what `other` throws.
    public func run(
        _ messages: inout InboundMessages.Iterator,
        answer: @escaping @Sendable (Request, Conversation) async throws -> Void,
        other: (Envelope) async throws -> Bool = { _ in false }
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            defer {
                conversations.stopAll()
                group.cancelAll()
            }
            while let bytes = try await messages.next() {
                guard let envelope = try await decode(bytes) else { continue }
                if envelope.kind == Stop.kind {
                    conversations.stop(envelope.session)
                } else if let (request, conversation) = try await begin(envelope) {
                    group.addTask { await serve(request, conversation, answer) }
                } else if envelope.kind == ControlError.kind {
                    continue  // an answer to an error would be one too many
                } else if envelope.proto != .requests, try await !other(envelope) {
                    try await channel.send(Envelope(ControlError.unknown(envelope)).encoded)
                }
            }
        }
    }

    private func decode(_ bytes: [UInt8]) async throws -> Envelope? {
        do throws(WireError) {
            return try Envelope(decoding: bytes)
        } catch {
            try await channel.send(Envelope(ControlError("what arrived is no message: \(error)")).encoded)
            return nil
        }
    }

    /// The request in an envelope, and its conversation; nil when there is none, which has been said where it matters.
    private func begin(_ envelope: Envelope) async throws -> (Request, Conversation)? {
        guard envelope.proto == .requests else { return nil }
        do {
            guard let request = try Request(in: envelope) else {
                try await channel.send(Envelope(ControlError.unknown(envelope)).encoded)
                return nil
            }
            let conversation = Conversation(id: envelope.session, channel: channel)
            try conversations.begin(conversation)
            return (request, conversation)
        } catch let error as any ExplainedError where !(error is TransportError) {
            try await channel.send(
                Failure(error.code, error.description).envelope(.requests, session: envelope.session).encoded)
            return nil
        }
    }

    private func serve(
        _ request: Request, _ conversation: Conversation,
        _ answer: @Sendable (Request, Conversation) async throws -> Void
    ) async {
        do {
            try await answer(request, conversation)
            conversations.end(conversation)
            try await channel.send(Envelope(End(), session: conversation.id).encoded)
        } catch {
            conversations.end(conversation)
            let explained = error as? any ExplainedError
            let failure = Failure(explained?.code ?? .internalFailure, error.explanation)
            let answer = failure.envelope(.requests, session: conversation.id)
            try? await channel.send(answer.encoded)  // safe: else the connection is gone, and its reader says so
        }
        conversation.finish()
    }
}

/// One request and its answer.
public final class Conversation: Sendable {
    /// How many bytes a message has before it is sent in two: the other end takes 1 MiB.
    private static let portion = 262_144

    /// The session id of its messages.
    public let id: String
    private let channel: MessageChannel
    private let stopping = Mutex<(isStopped: Bool, action: (@Sendable () -> Void)?)>((false, nil))
    private let finishing = Mutex<(@Sendable () -> Void)?>(nil)

    init(id: String, channel: MessageChannel) {
        self.id = id
        self.channel = channel
    }

    /// Sends a part of the answer, and waits until the network has taken it.
    ///
    /// - Parameter items: The pieces.
    /// - Throws: ``TransportError`` when the connection is gone.
    public func send(_ items: [Item]) async throws(TransportError) {
        guard !items.isEmpty else { return }
        let message = Envelope(Items(items), session: id).encoded
        guard message.count > Self.portion, items.count > 1 else { return try await channel.send(message) }
        try await send(Array(items.prefix(items.count / 2)))
        try await send(Array(items.dropFirst(items.count / 2)))
    }

    /// Does something once the other end has heard enough, or is gone; at once where that is so already.
    ///
    /// - Parameter action: What ends the answer.
    public func onStop(_ action: @escaping @Sendable () -> Void) {
        let isStopped = stopping.withLock { stopping in
            stopping.action = action
            return stopping.isStopped
        }
        if isStopped { action() }
    }

    /// Does something once the answer's end has been sent, or could not be.
    ///
    /// - Parameter action: What the other end is to notice after the answer, such as the end of its connection.
    public func onFinish(_ action: @escaping @Sendable () -> Void) {
        finishing.withLock { $0 = action }
    }

    func finish() {
        finishing.withLock { $0.take() }?()
    }

    func stop() {
        let action = stopping.withLock { stopping in
            stopping.isStopped = true
            return stopping.action
        }
        action?()
    }
}

/// The conversations of one connection.
private final class Conversations: Sendable {
    private let open = Mutex<[String: Conversation]>([:])

    func begin(_ conversation: Conversation) throws(Failure) {
        let problem = open.withLock { open -> Failure? in
            if open[conversation.id] != nil {
                return Failure(.conflict, "a conversation '\(conversation.id)' is going on already")
            }
            if open.count >= ConversationServer.bound {
                return Failure(.busy, "\(ConversationServer.bound) conversations are going on already")
            }
            open[conversation.id] = conversation
            return nil
        }
        if let problem { throw problem }
    }

    func end(_ conversation: Conversation) {
        open.withLock { _ = $0.removeValue(forKey: conversation.id) }
    }

    func stop(_ id: String) {
        open.withLock { $0[id] }?.stop()
    }

    func stopAll() {
        for conversation in open.withLock({ Array($0.values) }) { conversation.stop() }
    }
}
