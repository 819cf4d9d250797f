import DeviceModel
import HALTestKit
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

/// Whatever a program says on the local socket is answered or hung up on; the others, and the agent, go on.
@Suite(.timeLimit(.minutes(1))) struct LocalConversationTests {
    private let agent: LocalAgent

    init() throws {
        agent = try LocalAgent(TemporaryDirectory())
    }

    private func isAlive() async throws -> Bool {
        try await agent.ask(.whoami).count == 1
    }

    // MARK: Conversations

    @Test("What happens is told while it is watched, of the component that is meant, until a stop is answered")
    func watch() async throws {
        let agent = agent
        try await agent.run { () async throws in
            var client = try await RawClient(agent.socket)
            try await client.say(Request.watch(Address(component: "heater")).envelope(session: "w"))
            // Nobody tells when the watching has begun: something happens until it is seen.
            let busy = Task {
                for number in 0... {
                    try Task.checkCancellation()
                    try agent.press(number.isMultiple(of: 2))
                    _ = try await agent.ask(
                        .call(
                            CallRequest(
                                id: CommandID(stringLiteral: "\(number)"), address: Address(component: "heater"),
                                action: "toggle")))
                }
            }
            for _ in 0..<5 {
                for item in try await client.next(Items.self).items {
                    guard case .observation(let report) = item else {
                        Issue.record("no observation: \(item)")
                        continue
                    }
                    #expect(report.device == "greenhouse")
                    let observation = Observation(time: agent.time.timestamp, content: report.content)
                    #expect(observation.component == "heater")
                    #expect(report.position != nil)
                }
            }
            try await client.stop("w")
            var envelope = try await client.next()
            while envelope.kind == Items.kind { envelope = try await client.next() }
            #expect(envelope.kind == End.kind)
            #expect(envelope.session == "w")
            busy.cancel()
            _ = await busy.result
            await client.channel.close()
        }
    }

    @Test("Conversations on one connection go on beside each other, each under its own name") func several()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            var client = try await RawClient(agent.socket)
            try await client.say(Request.watch(Address()).envelope(session: "a"))
            try await client.say(Request.whoami.envelope(session: "b"))
            try await client.say(Request.describe(Address()).envelope(session: "c"))
            var ended: Set<String> = []
            while ended.count < 2 {
                let envelope = try await client.next()
                if envelope.kind == End.kind { ended.insert(envelope.session) }
            }
            #expect(ended == ["b", "c"])
            try await client.say(Request.whoami.envelope(session: "a"))
            #expect(try await client.refusal("a").code == .conflict)
            try await client.stop("a")
            while try await client.next().kind != End.kind {}
            await client.channel.close()
        }
    }

    @Test("A seventeenth conversation on one connection has to wait") func bound() async throws {
        let agent = agent
        try await agent.run { () async throws in
            var client = try await RawClient(agent.socket)
            for number in 1...ConversationServer.bound {
                try await client.say(Request.watch(Address()).envelope(session: "\(number)"))
            }
            try await client.say(Request.whoami.envelope(session: "more"))
            #expect(try await client.refusal("more").code == .busy)
            try await client.stop("3")
            while try await client.next().kind != End.kind {}
            try await client.say(Request.whoami.envelope(session: "more"))
            #expect(try await client.next(Items.self).items.count == 1)
            #expect(try await agent.ask(.whoami).count == 1)
            await client.channel.close()
        }
    }

    @Test("Two programs at once don't disturb each other") func twoClients() async throws {
        let agent = agent
        try await agent.run { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["a", "b"] {
                    group.addTask {
                        for number in 0..<20 {
                            let call = CallRequest(
                                id: CommandID(stringLiteral: "\(name)\(number)"), address: Address(component: "heater"),
                                action: "toggle")
                            guard case .observation(let report)? = try await agent.ask(.call(call)).first,
                                case .result(let result) = report.content
                            else { throw HarnessError(description: "no result") }
                            #expect(result.id == call.id)
                            #expect(result.status == .done)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try !agent.isHeating)
        }
    }

    // MARK: Nonsense

    @Test("What is no message, or none that is known here, is answered, and the connection goes on") func nonsense()
        async throws
    {
        let agent = agent
        try await agent.run { () async throws in
            var client = try await RawClient(agent.socket)
            for bytes in [[], [0xC1], [0x80], [UInt8](repeating: 0x91, count: 10_000)] as [[UInt8]] {
                try await client.say(bytes)
                #expect(try await client.next(ControlError.self).error.contains("no message"))
            }
            let unknown = [
                Envelope(proto: .requests, type: "fly", session: "1", body: [0x80]),
                Envelope(proto: .shell, type: "new", session: "2"), Envelope(Login(user: "anna", password: "secret")),
                Envelope(proto: ProtocolNumber(rawValue: 0x4DFF), type: ""),
            ]
            for envelope in unknown {
                try await client.say(envelope)
                #expect(try await client.next(ControlError.self) == ControlError.unknown(envelope))
            }
            for type in ["call", "history", "claim", "drive"] {
                try await client.say(Envelope(proto: .requests, type: type, session: "x", body: [0x80]))
                #expect(try await client.refusal("x").code == .badRequest)
            }
            try await client.stop("never begun")
            try await client.say(Request.whoami.envelope(session: "last"))
            #expect(try await client.next(Items.self).items.count == 1)
            await client.channel.close()
        }
    }

    /// Writes bytes as they are, without a length before them, and waits until the agent has hung up.
    private func write(_ bytes: [UInt8], andHangUp: Bool) async throws -> Bool {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(unixDomainSocketPath: agent.socket).get()
        // safe: the agent may have hung up before all of it was written
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        if andHangUp { channel.close(promise: nil) }
        try await channel.closeFuture.get()
        return true
    }

    @Test(
        "A length that is too long is hung up on before what follows it",
        arguments: [1_048_577, 0x7FFF_FFFF, UInt32.max])
    func oversize(length: UInt32) async throws {
        let agent = agent
        try await agent.run { () async throws in
            let head = withUnsafeBytes(of: length.bigEndian) { Array($0) }
            #expect(try await write(head, andHangUp: false))
            #expect(try await write(head + [UInt8](repeating: 7, count: 1_000), andHangUp: false))
            #expect(try await isAlive())
        }
    }

    @Test("The longest message that is allowed is read") func longest() async throws {
        let agent = agent
        try await agent.run { () async throws in
            var client = try await RawClient(agent.socket)
            try await client.say([UInt8](repeating: 0xC1, count: LocalSocket.messageSize))
            #expect(try await client.next(ControlError.self).error.contains("no message"))
            // safe: the agent hangs up as soon as it has read the length
            try? await client.say([UInt8](repeating: 0xC1, count: LocalSocket.messageSize + 1))
            #expect(await client.isClosed())
            #expect(try await isAlive())
        }
    }

    @Test(
        "Whoever hangs up in the middle of a message, or says anything at all, does not stop the agent",
        arguments: 1...4)
    func randomBytes(seed: UInt64) async throws {
        let agent = agent
        try await agent.run { () async throws in
            var generator = SeededGenerator(seed: seed)
            for round in 0..<25 {
                let count = Int.random(in: 0...300, using: &generator)
                var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                // Every other time a length that is believed, so that what follows is read as a message.
                if round.isMultiple(of: 2) { bytes = [0, 0, 0, UInt8.random(in: 0...255, using: &generator)] + bytes }
                #expect(try await write(bytes, andHangUp: true))
            }
            let whole = Request.describe(Address()).envelope(session: "1").encoded
            let framed = [0, 0, 0, UInt8(whole.count)] + whole
            for cut in 0...framed.count { #expect(try await write(Array(framed.prefix(cut)), andHangUp: true)) }
            #expect(try await isAlive())
        }
    }
}
