import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a disk that takes nothing keeps nobody who is in from switching off, and gives nobody another guess.
@Suite(.timeLimit(.minutes(1))) struct FullDiskLoginTests {
    private let bench: RouterBench
    private var desk: LoginDesk { bench.core.logins }

    init() throws {
        bench = try RouterBench()
    }

    /// Lets no row of a table be changed any more, or again.
    private func set(_ table: String, isFull: Bool) async throws {
        try await bench.store.database.write { db in
            for change in ["UPDATE", "DELETE"] {
                try db.execute(
                    sql: isFull
                        ? """
                        CREATE TEMP TRIGGER no\(change)\(table) BEFORE \(change) ON \(table)
                        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END
                        """ : "DROP TRIGGER no\(change)\(table)")
            }
        }
    }

    @Test("A session goes on, and who comes back with its token comes in; what is dangerous does not go")
    func goesOn() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        try await set("sessions", isFull: true)
        bench.time.advance(by: .seconds(11))
        await #expect(throws: DatabaseError.self) { try await desk.use(session, isDangerous: true) }
        // Together more than a quarter of an hour, and never one without use.
        for _ in 0..<3 {
            bench.time.advance(by: .seconds(600))
            try await desk.use(session)
            #expect(!desk.isIdle(try await desk.session(of: token)))
        }
        bench.time.advance(by: .seconds(900))
        #expect(await failure { try await desk.use(session) }?.code == .codeRequired)
    }

    @Test("A session that is over is over, although it can't be removed")
    func over() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, token) = try await desk.begin(ada)
        try await set("sessions", isFull: true)
        bench.time.advance(by: Session.lifetime)
        #expect(await failure { _ = try await desk.session(of: token) }?.code == .notAuthenticated)
        #expect(await failure { try await desk.use(session) }?.code == .notAuthenticated)
    }

    @Test("A person is told in words, and commands are answered")
    func commands() async throws {
        let ada = try await bench.addAccount("ada")
        _ = try await bench.store.addDevice("shed", of: ada, key: Sample.key(1))
        try await bench.person(ada) { talk in
            for table in ["sessions", "devices"] { try await set(table, isFull: true) }
            bench.time.advance(by: .seconds(11))
            let call = CallRequest(id: "c1", address: Address(device: "shed", component: Sample.heater), action: "off")
            #expect(try await talk.ask(.call(call)).count == 1)
            let refusal = await failure { _ = try await talk.ask(.revoke("shed")) }
            #expect(refusal?.code == .systemFailure)
            #expect(refusal?.message.contains("SQL") == false)
        }
    }

    @Test("A code that can't be counted is not looked at, right or wrong")
    func uncounted() async throws {
        _ = try await bench.addAccount("ada")
        let account = try #require(try await bench.store.account("ada"))
        try await set("accounts", isFull: true)
        for code in ["000000", RouterBench.code] {
            await #expect(throws: DatabaseError.self) {
                try await desk.check(code: code, of: account, from: "here")
            }
        }
        try await set("accounts", isFull: false)
        try await desk.check(code: RouterBench.code, of: account, from: "here")
    }

    @Test("Codes that were counted, and of which nothing is known because the router ended, count as wrong ones")
    func counted() async throws {
        let ada = try await bench.addAccount("ada")
        let account = try #require(try await bench.store.account("ada"))
        for _ in 0..<4 { try await bench.store.countCode(ada) }
        try await desk.check(code: RouterBench.code, of: account, from: "here")
        for _ in 0..<5 { try await bench.store.countCode(ada) }
        #expect(
            await failure { try await desk.check(code: RouterBench.code, of: account, from: "here") }?.code
                == .notAuthenticated)
        #expect(try await bench.store.account("ada")?.isLocked == true)
    }

    @Test("Whoever changes the secrets makes the old code worth nothing, also for who is asked for it already")
    func changed() async throws {
        _ = try await bench.addAccount("ada")
        let account = try await desk.check(Login(user: "ada", password: RouterBench.password), from: "here")
        #expect(try await bench.store.changeSecrets("ada", password: Sample.secret(1), code: Sample.secret(2)))
        #expect(
            await failure { try await desk.check(code: RouterBench.code, of: account, from: "here") }?.code
                == .notAuthenticated)
    }
}
