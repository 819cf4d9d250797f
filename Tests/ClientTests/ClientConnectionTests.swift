import DeviceModel
import HALTestKit
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

@testable import Client

/// The agent's or the router's end of a person's connection, which a test plays.
struct OtherEnd {
    let channel: MessageChannel
    private var messages: InboundMessages.Iterator

    init(_ channel: MessageChannel) {
        self.channel = channel
        messages = channel.inbound.makeAsyncIterator()
    }

    func say(_ message: some Message, session: String = "") async throws {
        try await channel.send(Envelope(message, session: session).encoded)
    }

    /// The next message.
    mutating func hear() async throws -> Envelope {
        guard let bytes = try await messages.next() else { throw HarnessError(description: "the person has closed") }
        return try Envelope(decoding: bytes)
    }

    /// The next request; its conversation.
    mutating func next() async throws -> (Request, session: String) {
        let envelope = try await hear()
        return (try #require(try Request(in: envelope)), envelope.session)
    }
}

/// A person's question gets its own answer, whole or not at all, and whatever is in the way is said in words.
@Suite(.timeLimit(.minutes(1))) struct ClientConnectionTests {
    private let folder: TemporaryDirectory
    private let time = ManualTime()

    init() throws {
        folder = try TemporaryDirectory()
    }

    private static let items = (1...5).map { number in
        Item.device(DeviceSummary(device: "greenhouse", label: "\(number)", isOnline: true, lastSeen: nil))
    }

    /// Connects a person with an end that a test plays.
    private func connect(
        _ play: @escaping @Sendable (inout OtherEnd) async throws -> Void,
        _ talk: (inout ClientConnection) async throws -> Void
    ) async throws {
        let path = folder.file("agent.sock")
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await LocalSocket.listen(on: path, group: group)
        let (own, theirs) = try await server.executeThenClose { connections in
            let own = try await LocalSocket.connect(to: path, on: group)
            var iterator = connections.makeAsyncIterator()
            return (own, try #require(try await iterator.next()))
        }
        let player = Task {
            var end = OtherEnd(theirs)
            try await play(&end)
        }
        var connection = ClientConnection(own, time: time)
        do {
            try await talk(&connection)
        } catch {
            await connection.close()
            try await player.value
            throw error
        }
        await connection.close()
        try await player.value
    }

    /// What a question comes to when a test plays the other end.
    private func ask(
        _ request: Request = .devices, _ play: @escaping @Sendable (inout OtherEnd, String) async throws -> Void
    ) async throws -> [[Item]] {
        var parts: [[Item]] = []
        try await connect { end in
            let (asked, session) = try await end.next()
            #expect(asked == request)
            try await play(&end, session)
        } _: { connection in
            try await connection.ask(request) { parts.append($0) }
        }
        return parts
    }

    // MARK: Answers

    @Test("An answer comes in parts, and is over when the other end says so") func parts() async throws {
        let parts = try await ask { end, session in
            try await end.say(Items(Array(Self.items[0..<2])), session: session)
            try await end.say(Items(Array(Self.items[2..<5])), session: session)
            try await end.say(End(), session: session)
        }
        #expect(parts == [Array(Self.items[0..<2]), Array(Self.items[2..<5])])
        #expect(try await ask { end, session in try await end.say(End(), session: session) } == [])
    }

    @Test("What belongs to another conversation, or is not known yet, is passed over") func foreign() async throws {
        let parts = try await ask { end, session in
            try await end.say(Items([Self.items[0]]), session: "another")
            try await end.say(End(), session: "another")
            try await end.channel.send(Failure(.busy, "not yours").envelope(.requests, session: "another").encoded)
            try await end.channel.send(Envelope(proto: .requests, type: "hologram", session: session).encoded)
            try await end.say(Heartbeat())
            try await end.say(Items([Self.items[1]]), session: session)
            try await end.say(End(), session: session)
        }
        #expect(parts == [[Self.items[1]]])
    }

    @Test("Each question has a conversation of its own") func conversations() async throws {
        let sessions = Mailbox<String>(bound: 3, policy: .refuseNewest)
        try await connect { end in
            for _ in 0..<3 {
                let (_, session) = try await end.next()
                sessions.send(session)
                try await end.say(End(), session: session)
            }
        } _: { connection in
            for _ in 0..<3 {
                let items = try await connection.ask(.whoami)
                #expect(items.isEmpty)
            }
        }
        var seen: Set<String> = []
        while let session = sessions.takeIfWaiting() { seen.insert(session) }
        #expect(seen.count == 3)
    }

    // MARK: No answers

    @Test(
        "A refusal is thrown as it came",
        arguments: [Failure(.notFound, "there is no shed"), Failure(.busy, "later", retryAfter: .seconds(3))])
    func refusal(failure: Failure) async throws {
        await #expect(throws: failure) {
            try await ask { end, session in
                try await end.say(Items([Self.items[0]]), session: session)
                try await end.channel.send(failure.envelope(.requests, session: session).encoded)
            }
        }
    }

    @Test("A session that ended in the middle is told, and is no answer to what was asked")
    func loggedOut() async throws {
        let failure = Failure(.notAuthenticated, "this session has ended")
        let error = await #expect(throws: ClientError.self) {
            try await ask { end, _ in try await end.channel.send(failure.envelope(.accounts).encoded) }
        }
        #expect(error?.code == .notAuthenticated && error?.description == "this session has ended")
    }

