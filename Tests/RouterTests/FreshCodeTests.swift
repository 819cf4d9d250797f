import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what is dangerous wants the security code, given within the last five minutes; nothing else does.
@Suite(.timeLimit(.minutes(1))) struct FreshCodeTests {
    private let bench: RouterBench

    init() throws {
        bench = try RouterBench()
    }

    private static let dangerous: [Request] = [
        .accept("shed", fingerprint: "0"), .revoke("shed"), .enable("shed"), .claim("shed"),
        .integrity(.approve("shed", root: Sample.root)), .integrity(.enable("shed", nil)),
        .integrity(.window("shed", .seconds(60))),
    ]
    private static let harmless: [Request] = [
        .whoami, .devices, .describe(Address()), .read(Address()), .sessions, .claim("new"),
        .accept("shed", fingerprint: nil), .integrity(.status("shed")), .integrity(.changes("shed")),
        .integrity(.release("shed", manifest: "")),
    ]

    /// What is harmless, too, but not asked here: it needs more than an answer.
    private static let others: Set<String> = [
        "watch", "history", "call", "renew", "end_session", "audit", "status", "probe", "drive",
    ]

    @Test("Each request is known to be dangerous or not: a new one is thought about, or this fails")
    func complete() {
        #expect(Self.others.union((Self.dangerous + Self.harmless).map(\.type)) == Request.types)
    }

    private func space() async throws -> RouterStore.Owner {
        let ada = try await bench.addAccount("ada")
        _ = try await bench.store.addDevice("shed", of: ada, key: Sample.key(1))
        return ada
    }

    @Test("Just logged in, nobody is asked again")
    func justLoggedIn() async throws {
        try await bench.person(try await space()) { talk in
            for request in Self.dangerous {
                #expect(await failure { _ = try await talk.ask(request) }?.code != .codeRequired, "\(request)")
            }
        }
    }

    @Test("After five minutes what is dangerous wants the code, and is done once that was given; the rest goes on")
    func afterFiveMinutes() async throws {
        try await bench.person(try await space()) { talk in
            bench.time.advance(by: .seconds(300))
            for request in Self.harmless {
                #expect(await failure { _ = try await talk.ask(request) }?.code != .codeRequired, "\(request)")
            }
            for request in Self.dangerous {
                #expect(await failure { _ = try await talk.ask(request) }?.code == .codeRequired, "\(request)")
            }
            try await talk.send(Code(code: RouterBench.code))
            #expect(try await talk.next(SessionGranted.self).token == nil)
            for request in Self.dangerous {
                #expect(await failure { _ = try await talk.ask(request) }?.code != .codeRequired, "\(request)")
            }
        }
    }

    @Test("A wrong code is refused, counts and ends nothing; after the fifth no code is right, and commands still go")
    func wrongCodes() async throws {
        let ada = try await space()
        try await bench.person(ada) { talk in
            bench.time.advance(by: .seconds(300))
            for number in 1...5 {
                try await talk.send(Code(code: "000000"))
                #expect(try await talk.failure().message.contains("locked now") == (number == 5))
            }
            try await talk.send(Code(code: RouterBench.code))
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await failure { _ = try await talk.ask(.revoke("shed")) }?.code == .codeRequired)
            let call = CallRequest(id: "c1", address: Address(device: "shed", component: Sample.heater), action: "off")
            guard case .observation(let report)? = try await talk.ask(.call(call)).first,
                case .result(let result) = report.content
            else {
                Issue.record("no result came")
                return
            }
            #expect(result.status == .unreachable)  // which the device that is away would answer to its owner, too
        }
    }

    @Test("On a connection that was silent for a quarter of an hour everything wants the code, and a watch goes on")
    func idleConnection() async throws {
        let ada = try await space()
        try await bench.person(ada) { talk in
            try await talk.send(Request.watch(Address()).envelope(session: "w"))
            #expect(try await talk.next(Items.self).items.count == 1)
            bench.time.advance(by: .seconds(900))
            #expect(await failure { _ = try await talk.ask(.devices) }?.code == .codeRequired)
            try await talk.send(Code(code: RouterBench.code))
            _ = try await talk.next(SessionGranted.self)
            #expect(try await talk.ask(.devices).count == 1)
        }
    }

    @Test("Whoever ends the session that asks hears that it is done, and then that it has ended")
    func ownSession() async throws {
        let ada = try await space()
        try await bench.person(ada) { talk in
            let own = try await talk.ask(.sessions).compactMap { item -> String? in
                if case .session(let session) = item, session.isCurrent { session.name } else { nil }
            }
            #expect(try await talk.ask(.endSession(try #require(own.first))).isEmpty)
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await talk.isHungUp())
        }
    }

    @Test("Sessions are listed with where they come from, and ended by their names: at once, and only one's own")
    func sessions() async throws {
        let ada = try await space()
        let bob = try await bench.addAccount("bob")
        let (bobs, _) = try await bench.core.logins.begin(bob)
        let (other, token) = try await bench.core.logins.begin(ada, from: .init(source: "10.1.2.3", agent: "m2m 1"))
        try await bench.person { thief in
            try await thief.send(Resume(token: token))
            _ = try await thief.next(SessionGranted.self)
            try await bench.person(ada) { talk in
                let sessions = try await talk.ask(.sessions).compactMap { item -> SessionSummary? in
                    if case .session(let session) = item { session } else { nil }
                }
                #expect(sessions.count == 2)
                #expect(sessions.filter(\.isCurrent).count == 1)
                let listed = try #require(sessions.first { $0.name == other.name })
                #expect(listed.source == "10.1.2.3")
                #expect(listed.agent == "m2m 1")
                #expect(await failure { _ = try await talk.ask(.endSession(bobs.name)) }?.code == .notFound)
                #expect(try await talk.ask(.endSession(other.name)).isEmpty)
                // Without any time passing.
                #expect(try await thief.failure().code == .notAuthenticated)
                #expect(await thief.isHungUp())
                #expect(await failure { _ = try await talk.ask(.endSession(other.name)) }?.code == .notFound)
            }
        }
        try await bench.person { talk in
            try await talk.send(Resume(token: token))
            #expect(try await talk.failure().code == .notAuthenticated)
        }
        try await bench.core.logins.use(bobs)
    }
}
