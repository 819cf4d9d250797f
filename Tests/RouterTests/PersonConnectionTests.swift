import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a person is in after password and code, or with the token of a session that goes on, and in no other way.
@Suite(.timeLimit(.minutes(1))) struct PersonConnectionTests {
    private let bench: RouterBench

    init() throws {
        bench = try RouterBench()
    }

    private let login = Login(user: "ada", password: RouterBench.password)

    /// Logs in as far as the code is wanted.
    private func givePassword(_ talk: Talk) async throws {
        try await talk.send(login)
        _ = try await talk.next(CodeWanted.self)
    }

    /// Opens one connection that gives the right password and a wrong code.
    private func giveWrongCode() async throws -> Failure {
        var failure: Failure?
        try await bench.person { talk in
            try await givePassword(talk)
            try await talk.send(Code(code: "000000"))
            failure = try await talk.failure()
            #expect(await talk.isHungUp())
        }
        return try #require(failure)
    }

    // MARK: Login

    @Test("Password and code bring a person in, with a token for the next time")
    func comesIn() async throws {
        _ = try await bench.addAccount("ada")
        var token: String?
        try await bench.person { talk in
            try await givePassword(talk)
            try await talk.send(Code(code: RouterBench.code))
            let granted = try await talk.next(SessionGranted.self)
            #expect(granted.user == "ada")
            #expect(granted.expires == bench.time.wall + .seconds(12 * 3_600))
            token = granted.token
            #expect(try await talk.ask(.devices).isEmpty)
        }
        let resume = Resume(token: try #require(token))
        try await bench.person { talk in
            try await talk.send(resume)
            let granted = try await talk.next(SessionGranted.self)
            #expect(granted.user == "ada")
            #expect(granted.token == nil)
            let account = AccountSummary(user: "ada", place: "router", expires: granted.expires)
            #expect(try await talk.ask(.whoami) == [.account(account)])
        }
    }

    @Test("Before the login nothing is answered, and the login may still come")
    func nothingBefore() async throws {
        _ = try await bench.addAccount("ada")
        try await bench.person { talk in
            for request in [Request.devices, .whoami, .claim("greenhouse"), .watch(Address())] {
                let failure = await failure { _ = try await talk.ask(request, id: "7") }
                #expect(failure?.code == .notAuthenticated)
            }
            try await givePassword(talk)
        }
    }

    @Test("A wrong password ends the connection and opens nothing")
    func wrongPassword() async throws {
        _ = try await bench.addAccount("ada")
        try await bench.person { talk in
            try await talk.send(Login(user: "ada", password: "wrong password"))
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await talk.isHungUp())
        }
        #expect(try await bench.store.count("sessions") == 0)
    }

    @Test("Something else in the place of the code ends the connection and opens nothing")
    func noCode() async throws {
        let ada = try await bench.addAccount("ada")
        for message in [Request.devices.envelope(session: "1"), Envelope(login), Envelope(Resume(token: "0"))] {
            try await bench.person { talk in
                try await givePassword(talk)
                try await talk.send(message)
                #expect(try await talk.failure().code == .notAuthenticated)
                #expect(await talk.isHungUp())
            }
        }
        #expect(try await bench.store.count("sessions") == 0)
        #expect(try await bench.store.account("ada")?.owner == ada)
    }

    @Test("Five wrong codes, each after the right password, lock the account until it is unlocked")
    func locked() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<4 { #expect(try await giveWrongCode().message == "the security code is wrong") }
        #expect(try await giveWrongCode().message.contains("locked now"))
        try await bench.person { talk in
            try await talk.send(login)
            #expect(try await talk.failure().message.contains("or the account is locked"))
        }
        #expect(try await bench.store.unlock("ada"))
        try await bench.person { talk in try await givePassword(talk) }
    }

    @Test("Codes without a password before them are not even counted")
    func codeWithoutPassword() async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.person { talk in
            for _ in 0..<10 {
                try await talk.send(Code(code: "000000"))
                #expect(try await talk.failure().message == "log in first")
            }
        }
        for _ in 0..<4 { #expect(try await !bench.store.countWrongCode(ada)) }
    }

    @Test("A message that is none ends the connection before the login")
    func garbled() async throws {
        try await bench.person { talk in
            try await talk.send([0xC1, 1, 2])
            #expect(try await talk.failure().code == .badRequest)
            #expect(await talk.isHungUp())
        }
    }

    @Test("Who does not log in within two minutes is hung up on; who does stays")
    func loginTimeout() async throws {
        _ = try await bench.addAccount("ada")
        try await bench.person { talk in
            try await givePassword(talk)
            await bench.time.untilSleepers()
            bench.time.advance(by: .seconds(120))
            #expect(await talk.isHungUp())
        }
        try await bench.person { talk in
            try await givePassword(talk)
            try await talk.send(Code(code: RouterBench.code))
            _ = try await talk.next(SessionGranted.self)
            _ = try await talk.ask(.whoami)
            bench.time.advance(by: .seconds(120))
            #expect(try await talk.ask(.whoami).count == 1)
        }
    }

    // MARK: Sessions

    @Test("A token that was never given, or whose session has ended, brings nobody in")
    func badToken() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, ended) = try await bench.core.logins.begin(ada)
        try await bench.core.logins.end(session)
        for token in [ended, String(repeating: "0", count: 64), ""] {
            try await bench.person { talk in
                try await talk.send(Resume(token: token))
                let failure = try await talk.failure()
                #expect(failure.code == .notAuthenticated)
                #expect(failure.message.contains("`m2m login`"))
                #expect(await talk.isHungUp())
            }
        }
    }

    @Test("An idle session wants the code, and goes on with the right one only")
    func idle() async throws {
        let ada = try await bench.addAccount("ada")
        let (_, token) = try await bench.core.logins.begin(ada)
        bench.time.advance(by: .seconds(900))
        for (code, isRight) in [("000000", false), (RouterBench.code, true)] {
            try await bench.person { talk in
                try await talk.send(Resume(token: token))
                _ = try await talk.next(CodeWanted.self)
                try await talk.send(Code(code: code))
                if isRight {
                    #expect(try await talk.next(SessionGranted.self).token == nil)
                } else {
                    #expect(try await talk.failure().message == "the security code is wrong")
                }
            }
        }
        // It was used: it is good again.
        try await bench.person { talk in
            try await talk.send(Resume(token: token))
            #expect(try await talk.next(SessionGranted.self).user == "ada")
        }
    }

    @Test("Wrong codes for an idle session count like those after a password")
    func wrongCodesForIdle() async throws {
        let ada = try await bench.addAccount("ada")
        let (_, token) = try await bench.core.logins.begin(ada)
        bench.time.advance(by: .seconds(900))
        for _ in 0..<4 { _ = try await giveWrongCode() }
        try await bench.person { talk in
            try await talk.send(Resume(token: token))
            _ = try await talk.next(CodeWanted.self)
            try await talk.send(Code(code: "000000"))
            #expect(try await talk.failure().message.contains("locked now"))
        }
    }

    @Test("Use keeps a session from becoming idle")
    func used() async throws {
        let ada = try await bench.addAccount("ada")
        let (_, token) = try await bench.core.logins.begin(ada)
        try await bench.person { talk in
            try await talk.send(Resume(token: token))
            _ = try await talk.next(SessionGranted.self)
            _ = try await talk.ask(.whoami)  // from here on the time for the login is no longer watched
            for _ in 0..<3 {
                bench.time.advance(by: .seconds(800))
                _ = try await talk.ask(.whoami)
            }
        }
        guard bench.core.logins.isIdle(try await bench.core.logins.session(of: token)) == false else {
            Issue.record("the session is idle")
            return
        }
    }

    @Test("A lock does not end a connection that is in")
    func lockAndConnection() async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.person(ada) { talk in
            for _ in 0..<5 { _ = try await giveWrongCode() }
            #expect(try await talk.ask(.whoami).count == 1)
        }
    }

    @Test("After twelve hours a connection that is in is told so, and ends")
    func absolute() async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.person(ada) { (talk) async throws in
            _ = try await talk.ask(.whoami)  // from here on the time for the login is no longer watched
            bench.time.advance(by: .seconds(12 * 3_600))
            bench.time.allow(until: bench.time.now + .seconds(60))
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await talk.isHungUp())
        }
    }

    @Test("Who only watches is told, too, that the session was ended elsewhere")
    func watchingEnds() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await bench.core.logins.begin(ada)
        try await bench.person { (talk) async throws in
            try await talk.send(Resume(token: token))
            _ = try await talk.next(SessionGranted.self)
            try await talk.send(Request.watch(Address()).envelope(session: "1"))
            try await bench.core.logins.end(session)
            bench.time.allow(until: bench.time.now + .seconds(60))
            #expect(try await talk.failure().code == .notAuthenticated)
        }
    }

    @Test("Logging out ends the connection and the session, for every other connection of it too")
    func logout() async throws {
        let ada = try await bench.addAccount("ada")
        let (_, token) = try await bench.core.logins.begin(ada)
        try await bench.person { other in
            try await other.send(Resume(token: token))
            _ = try await other.next(SessionGranted.self)
            try await bench.person { talk in
                try await talk.send(Resume(token: token))
                _ = try await talk.next(SessionGranted.self)
                try await talk.send(Logout())
                _ = try await talk.next(LoggedOut.self)
                #expect(await talk.isHungUp())
            }
            #expect(try await other.failure().code == .notAuthenticated)
            #expect(await other.isHungUp())
        }
        #expect(await failure { _ = try await bench.core.logins.session(of: token) } != nil)
    }
}
