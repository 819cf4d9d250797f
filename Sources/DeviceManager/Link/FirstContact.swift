import DeviceManager
import DeviceModel
import NIOCore
import Transport
import Wire

/// A short conversation of a device with its router that opens no session: one message that the device signs, and what
/// comes of it.
struct FirstContact {
    /// What may be said beside the answer.
    typealias Hear<Answer> = (Envelope) throws -> Answer?

    let access: RouterAccess
    let time: any TimeSource
    let group: any EventLoopGroup
    let software: String

    /// Connects, answers the router's challenge, and listens until the answer is there.
    ///
    /// - Parameters:
    ///   - trust: Which certificates are trusted.
    ///   - message: The message that answers the challenge, for the router's key hash.
    ///   - hear: Takes what the router says: the answer, or nil where it goes on.
    /// - Returns: The answer.
    /// - Throws: An ``ExplainedError`` that says what is in the way.
    func run<Answer: Sendable>(
        trust: TLSTrust, saying message: (Challenge, _ routerKeyHash: [UInt8]) -> Envelope, hear: Hear<Answer>
    ) async throws -> Answer {
        let client = WebSocketClient(group: group, agent: software)
        let channel = try await client.connect(to: access.router.address, path: RouterAccess.path, trust: trust)
        do {
            let answer = try await converse(channel, message, hear)
            await channel.close()
            return answer
        } catch {
            await channel.close()
            throw error
        }
    }

    private func converse<Answer: Sendable>(
        _ channel: MessageChannel, _ message: (Challenge, _ routerKeyHash: [UInt8]) -> Envelope, _ hear: Hear<Answer>
    ) async throws -> Answer {
        for try await bytes in channel.inbound {
            let envelope = try Envelope(decoding: bytes)
            switch envelope.kind {
            case Challenge.kind:
                let challenge = try envelope.decode(Challenge.self)
                try await channel.send(
                    message(challenge, Fingerprint.sha256(channel.peer.publicKey ?? [])).encoded)
            case Heartbeat.kind: try await channel.send(Envelope(Heartbeat(monotonic: time.now)).encoded)
            case ControlError.kind:
                let error = try envelope.decode(ControlError.self)
                throw LinkProblem("the router does not understand this device: \(error.error)")
            case _ where envelope.type == Failure.type: throw LinkProblem(try Failure(in: envelope))
            default: if let answer = try hear(envelope) { return answer }
            }
        }
        throw LinkProblem("the router closed the connection before it had answered")
    }
}
