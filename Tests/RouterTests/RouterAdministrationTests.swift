import DeviceModel
import Foundation
import HALTestKit
import TestSupport
import Testing

@testable import Router

/// Promise: the person at the router's machine makes, lists, unlocks and removes accounts, and the pepper that codes are
/// hashed with stays what it is, private and outside the database.
@Suite(.timeLimit(.minutes(1))) struct RouterAdministrationTests {
    private let folder: TemporaryDirectory
    private var data: String { folder.file("data") }

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func open() throws -> RouterAdministration {
        try RouterAdministration(dataDirectory: data, time: ManualTime())
    }

    /// Puts an account in without the work that hashing is.
    private func addAccount(_ name: String, to administration: RouterAdministration) async throws {
        try await administration.store.addAccount(name, password: Sample.secret(1), code: Sample.secret(2))
    }

    // MARK: The folder

    @Test("The folder is made for this user alone, with a database and a pepper in it")
    func folderIsMade() throws {
        _ = try open()
        #expect(try rights(data) == 0o700)
        #expect(try SafeFile.read("\(data)/router.db") != nil)
    }

    @Test("The pepper is 32 random bytes in a private file, and not in the database")
    func pepper() async throws {
        let administration = try open()
        try await administration.addAccount("ada", password: "correct horse", code: "123456")
        let pepper = try #require(try SafeFile.read("\(data)/pepper"))
        #expect(pepper.count == 32)
        #expect(Set(pepper).count > 8)
        #expect(try rights("\(data)/pepper") == 0o600)
        var database = Data()
        for name in ["router.db", "router.db-wal"] { database += try SafeFile.read("\(data)/\(name)") ?? [] }
        #expect(database.range(of: Data("ada".utf8)) != nil)
        #expect(database.range(of: Data(pepper)) == nil)
    }

    @Test("The pepper lasts: a code is right after a restart")
    func pepperLasts() async throws {
        let hash = try await open().hasher.hash(code: "123456")
        #expect(try await open().hasher.isRight(code: "123456", hash))
    }

    @Test("A pepper that is damaged is an error that names the file, and is left as it is", arguments: [0, 31, 33])
    func damagedPepper(_ length: Int) async throws {
        try await addAccount("ada", to: try open())
        let damaged = [UInt8](repeating: 7, count: length)
        try SafeFile.write(damaged, to: "\(data)/pepper")
        #expect {
            _ = try open()
        } throws: {
            ($0 as? any ExplainedError)?.description.contains("\(data)/pepper") == true
        }
        #expect(try SafeFile.read("\(data)/pepper") == damaged)
    }

    @Test("A pepper that is gone is an error that names the file, where there are accounts whose codes need it")
    func missingPepper() async throws {
        try await addAccount("ada", to: try open())
        try FileManager.default.removeItem(atPath: "\(data)/pepper")
        #expect {
            _ = try open()
        } throws: {
            ($0 as? any ExplainedError)?.description.contains("\(data)/pepper") == true
        }
    }

    @Test("A folder that cannot be is an error that names it")
    func badFolder() throws {
        try folder.write("data", "a file, where the folder should be")
        #expect {
            _ = try open()
        } throws: {
            ($0 as? any ExplainedError)?.description.contains(data) == true
        }
    }

    // MARK: Accounts

    @Test("An account is made with its password and its code, and is there after a restart")
    func add() async throws {
        try await open().addAccount("ada", password: "correct horse", code: "123456")
        let again = try open()
        let account = try #require(try await again.store.account("ada"))
        #expect(try await again.hasher.isRight(password: "correct horse", account.password))
        #expect(try await again.hasher.isRight(code: "123456", account.code))
    }

    @Test(
        "A name, a password or a code that can't be makes no account",
        arguments: [
            ("Ada", "correct horse", "123456", "an account's name is"), ("ada", "short", "123456", "a password has"),
            ("ada", "correct horse", "12345", "a security code has"),
        ])
    func addBad(_ name: String, _ password: String, _ code: String, _ words: String) async throws {
        let administration = try open()
        let problem = await problem { try await administration.addAccount(name, password: password, code: code) }
        #expect(problem?.code == .badRequest)
        #expect(problem?.description.contains(words) == true)
        #expect(problem?.description.contains("correct horse") == false)
        #expect(try await administration.accounts().isEmpty)
    }

    @Test("A name that can't be, or is taken, is refused before anybody is asked for secrets")
    func namesFirst() async throws {
        let administration = try open()
        try await administration.check(newName: "ada")
        try await addAccount("ada", to: administration)
        for name in ["ada", "Ada", "", "a b"] {
            await #expect(throws: RouterProblem.self) { try await administration.check(newName: name) }
        }
    }

    @Test("A name that is taken is a conflict")
    func addTwice() async throws {
        let administration = try open()
        try await addAccount("ada", to: administration)
        let problem = await problem {
            try await administration.addAccount("ada", password: "correct horse", code: "123456")
        }
        #expect(problem?.code == .conflict)
        #expect(problem?.description == "there is an account 'ada' already")
    }

    @Test("The list shows which accounts are locked; unlocking one opens it, and no other")
    func listAndUnlock() async throws {
        let administration = try open()
        for name in ["zoe", "ada"] {
            try await addAccount(name, to: administration)
            let owner = try #require(try await administration.store.account(name)).owner
            for _ in 0..<5 { _ = try await administration.store.countWrongCode(owner) }
        }
        try await addAccount("bob", to: administration)
        func list() async throws -> [String] {
            try await administration.accounts().map { $0.isLocked ? "\($0.name) locked" : $0.name }
        }
        #expect(try await list() == ["ada locked", "bob", "zoe locked"])
        try await administration.unlock("zoe")
        #expect(try await list() == ["ada locked", "bob", "zoe"])
    }

    @Test("An account with other secrets has no session and is open, and nobody else is touched")
    func changeSecrets() async throws {
        let administration = try open()
        let store = administration.store
        for name in ["ada", "bob"] {
            try await addAccount(name, to: administration)
            let owner = try #require(try await store.account(name)).owner
            _ = try await store.addSession(owner, tokenHash: [UInt8(owner.id)])
            for _ in 0..<5 { _ = try await store.countWrongCode(owner) }
        }
        try await administration.changeSecrets("ada", password: "battery staple", code: "654321")
        let (ada, bob) = (try #require(try await store.account("ada")), try #require(try await store.account("bob")))
        #expect(try await administration.hasher.isRight(password: "battery staple", ada.password))
        #expect(try await administration.hasher.isRight(code: "654321", ada.code))
        #expect((ada.isLocked, bob.isLocked) == (false, true))
        #expect((bob.password, bob.code) == (Sample.secret(1), Sample.secret(2)))
        #expect(try await store.sessions(of: ada.owner).isEmpty)
        #expect(try await store.sessions(of: bob.owner).count == 1)
    }

    @Test("Secrets that can't be change nothing", arguments: [("short", "123456"), ("correct horse", "12345")])
    func changeToBadSecrets(_ password: String, _ code: String) async throws {
        let administration = try open()
        try await addAccount("ada", to: administration)
        let problem = await problem { try await administration.changeSecrets("ada", password: password, code: code) }
        #expect(problem?.code == .badRequest)
        #expect(try await administration.store.account("ada")?.password == Sample.secret(1))
    }

    @Test("An account that is removed is gone")
    func remove() async throws {
        let administration = try open()
        for name in ["ada", "bob"] { try await addAccount(name, to: administration) }
        try await administration.removeAccount("ada")
        #expect(try await administration.accounts().map(\.name) == ["bob"])
    }

    @Test("What is done to an account stands in the audit log, with who did it")
    func audited() async throws {
        let administration = try open()
        try await administration.addAccount("ada", password: "correct horse", code: "123456")
        try await administration.changeSecrets("ada", password: "battery staple", code: "654321")
        try await administration.unlock("ada")
        try await administration.removeAccount("ada")
        let entries = try await AuditDesk(folder: data, time: ManualTime()).log.entries(of: nil, since: nil, limit: 10)
        #expect(entries.map(\.entry.act) == [.accountAdded, .accountChanged, .unlocked, .accountRemoved])
        for (_, entry) in entries {
            #expect(entry.object == "ada" && entry.account?.name == "ada")
            #expect(entry.who.hasPrefix("uid \(getuid()) ") && entry.source == "local")
        }
    }

    @Test("Changing, unlocking or removing an account that is not there says where to find those that are")
    func unknown() async throws {
        let administration = try open()
        let problems = [
            await problem { try await administration.check(name: "nobody") },
            await problem {
                try await administration.changeSecrets("nobody", password: "correct horse", code: "123456")
            },
            await problem { try await administration.unlock("nobody") },
            await problem { try await administration.removeAccount("nobody") },
        ]
        for problem in problems {
            #expect(problem?.code == .notFound)
            #expect(problem?.description == "there is no account 'nobody'; `m2m-router user list` shows them all")
        }
    }
}
