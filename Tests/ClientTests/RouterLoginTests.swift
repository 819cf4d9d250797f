import DeviceModel
import HALTestKit
import Synchronization
import TestSupport
import Testing
import Transport
import Wire

@testable import Client

/// A person gets into a router with password and code, comes back with the session that was kept, and is told in words
/// what is in the way.
@Suite(.timeLimit(.minutes(1))) struct RouterLoginTests {
    private let folder: TemporaryDirectory
    private let router: LoginRouter

    init() async throws {
        folder = try TemporaryDirectory()
        router = try await LoginRouter(folder)
    }

    private func login(
        user: String = "anna", password: String = LoginRouter.password, code: () throws -> String = { LoginRouter.code }
    ) async throws -> StoredSession {
        try await RouterLogin.login(to: router.address, user: user, ca: router.ca, password: password, code: code)
    }

    private func whoami(
        _ session: StoredSession, code: () throws -> String = { throw HarnessError(description: "a code was wanted") }
    ) async throws -> String {
        var connection = try await RouterLogin.resume(session, code: code)
        let items = try await connection.ask(.whoami)
        await connection.close()
        guard case .account(let account)? = items.first else { return "nobody: \(items)" }
        return account.user
    }

    @Test("Password and code begin a session, and the session comes back without them") func resumes() async throws {
        let session = try await login()
        #expect(session.user == "anna")
        #expect(session.url == "\(router.address)")
        #expect(session.ca == router.ca)
        #expect(session.token.count >= 32)
        for _ in 0..<2 { #expect(try await whoami(session) == "anna") }
        #expect(try await login().token != session.token)
        try await router.close()
    }

    @Test("A logout ends the session for good") func logout() async throws {
        let (session, other) = (try await login(), try await login())
        try await RouterLogin.logout(try await RouterLogin.resume(session) { "" })
        let ended = await #expect(throws: Failure.self) { _ = try await whoami(session) }
        #expect(ended?.code.exitStatus == .notPermitted)
        #expect(ended?.message.contains("m2m login") == true)
        #expect(try await whoami(other) == "anna")
        try await router.close()
    }

    @Test("A session that was not used for a while wants the code again, and the right one") func idle() async throws {
        let session = try await login()
        router.time.advance(by: .seconds(16 * 60))
        let wrong = await #expect(throws: Failure.self) { _ = try await whoami(session) { "654321" } }
        #expect(wrong?.code.exitStatus == .notPermitted)
        await #expect(throws: HarnessError.self) { _ = try await whoami(session) }
        #expect(try await whoami(session) { LoginRouter.code } == "anna")
        #expect(try await whoami(session) == "anna")
        try await router.close()
    }

    @Test("The code is asked for after the right password only") func order() async throws {
        let asked = Mutex(0)
        for (user, password) in [("anna", "wrong horse"), ("eve", LoginRouter.password)] {
            let error = await #expect(throws: Failure.self) {
                _ = try await login(user: user, password: password) {
                    asked.withLock { $0 += 1 }
                    return LoginRouter.code
                }
            }
            #expect(error?.code.exitStatus == .notPermitted)
            #expect(error?.message.contains("name or password is wrong") == true)
        }
        #expect(asked.withLock(\.self) == 0)
        let wrongCode = await #expect(throws: Failure.self) { _ = try await login { "000000" } }
        #expect(wrongCode?.message == "the security code is wrong")
        try await router.close()
    }

    @Test("Who guesses passwords is told how long to wait") func throttled() async throws {
        var last: Failure?
        for _ in 0..<4 { last = await #expect(throws: Failure.self) { _ = try await login(password: "a guess") } }
        #expect(last?.code == .busy)
        #expect(last?.retryAfter != nil)
        router.time.advance(by: .seconds(60))
        #expect(try await login().user == "anna")
        try await router.close()
    }

    @Test("A token that was made up is no session") func madeUp() async throws {
        var session = try await login()
        session.token = String(repeating: "0", count: session.token.count)
        let error = await #expect(throws: Failure.self) { _ = try await whoami(session) }
        #expect(error?.code == .notAuthenticated)
        try await router.close()
    }

    @Test("A router that nobody vouches for hears no password") func untrusted() async throws {
        var session = try await login()
        session.ca = nil
        let error = await #expect(throws: TransportError.self) { _ = try await whoami(session) }
        #expect(error?.kind == .untrusted)
        #expect(error?.description.contains("--ca") == true)
        try await router.close()
    }

    @Test("A router that is not there is not reachable") func unreachable() async throws {
        var session = try await login()
        session.url = "wss://127.0.0.1:1"
        let error = await #expect(throws: TransportError.self) { _ = try await whoami(session) }
        #expect(error?.description.contains("wss://127.0.0.1:1") == true)
        #expect(error?.code.exitStatus == .notReachable)
        try await router.close()
    }
}
