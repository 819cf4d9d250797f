import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: only who knows password and code comes in, guessing passwords only delays, and guessing codes locks.
@Suite(.timeLimit(.minutes(1))) struct LoginDeskTests {
    private let bench: RouterBench
    private var desk: LoginDesk { bench.core.logins }
    private var time: ManualTime { bench.time }

    init() throws {
        bench = try RouterBench()
    }

    private func login(
        _ user: String = "ada", _ password: String = RouterBench.password, from source: String = "here"
    ) async -> Failure? {
        await failure { _ = try await desk.check(Login(user: user, password: password), from: source) }
    }

    private func code(_ code: String, of account: RouterStore.Account) async -> Failure? {
        await failure { try await desk.check(code: code, of: account, from: "here") }
    }

    // MARK: Passwords

    @Test("Password and code open a session, whose token brings it back")
    func comesIn() async throws {
        let ada = try await bench.addAccount("ada")
        let account = try await desk.check(
            Login(user: "ada", password: RouterBench.password), from: "here")
        #expect(account.owner == ada)
        #expect(await code(RouterBench.code, of: account) == nil)
        let (session, token) = try await desk.begin(account.owner)
        #expect(session.owner == ada)
        #expect(token.count == 64)
        #expect(try await desk.session(of: token) == session)
        #expect(!desk.isIdle(session))
        // The token is kept as its hash only.
        #expect(session.tokenHash == Digest.sha256(token.utf8))
    }

    @Test("Two sessions have two tokens")
    func twoTokens() async throws {
        let ada = try await bench.addAccount("ada")
        #expect(try await desk.begin(ada).token != desk.begin(ada).token)
    }

    @Test("An unknown user, a wrong password and a locked account get the same answer")
    func sameAnswer() async throws {
        _ = try await bench.addAccount("ada")
        let locked = try await bench.addAccount("bob")
        for _ in 0..<5 { _ = try await bench.store.countWrongCode(locked) }
        let answers = [await login("nobody"), await login("ada", "wrong password"), await login("bob")]
        #expect(answers[0]?.code == .notAuthenticated)
        #expect(answers[0] == answers[1])
        #expect(answers[0] == answers[2])
    }

    @Test("… after the same work: none of them is answered before scrypt is done")
    func sameWork() async throws {
        _ = try await bench.addAccount("ada")
        let locked = try await bench.addAccount("bob")
        for _ in 0..<5 { _ = try await bench.store.countWrongCode(locked) }
        let desk = LoginDesk(
            store: bench.store, hasher: SecretHasher(pepper: [1], rounds: 32_768), audit: bench.core.audit, time: time)
        let clock = ContinuousClock()
        var scrypt = Duration.seconds(60)
        for _ in 0..<3 {
            let took = try await clock.measure {
                _ = try await SecretHasher(pepper: [1]).hash(password: "correct horse")
            }
            scrypt = min(scrypt, took)
        }
        for (user, password) in [("nobody", "x"), ("ada", "wrong password"), ("bob", RouterBench.password)] {
            let took = await clock.measure {
                _ = await failure { _ = try await desk.check(Login(user: user, password: password), from: "here") }
            }
            #expect(took > scrypt / 2, "\(user): \(took), where scrypt takes \(scrypt)")
        }
    }

    @Test("After three wrong passwords the next try has to wait, even with the right one, and is told for how long")
    func delayed() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<3 { #expect(await login("ada", "wrong password")?.code == .notAuthenticated) }
        let refused = await login()
        #expect(refused?.code == .busy)
        #expect(refused?.retryAfter == .seconds(1))
        #expect(refused?.message.contains("try again in 1 s") == true)
        time.advance(by: .seconds(1))
        #expect(await login() == nil)
    }

    @Test("Tries that are refused because they come too early don't make the wait longer")
    func hammering() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<3 { _ = await login("ada", "wrong password") }
        for _ in 0..<20 { #expect(await login("ada", "wrong password")?.code == .busy) }
        time.advance(by: .seconds(1))
        #expect(await login() == nil)
    }

    @Test("A stranger who guesses from elsewhere does not keep the owner out")
    func stranger() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<10 { _ = await login("ada", "wrong password", from: "elsewhere") }
        #expect(await login(from: "here") == nil)
        #expect(await login(from: "elsewhere")?.code == .busy)
    }

    @Test("Wrong passwords never lock an account")
    func passwordsDoNotLock() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<20 {
            #expect(await login("ada", "wrong password")?.code == .notAuthenticated)
            time.advance(by: .seconds(30))
        }
        #expect(await login() == nil)
    }

    // MARK: Codes

    @Test("The fifth wrong code in a row locks the account until it is unlocked, and says so")
    func locks() async throws {
        let ada = try await bench.addAccount("ada")
        let account = try #require(try await bench.store.account("ada"))
        for _ in 0..<4 { #expect(await code("000000", of: account)?.message == "the security code is wrong") }
        let last = await code("000000", of: account)
        #expect(last?.code == .notAuthenticated)
        #expect(last?.message.contains("locked now; `m2m-router user unlock ada`") == true)
        #expect(await login()?.code == .notAuthenticated)
        let (session, _) = try await desk.begin(ada)
        await #expect(throws: Failure.self) { _ = try await desk.account(of: session) }
        #expect(try await bench.store.unlock("ada"))
        #expect(await login() == nil)
        _ = try await desk.account(of: session)
    }

    @Test("A right code in between begins the count again")
    func rightCodeBetween() async throws {
        _ = try await bench.addAccount("ada")
        let account = try #require(try await bench.store.account("ada"))
        for _ in 0..<3 {
            for _ in 0..<4 { _ = await code("000000", of: account) }
            #expect(await code(RouterBench.code, of: account) == nil)
        }
        #expect(try await bench.store.account("ada")?.isLocked == false)
    }

    @Test("Right passwords in between don't begin the count again")
    func passwordsBetween() async throws {
        _ = try await bench.addAccount("ada")
        for _ in 0..<5 {
            #expect(await login() == nil)
            let account = try #require(try await bench.store.account("ada"))
            #expect(await code("000000", of: account) != nil)
        }
        #expect(try await bench.store.account("ada")?.isLocked == true)
    }

    @Test("The right code is worth nothing once the account is locked, also where the password came before the lock")
    func codeAfterLock() async throws {
        _ = try await bench.addAccount("ada")
        // What a connection holds that gave the password while the account was open.
        let account = try await desk.check(Login(user: "ada", password: RouterBench.password), from: "here")
        for _ in 0..<5 { _ = await code("000000", of: account) }
        #expect(await code(RouterBench.code, of: account)?.code == .notAuthenticated)
    }

    // MARK: Sessions

    @Test("A lock does not end the sessions that are live")
    func lockAndSession() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        for _ in 0..<5 { _ = try await bench.store.countWrongCode(ada) }
        try await desk.use(session)
        #expect(!desk.isIdle(try await desk.session(of: token)))
    }

    @Test("A session that was not used for a quarter of an hour wants the code, which a locked account can't give")
    func idle() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        time.advance(by: .seconds(900))
        #expect(desk.isIdle(try await desk.session(of: token)))
        #expect(await failure { try await desk.use(session) }?.code == .codeRequired)
        let account = try await desk.account(of: session)
        #expect(await code(RouterBench.code, of: account) == nil)
        try await desk.confirm(session, from: "here")
        try await desk.use(session)
        #expect(!desk.isIdle(try await desk.session(of: token)))
        for _ in 0..<5 { _ = try await bench.store.countWrongCode(ada) }
        await #expect(throws: Failure.self) { _ = try await desk.account(of: session) }
    }

    @Test("After twelve hours a session has ended, however much it was used")
    func absolute() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        for _ in 0..<71 {
            time.advance(by: .seconds(600))
            try await desk.use(session)
        }
        time.advance(by: .seconds(600))
        #expect(await failure { try await desk.use(session) }?.message.contains("log in again") == true)
        #expect(await failure { _ = try await desk.session(of: token) }?.code == .notAuthenticated)
    }

    @Test("Logging out ends the session for good, and only this one")
    func logout() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        let (other, _) = try await desk.begin(ada)
        try await desk.end(session)
        #expect(await failure { try await desk.use(session) }?.code == .notAuthenticated)
        #expect(await failure { _ = try await desk.session(of: token) }?.code == .notAuthenticated)
        try await desk.use(other)
    }

    @Test("A token that was never given is none")
    func unknownToken() async throws {
        _ = try await bench.addAccount("ada")
        for token in ["", "0", String(repeating: "0", count: 64)] {
            #expect(await failure { _ = try await desk.session(of: token) }?.code == .notAuthenticated)
        }
    }

    @Test("The sessions of an account that was removed have ended")
    func removedAccount() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, _) = try await desk.begin(ada)
        _ = try await bench.store.removeAccount("ada")
        #expect(await failure { try await desk.use(session) }?.code == .notAuthenticated)
    }
}
