import DeviceManager
import DeviceModel
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// The router's end of a device's connection, which a test plays word by word.
struct RouterEnd {
    let channel: MessageChannel
    /// Cancels the device's end.
    var cancelDevice: @Sendable () -> Void = {}
    /// What it has of each epoch that it has heard of.
    private(set) var receptions: [StreamReception] = []
    private var messages: InboundMessages.Iterator

    static let nonce = (0..<32).map { UInt8($0) }

    init(_ channel: MessageChannel) {
        self.channel = channel
        messages = channel.inbound.makeAsyncIterator()
    }

    func say(_ message: some Message) async throws {
        try await channel.send(Envelope(message).encoded)
    }

    func say(_ envelope: Envelope) async throws {
        try await channel.send(envelope.encoded)
    }

    /// The next message; it has to come.
    mutating func next() async throws -> Envelope {
        guard let bytes = try await messages.next() else { throw HarnessError(description: "the device has closed") }
        return try Envelope(decoding: bytes)
    }

    /// The next message; nil when the device has closed.
    mutating func nextUntilClosed() async throws -> Envelope? {
        try await messages.next().map { try Envelope(decoding: $0) }
    }

    /// The next message, which has to be of a type.
    mutating func next<M: Message>(_ type: M.Type, _ place: SourceLocation = #_sourceLocation) async throws -> M {
        let envelope = try await next()
        try #require(envelope.kind == M.kind, "\(envelope.kind)", sourceLocation: place)
        return try envelope.decode(M.self)
    }

    /// Whether the device has closed the connection: nothing more has come.
    mutating func isClosed() async throws -> Bool {
        try await messages.next() == nil
    }

    /// The next thing of a kind among what the device observed; each batch is acknowledged.
    mutating func observed<Found>(_ find: (Observation.Content) -> Found?) async throws -> Found {
        while true {
            let envelope = try await next()
            guard envelope.kind == ObservationBatch.kind else { continue }
            let batch = try envelope.decode(ObservationBatch.self)
            try await acknowledge(batch)
            if let found = batch.items.compactMap({ find($0.observation.content) }).first { return found }
        }
    }

    /// Stores a batch, and says so.
    mutating func acknowledge(_ batch: ObservationBatch) async throws {
        var reception = StreamReception(stream: batch.stream, epoch: batch.epoch, received: SequenceRanges())
        let index = receptions.firstIndex { $0.stream == batch.stream && $0.epoch == batch.epoch }
        if let index { reception = receptions.remove(at: index) }
        for item in batch.items { reception.received.insert(item.sequence...item.sequence) }
        for gap in batch.gaps { reception.received.insert(gap.numbers) }
        receptions.append(reception)
        try await say(Acknowledgement(reception, batch: batch.number))
    }

    /// The result of the next command.
    mutating func result() async throws -> CommandResult {
        try await observed { content in if case .result(let result) = content { result } else { nil } }
    }

    /// Lets the device in.
    ///
    /// - Parameters:
    ///   - heartbeat: How often it says that it will send one.
    ///   - streams: What it has of the device's streams.
    /// - Throws: When the device does not answer as it should.
    /// - Returns: How it proved who it is.
    @discardableResult
    mutating func welcome(
        heartbeat: Duration = .seconds(20), streams: [StreamReception] = []
    ) async throws -> Prove {
        receptions = streams
        try await say(Challenge(nonce: Self.nonce))
        let prove = try await next(Prove.self)
        try await say(Welcome(owner: "anna", heartbeat: heartbeat, streams: streams))
        _ = try await next(DescriptionMessage.self)
        return prove
    }
}

/// The two ends of a connection over a socket.
private func connection(over path: String) async throws -> (device: MessageChannel, router: MessageChannel) {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = try await LocalSocket.listen(on: path, group: group)
    return try await server.executeThenClose { connections in
        let device = try await LocalSocket.connect(to: path, on: group)
        var iterator = connections.makeAsyncIterator()
        return (device, try #require(try await iterator.next()))
    }
}

extension LinkedDevice {
    /// A session of this device on a connection.
    ///
    /// - Returns: The session, and what runs it: it gives the reason why it ended.
    func begin(
        on channel: MessageChannel, signing key: DeviceKey? = nil
    ) -> (connection: LinkConnection, run: Task<(any Error)?, Never>) {
        let identity = LinkSession.Identity(
            device: manager.description.id, boot: manager.time.boot,
            publicKey: key?.publicKey ?? SessionUnderTest.publicKey, routerKeyHash: SessionUnderTest.routerKeyHash,
            sign: { key?.sign($0) ?? SessionUnderTest.sign($0) })
        let connection = LinkConnection(channel, identity, manager, backlogRate: 1_000) { [manager] _ in
            manager.link.update(.connected)
        } onLoss: { [manager] in
            manager.link.update(.reconnecting)
        }
        let run = Task { () -> (any Error)? in
            do {
                try await connection.run()
                return nil
            } catch {
                return error
            }
        }
        return (connection, run)
    }

    /// A session of this device, over a socket, with a router that a test plays and that hangs up when the test is over;
    /// gives the reason why the session ended.
    func session(
        signing key: DeviceKey? = nil, _ body: (inout RouterEnd) async throws -> Void
    ) async throws -> (any Error)? {
        let ends = try await connection(over: folder.file("link.sock"))
        let task = begin(on: ends.device, signing: key).run
        var router = RouterEnd(ends.router)
        router.cancelDevice = { task.cancel() }
        do {
            try await body(&router)
        } catch {
            task.cancel()
            await ends.router.close()
            _ = await task.value
            throw error
        }
        await ends.router.close()
        return await task.value
    }
}