    @Test("What the other end does not know is told in its words") func unsupported() async throws {
        let error = await #expect(throws: ClientError.self) {
            try await ask { end, session in try await end.say(ControlError("no message 'devices' is known here")) }
        }
        #expect(error?.code == .unsupported)
        #expect(error?.description.contains("no message 'devices' is known here") == true)
    }

    @Test("What the other end does not know of a login is told in its words, too") func unknownLogin() async throws {
        do {
            try await connect { end in
                #expect(try await end.hear().kind == Login.kind)
                try await end.say(ControlError("no message 'login' is known here"))
            } _: { connection in
                _ = try await connection.exchange(Login(user: "anna", password: "correct horse"))
            }
            Issue.record("a control error was taken for an answer")
        } catch {
            #expect(error.explanation.contains("no message 'login' is known here"))
        }
    }

    @Test("An end that hangs up in the middle of an answer is not taken for its end") func hangsUp() async throws {
        let error = await #expect(throws: NoAnswer.self) {
            try await ask { end, session in
                try await end.say(Items([Self.items[0]]), session: session)
                await end.channel.close()
            }
        }
        #expect(error?.code == .unreachable)
        #expect(error?.fact.hasSuffix(" closed the connection") == true)
        #expect(error?.description.hasSuffix(" closed the connection; does the agent still run? Try again") == true)
    }

    @Test("An answer that is no message is an error, not a trap", arguments: [[], [0xC1], [0x80]] as [[UInt8]])
    func garbage(bytes: [UInt8]) async throws {
        await #expect(throws: WireError.self) { try await ask { end, _ in try await end.channel.send(bytes) } }
        await #expect(throws: WireError.self) {
            try await ask { end, session in
                try await end.channel.send(
                    Envelope(proto: .requests, type: "items", session: session, body: [0xC1]).encoded)
            }
        }
    }

    // MARK: Time

    private static let command = Request.call(
        CallRequest(id: "c1", address: Address(component: "heater"), action: "on", expiry: .seconds(10)))
    private static let renewal = Request.renew(
        LeaseRenewalRequest(
            address: Address(component: "heater"), lease: "l1", duration: .seconds(10), expiry: .seconds(3)))

    @Test("A question is not waited for longer than 30 s, whatever else is said meanwhile") func silence() async throws
    {
        let time = time
        let error = await #expect(throws: NoAnswer.self) {
            try await ask { end, _ in
                try await end.say(Items([Self.items[0]]), session: "another")
                try await end.say(Heartbeat())
                await time.untilSleepers()
                time.advance(by: .seconds(30))
                _ = try? await end.next()  // safe: there is nothing more; this end must not be the first to hang up
            }
        }
        #expect(error?.code == .unreachable)
        #expect(error?.fact.hasSuffix(" has not answered for 30s") == true)
    }

    @Test("Once an answer has begun it may take as long as it takes") func longAnswer() async throws {
        let later = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        try await connect { end in
            let (_, session) = try await end.next()
            try await end.say(Items([Self.items[0]]), session: session)
            _ = await later.next()
            try await end.say(End(), session: session)
        } _: { connection in
            try await connection.ask(.watch(Address())) { _ in
                time.advance(by: .seconds(3_600))
                later.send(())
            }
        }
    }

    @Test(
        "What has to be begun in a time is answered wholly within 7 s more, or nobody waits for it",
        arguments: [(command, 17), (renewal, 10)] as [(Request, Int)])
    func limit(_ request: Request, _ seconds: Int) async throws {
        let error = await #expect(throws: NoAnswer.self) {
            try await connect { end in
                for isWhole in [true, false] {
                    let (_, session) = try await end.next()
                    try await end.say(Items([Self.items[0]]), session: session)
                    if isWhole { try await end.say(End(), session: session) }
                }
                while (try? await end.hear()) != nil {}  // until the person hangs up
            } _: { connection in
                try await connection.ask(request) { _ in time.advance(by: .milliseconds(seconds * 1_000 - 1)) }
                try await connection.ask(request) { _ in time.advance(by: .seconds(seconds)) }
            }
        }
        #expect(error?.fact.hasSuffix(" has not answered for \(seconds)s") == true)
    }

    @Test(
        "What has to be begun in a time says until when, on the other end's clock where that is known",
        arguments: [(command, 512), (renewal, 505)] as [(Request, Int64)])
    func deadline(_ request: Request, _ seconds: Int64) async throws {
        let time = time
        try await connect { end in
            for deadline in [nil, MonotonicTime(nanoseconds: seconds * 1_000_000_000)] {
                let (asked, session) = try await end.next()
                switch asked {
                case .call(let call): #expect(call.deadline == deadline)
                case .renew(let renewal): #expect(renewal.deadline == deadline)
                default: Issue.record("\(asked)")
                }
                try await end.say(End(), session: session)
            }
        } _: { connection in
            try await connection.ask(request) { _ in }
            connection.note(clock: MonotonicTime(nanoseconds: 500_000_000_000))
            time.advance(by: .seconds(2))
            try await connection.ask(request) { _ in }
        }
    }

    @Test("Where no agent runs that is said, with what to look at") func nobody() async throws {
        let path = folder.file("missing.sock")
        do {
            let connection = try await ClientConnection.local(path)
            await connection.close()
            Issue.record("somebody answers at \(path)")
        } catch {
            #expect(error.code.exitStatus == .notReachable)
            #expect(error.description.contains("no agent answers at \(path)"))
            #expect(error.description.contains("M2M_SOCKET"))
        }
    }
}
