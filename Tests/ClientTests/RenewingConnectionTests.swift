import DeviceModel
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Wire

@testable import Client
@testable import Transport

/// A question that may be repeated gets a new connection where the old one is lost, and only there.
@Suite(.timeLimit(.minutes(1))) struct RenewingConnectionTests {
    private let folder: TemporaryDirectory
    private static let request = Request.renew(
        LeaseRenewalRequest(address: Address(component: "heater"), lease: "l1", duration: .seconds(10)))

    init() throws {
        folder = try TemporaryDirectory()
    }

    /// Lets a test ask while another closure plays each connection that is made.
    private func run(
        reconnecting failure: ClientError? = nil,
        _ play: @escaping @Sendable (_ number: Int, inout OtherEnd) async throws -> Void,
        _ ask: (RenewingConnection) async throws -> Void
    ) async throws {
        let path = folder.file("agent.sock")
        let server = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        try await server.executeThenClose { arrivals in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number = 0
                    for try await channel in arrivals {
                        number += 1
                        var end = OtherEnd(channel)
                        try? await play(number, &end)  // safe: the test hangs up in the middle
                        await channel.close()
                    }
                }
                let connection = RenewingConnection(try await ClientConnection.local(path)) {
                    if let failure { throw failure }
                    return try await ClientConnection.local(path)
                }
                try await ask(connection)
                await connection.close()
                group.cancelAll()
            }
        }
    }

    @Test("As long as questions are answered, also with a no, they have one connection") func one() async throws {
        let sessions = Mailbox<Int>(bound: 10, policy: .refuseNewest)
        try await run { number, end in
            while true {
                let (request, session) = try await end.next()
                guard case .renew(var renewal) = request else { throw HarnessError(description: "\(request)") }
                // So that whoever reads it late knows that.
                #expect(renewal.deadline != nil)
                renewal.deadline = nil
                #expect(.renew(renewal) == Self.request)
                sessions.send(number)
                if session == "2" {
                    try await end.channel.send(Failure(.busy, "later").envelope(.requests, session: session).encoded)
                } else {
                    try await end.say(End(), session: session)
                }
            }
        } _: { connection in
            try await connection.ask(Self.request)
            await #expect(throws: Failure(.busy, "later")) { try await connection.ask(Self.request) }
            try await connection.ask(Self.request)
        }
        var seen: [Int] = []
        while let number = sessions.takeIfWaiting() { seen.append(number) }
        #expect(seen == [1, 1, 1])
    }

    @Test("When the connection is lost the question fails, and the next one has a new connection") func lost()
        async throws
    {
        try await run { number, end in
            let (_, session) = try await end.next()
            if number > 1 { try await end.say(End(), session: session) }
        } _: { connection in
            await #expect(throws: NoAnswer.self) { try await connection.ask(Self.request) }
            try await connection.ask(Self.request)
        }
    }

    @Test("After a question that came too late the next one has a new connection, on which the clock is learnt anew")
    func late() async throws {
        let late = Failure(.expired, "the renewal came too late and was not done")
        let asked = Mailbox<Int>(bound: 10, policy: .refuseNewest)
        try await run { number, end in
            while true {
                let (_, session) = try await end.next()
                asked.send(number)
                if number == 1 {
                    try await end.channel.send(late.envelope(.requests, session: session).encoded)
                } else {
                    try await end.say(End(), session: session)
                }
            }
        } _: { connection in
            await #expect(throws: late) { try await connection.ask(Self.request) }
            for _ in 0..<2 { try await connection.ask(Self.request) }
        }
        var seen: [Int] = []
        while let number = asked.takeIfWaiting() { seen.append(number) }
        #expect(seen == [1, 2, 2])
    }

    @Test("A question that nobody waits for any more does not keep the next one waiting") func abandoned() async throws
    {
        let heard = Mailbox<Void>(bound: 10, policy: .refuseNewest)
        try await run { number, end in
            let (_, session) = try await end.next()
            heard.send(())
            if number > 1 { return try await end.say(End(), session: session) }
            _ = try await end.next()  // no answer, ever
        } _: { connection in
            let hanging = Task { try await connection.ask(Self.request) }
            _ = await heard.next()
            hanging.cancel()
            await #expect(throws: (any Error).self) { try await hanging.value }
            try await connection.ask(Self.request)
        }
    }

    @Test("Where no connection can be made the question fails, and the next one tries again") func nobody() async throws
    {
        let gone = ClientError(.unreachable, "agent", "nobody answers")
        try await run(reconnecting: gone) { _, end in
            _ = try await end.next()
        } _: { connection in
            await #expect(throws: NoAnswer.self) { try await connection.ask(Self.request) }
            for _ in 0..<3 { await #expect(throws: gone) { try await connection.ask(Self.request) } }
        }
    }
}
