import DeviceModel
import HALTestKit
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import Transport
import Wire

@testable import Router

/// A router without its port: its connections run over Unix sockets, and a test turns its clock.
final class RouterBench: Sendable {
    /// The hash of the public key that the router's certificate would have.
    static let keyHash = [UInt8](repeating: 0xA5, count: 32)
    /// The digest of the CA that the router would have.
    static let caDigest = [UInt8](repeating: 0xCA, count: 32)
    static let password = "correct horse"
    static let code = "123456"

    let time = ManualTime()
    let core: RouterCore
    let hasher = SecretHasher(pepper: [1, 2, 3], rounds: 2)
    let folder: TemporaryDirectory
    private let sockets = Mutex(0)

    init(heartbeat: Duration = .seconds(20)) throws {
        folder = try TemporaryDirectory()
        let store = try RouterStore(inMemoryAt: time)
        let audit = try AuditDesk(folder: folder.path, time: time)
        core = RouterCore(
            settings: RouterSettings(dataDirectory: folder.path, heartbeat: heartbeat), store: store, hasher: hasher,
            audit: audit,
            publicKeyHash: Self.keyHash, caDigest: Self.caDigest, time: time, logger: Self.logger)
    }

    var store: RouterStore { core.store }

    /// An account with ``password`` and ``code``.
    func addAccount(_ name: String) async throws -> RouterStore.Owner {
        try await store.addAccount(
            name, password: try await hasher.hash(password: Self.password), code: try await hasher.hash(code: Self.code)
        )
        return try #require(try await store.account(name)).owner
    }

    /// Lets a test speak for a device, from the router's challenge on.
    func device(_ body: (Talk, Challenge) async throws -> Void) async throws {
        try await connect { [core] channel in
            await DeviceConnection(channel, core, logger: Self.logger).run()
        } body: { talk in
            try await body(talk, try await talk.next(Challenge.self))
        }
    }

    /// Lets a test speak for a device that has proved who it is.
    func device(_ identity: DeviceIdentity, _ body: (Talk, Welcome) async throws -> Void) async throws {
        try await device { talk, challenge in
            try await talk.send(try identity.prove(challenge))
            try await body(talk, try await talk.next(Welcome.self))
        }
    }

    /// Waits until the router has noted a device as one that can be commanded, which it does behind the welcome.
    func untilNoted(_ device: RouterStore.Device) async throws {
        while await !core.switchboard.isConfirmed(device.row) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Lets a test speak for a person who has not logged in yet.
    func person(_ body: (Talk) async throws -> Void) async throws {
        try await connect { [core] channel in
            await PersonConnection(channel: channel, core: core, logger: Self.logger).run()
        } body: { talk in
            try await body(talk)
        }
    }

    /// Lets a test speak for a person who is in.
    func person(_ owner: RouterStore.Owner, _ body: (Talk) async throws -> Void) async throws {
        let (_, token) = try await core.logins.begin(owner)
        try await person { talk in
            try await talk.send(Resume(token: token))
            _ = try await talk.next(SessionGranted.self)
            _ = try await talk.ask(.whoami)  // the time for the login runs no more
            try await body(talk)
        }
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs the router's end of one connection, until the test has said everything at the other one.
    private func connect(
        _ serve: @escaping @Sendable (MessageChannel) async -> Void, body: (Talk) async throws -> Void
    ) async throws {
        let number = sockets.withLock { number in
            number += 1
            return number
        }
        let path = folder.file("\(number).sock")
        let server = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        try await server.executeThenClose { arrivals in
            var iterator = arrivals.makeAsyncIterator()
            let far = try await LocalSocket.connect(to: path, on: .singletonMultiThreadedEventLoopGroup)
            let near = try #require(try await iterator.next())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await serve(near) }
                do {
                    try await body(Talk(far))
                } catch {
                    await far.close()
                    throw error
                }
                await far.close()
            }
        }
    }
}

/// The far end of a connection, for which a test speaks.
final class Talk {
    private let channel: MessageChannel
    private var messages: InboundMessages.Iterator

    init(_ channel: MessageChannel) {
        self.channel = channel
        messages = channel.inbound.makeAsyncIterator()
    }

    func send(_ message: some Message) async throws {
        try await channel.send(Envelope(message).encoded)
    }

    func send(_ envelope: Envelope) async throws {
        try await channel.send(envelope.encoded)
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.send(bytes)
    }

    /// The next message, which must be one of this kind.
    func next<M: Message>(_ type: M.Type) async throws -> M {
        let envelope = try await next()
        guard envelope.kind == M.kind else {
            throw HarnessError(description: "'\(envelope.type)' came, not '\(M.kind.type)'")
        }
        return try envelope.decode(type)
    }

    /// The next message.
    func next() async throws -> Envelope {
        guard let bytes = try await messages.next() else {
            throw HarnessError(description: "the router hung up")
        }
        return try Envelope(decoding: bytes)
    }

    /// The next message, which must be a failure.
    func failure() async throws -> Failure {
        let envelope = try await next()
        guard envelope.type == Failure.type, envelope.proto != .control else {
            throw HarnessError(description: "'\(envelope.type)' came, not a failure")
        }
        return try Failure(in: envelope)
    }

    /// Whether the router hangs up without another word.
    func isHungUp() async -> Bool {
        // safe: a connection that ends with an error has ended too
        (try? await messages.next()) == nil
    }

    /// Asks something, and waits for the whole answer.
    ///
    /// - Throws: ``Failure`` when that is the answer.
    func ask(_ request: Request, id: String = "1") async throws -> [Item] {
        try await send(request.envelope(session: id))
        return try await answer(to: id)
    }

    /// Waits for the whole answer to what was asked.
    ///
    /// - Throws: ``Failure`` when that is the answer.
    func answer(to id: String = "1") async throws -> [Item] {
        var items: [Item] = []
        while true {
            let envelope = try await next()
            #expect(envelope.session == id)
            switch envelope.type {
            case Items.kind.type: items += try envelope.decode(Items.self).items
            case End.kind.type: return items
            case Failure.type: throw try Failure(in: envelope)
            default: throw HarnessError(description: "'\(envelope.type)' is no answer")
            }
        }
    }
}
