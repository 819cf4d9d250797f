import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: accounts are kept apart and go with everything they own, five wrong codes in a row lock one, and sessions
/// end by themselves.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreAccountsTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    private func state(_ token: [UInt8]) async throws -> String? {
        try await store.session(tokenHash: token).map { session in
            "\(session.isIdle(at: time.timestamp) ? "idle" : "good") \(session.owner.name)"
        }
    }

    // MARK: Accounts

    @Test("An account is found by its name, with what is kept of its secrets")
    func isFound() async throws {
        try await store.addAccount("ada", password: Sample.secret(1), code: Sample.secret(2))
        let account = try #require(try await store.account("ada"))
        #expect(account.owner.name == "ada")
        #expect(account.password == Sample.secret(1))
        #expect(account.code == Sample.secret(2))
        #expect(!account.isLocked)
        #expect(try await store.account("bob") == nil)
    }

    @Test("A second account of a name is a conflict that names it, and changes nothing")
    func secondOfAName() async throws {
        _ = try await store.addOwner("ada")
        let problem = await problem {
            try await store.addAccount("ada", password: Sample.secret(8), code: Sample.secret(9))
        }
        #expect(problem?.code == .conflict)
        #expect(problem?.description.contains("'ada'") == true)
        #expect(try await store.account("ada")?.password == Sample.secret(1))
        #expect(try await store.count("accounts") == 1)
    }

    @Test("Accounts are listed by name")
    func list() async throws {
        for name in ["mia", "ada", "zoe"] { _ = try await store.addOwner(name) }
        #expect(try await store.accounts().map(\.name) == ["ada", "mia", "zoe"])
    }

    @Test("Everything in an account's space goes with it, and nothing of anybody else's")
    func removal() async throws {
        for (name, byte) in [("ada", UInt8(1)), ("bob", 2)] {
            let owner = try await store.addOwner(name)
            let device = try await store.addDevice("greenhouse", of: owner, key: Sample.key(byte))
            _ = try await store.ingest(Sample.batch([Sample.reading(1)], gaps: [2...3]), from: device)
            _ = try await store.addSession(owner, tokenHash: [byte])
            try await store.addPending(account: name, device: "cellar", key: Sample.key(byte + 10))
        }
        let tables = ["accounts", "devices", "observations", "gaps", "streams", "sessions", "claims", "pending"]
        for table in tables { #expect(try await store.count(table) == 2, "\(table)") }
        #expect(try await store.removeAccount("ada"))
        for table in tables { #expect(try await store.count(table) == 1, "\(table)") }
        #expect(try await store.account("ada") == nil)
        #expect(try await store.device(key: Sample.key(1)) == nil)
        #expect(try await store.device(key: Sample.key(2))?.owner.name == "bob")
        #expect(try await state([2]) == "good bob")
    }

    @Test("Removing or unlocking an account that is not there says so")
    func unknownAccount() async throws {
        #expect(try await !store.removeAccount("ada"))
        #expect(try await !store.unlock("ada"))
    }

    // MARK: Wrong codes

    @Test("The fifth wrong code in a row locks the account, and no other")
    func lock() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addOwner("bob")
        var locked: [Bool] = []
        for _ in 0..<5 { locked.append(try await store.countWrongCode(ada)) }
        #expect(locked == [false, false, false, false, true])
        #expect(try await store.accounts().map(\.isLocked) == [true, false])
    }

    @Test("A right code in between begins the count again")
    func rightCodeBetween() async throws {
        let ada = try await store.addOwner("ada")
        for _ in 0..<4 { _ = try await store.countWrongCode(ada) }
        #expect(try await store.forgetWrongCodes(ada))
        for _ in 0..<4 { #expect(try await !store.countWrongCode(ada)) }
        #expect(try await store.countWrongCode(ada))
    }

    @Test("Unlocking opens the account and begins the count again")
    func unlock() async throws {
        let ada = try await store.addOwner("ada")
        for _ in 0..<5 { _ = try await store.countWrongCode(ada) }
        #expect(try await store.unlock("ada"))
        #expect(try await store.account("ada")?.isLocked == false)
        for _ in 0..<4 { #expect(try await !store.countWrongCode(ada)) }
        #expect(try await store.countWrongCode(ada))
    }

    @Test("A right code does not unlock an account")
    func rightCodeAfterLock() async throws {
        let ada = try await store.addOwner("ada")
        for _ in 0..<5 { _ = try await store.countWrongCode(ada) }
        #expect(try await store.forgetWrongCodes(ada) == false)
        #expect(try await store.account("ada")?.isLocked == true)
    }

    @Test("Wrong codes are still counted after a restart")
    func countLasts() async throws {
        let folder = try TemporaryDirectory()
        do {
            let store = try RouterStore(path: folder.file("router.db"), time: time)
            let ada = try await store.addOwner("ada")
            for _ in 0..<4 { _ = try await store.countWrongCode(ada) }
        }
        let again = try RouterStore(path: folder.file("router.db"), time: time)
        let ada = try #require(try await again.account("ada")).owner
        #expect(try await again.countWrongCode(ada))
    }

    // MARK: Sessions

    @Test("A session is good for fifteen minutes without use, and idle after that")
    func idle() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addSession(ada, tokenHash: [1])
        time.advance(by: .seconds(899))
        #expect(try await state([1]) == "good ada")
        time.advance(by: .seconds(1))
        #expect(try await state([1]) == "idle ada")
    }

    @Test("Use keeps a session good, but never longer than twelve hours")
    func absolute() async throws {
        let ada = try await store.addOwner("ada")
        let expires = try await store.addSession(ada, tokenHash: [1])
        #expect(expires == time.wall + .seconds(12 * 3_600))
        for _ in 0..<71 {  // every ten minutes, up to ten minutes before the end
            time.advance(by: .seconds(600))
            #expect(try await state([1]) == "good ada")
            try await store.touchSession(tokenHash: [1])
        }
        time.advance(by: .seconds(599))
        #expect(try await state([1]) == "good ada")
        time.advance(by: .seconds(1))
        #expect(try await state([1]) == nil)
    }

    @Test("Using an idle session makes it good again")
    func touchIdle() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addSession(ada, tokenHash: [1])
        time.advance(by: .seconds(3_600))
        try await store.touchSession(tokenHash: [1])
        #expect(try await state([1]) == "good ada")
    }

    @Test("A session that was ended is gone, and no other with it")
    func endSession() async throws {
        let ada = try await store.addOwner("ada")
        for token: UInt8 in 1...2 { _ = try await store.addSession(ada, tokenHash: [token]) }
        try await store.removeSession(tokenHash: [1])
        #expect(try await state([1]) == nil)
        #expect(try await state([2]) == "good ada")
        #expect(try await state([3]) == nil)
    }

    @Test("Sessions that have ended do not pile up")
    func sweep() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addSession(ada, tokenHash: [1])
        time.advance(by: .seconds(13 * 3_600))
        _ = try await store.addSession(ada, tokenHash: [2])
        #expect(try await store.count("sessions") == 1)
    }

    @Test("A locked account's sessions go on")
    func lockedSession() async throws {
        let ada = try await store.addOwner("ada")
        _ = try await store.addSession(ada, tokenHash: [1])
        for _ in 0..<5 { _ = try await store.countWrongCode(ada) }
        #expect(try await state([1]) == "good ada")
    }
}
