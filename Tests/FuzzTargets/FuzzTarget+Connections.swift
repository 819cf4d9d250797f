import DeviceModel
import NIOCore
import Transport

extension FuzzTarget {
    /// What arrives on a connection, before anybody knows who is at the other end.
    static let connections = [upgrade, lengthPrefixed, webSocket]

    // MARK: The Unix socket

    private static let lengthPrefixed = FuzzTarget("length-prefixed") { (bytes) throws(BrokenPromise) in
        let outcome = try same(bytes) { channel in
            try Framing.addLengths(to: channel)
        }
        var (rest, messages, isOpen) = (bytes[...], [[UInt8]](), true)
        while isOpen, rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            isOpen = length <= LocalSocket.messageSize
            guard isOpen, rest.count >= 4 + length else { break }
            messages.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        guard outcome == FuzzChannel.Outcome(messages: messages, isOpen: isOpen) else {
            throw BrokenPromise("\(outcome) instead of \(messages.map(\.hexadecimal))")
        }
        return isOpen ? .read : .refused("a message is too long")
    }

    // MARK: WebSockets

    /// The first byte says which end it is, and whether a message of more than 64 bytes is too long.
    private static let webSocket = FuzzTarget("websocket-frames") { (bytes) throws(BrokenPromise) in
        let settings = bytes.first ?? 0
        let limits = WebSocketLimits(messageSize: settings & 2 == 0 ? WebSocketLimits().messageSize : 64)
        let model = WebSocketModel(isServer: settings & 1 == 0, limits: limits)
        let frames = Array(bytes.dropFirst())
        // What a client says is masked at random.
        let essence = { (outcome: FuzzChannel.Outcome) in
            guard !model.isServer else { return outcome }
            var outcome = outcome
            outcome.said = WebSocketModel.frames(outcome.said).flatMap { [$0.opcode] + $0.payload }
            return outcome
        }
        let outcome = try same(frames, in: essence) { channel in
            try Framing.addWebSocket(to: channel, isServer: model.isServer, limits: limits)
        }
        guard outcome.messages == model.messages(frames) else {
            throw BrokenPromise("\(outcome) instead of \(model.messages(frames).map(\.hexadecimal))")
        }
        let answers = WebSocketModel.frames(outcome.said)
        for (index, answer) in answers.enumerated() {
            let isLast = index == answers.count - 1
            guard answer.isMasked != model.isServer, answer.isFinal, answer.reserved == 0, answer.payload.count <= 125,
                answer.opcode == 0xA || answer.opcode == 0x8 && isLast && !outcome.isOpen
            else { throw BrokenPromise("\(answer) is said") }
        }
        return outcome.isOpen ? .read : .refused("hung up")
    }

    // MARK: The router's port

    /// What a connection became.
    private enum Kind: Sendable {
        case webSocket(MessageChannel)
        case http
    }

    /// A request that may become a WebSocket, and whatever follows it.
    private static let upgrade = FuzzTarget("http-upgrade") { (bytes) throws(BrokenPromise) in
        let upgrader = WebSocketServer.upgrader { path in
            ["/api/v1/link", "/api/devices/v1/link"].contains(path) ? WebSocketLimits() : nil
        } onUpgrade: { channel, _ in
            Kind.webSocket(channel)
        }
        // Where a request ends that is none is up to NIO, and not always the same; what it gets as an answer is.
        let essence = { (outcome: FuzzChannel.Outcome) in FuzzChannel.Outcome(said: Array(outcome.said.prefix(12))) }
        let outcome = try same(bytes, in: essence) { channel in
            let kind = try WebSocketServer.configure(channel, upgrader: upgrader) { channel in
                channel.eventLoop.makeSucceededFuture(Kind.http)
            }
            // Somebody has to hold the connection for as long as it lasts.
            channel.closeFuture.whenComplete { _ in kind.whenComplete { _ in } }
        }
        let answer = String(decoding: outcome.said.prefix(12), as: UTF8.self)
        guard answer.isEmpty || answer.hasPrefix("HTTP/1.1 ") else { throw BrokenPromise("'\(answer)' is said") }
        return answer == "HTTP/1.1 101" && outcome.isOpen ? .read : .refused(answer.isEmpty ? "no answer" : answer)
    }

    // MARK: Bytes in pieces

    /// What comes of bytes: the same, whether they arrive at once or a few at a time.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - essence: What has to be the same.
    ///   - configure: Puts handlers into the pipeline of a connection.
    /// - Returns: What comes of them at once.
    /// - Throws: ``BrokenPromise``.
    private static func same(
        _ bytes: [UInt8], in essence: (FuzzChannel.Outcome) -> FuzzChannel.Outcome = { $0 },
        _ configure: (any Channel) throws -> Void
    ) throws(BrokenPromise) -> FuzzChannel.Outcome {
        let outcomes: [FuzzChannel.Outcome]
        do {
            outcomes = try [bytes.count, bytes.count / 256].map { count in
                try FuzzChannel(configure).receive(bytes, count: max(1, count))
            }
        } catch {
            throw BrokenPromise("no connection: \(error)")
        }
        guard essence(outcomes[0]) == essence(outcomes[1]) else {
            throw BrokenPromise("at once: \(outcomes[0]); in pieces: \(outcomes[1])")
        }
        return outcomes[0]
    }
}
