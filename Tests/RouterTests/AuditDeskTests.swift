import DeviceModel
import HALTestKit
import Logging
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whatever concerns who may do what stands in the audit log, with who did it, from where and what came of it;
/// and everybody reads what concerns themselves, and nothing else.
@Suite(.timeLimit(.minutes(1))) struct AuditDeskTests {
    private let bench: RouterBench
    private let shed: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        shed = try DeviceIdentity("shed", seed: 7)
    }

    /// Everything that waits for the log is written; what stands in it then of somebody, oldest first.
    private func written(of owner: RouterStore.Owner?) async throws -> [AuditEntry] {
        bench.core.audit.queue.finish()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        await AuditService(queue: bench.core.audit.queue, log: bench.core.audit.log, time: bench.time, logger: logger)
            .run()
        return try await bench.core.audit.log.entries(of: owner?.id, since: nil, limit: 1_000).map(\.entry)
    }

    @Test("A login, a code, a command, and what is decided about a device")
    func deeds() async throws {
        let ada = try await bench.addAccount("ada")
        _ = try await bench.store.addDevice("shed", of: ada, key: shed.publicKey)
        try await bench.person { talk in
            try await talk.send(Login(user: "ada", password: RouterBench.password))
            _ = try await talk.next(CodeWanted.self)
            try await talk.send(Code(code: RouterBench.code))
            _ = try await talk.next(SessionGranted.self)
            let call = CallRequest(
                id: "c1", address: Address(device: "shed", component: Sample.heater), action: "on",
                parameters: ["level": .number(1.5)], lease: Lease(id: "l1", duration: .seconds(30)))
            _ = try await talk.ask(.call(call))
            _ = await failure {
                let end = LeaseRenewalRequest(address: call.address, lease: "l1", duration: .zero)
                _ = try await talk.ask(.renew(end))
            }
            _ = try await talk.ask(.claim("new"))
            _ = try await talk.ask(.enable("shed"))
            _ = try await talk.ask(.revoke("shed"))
            try await talk.send(Logout())
            _ = try await talk.next(LoggedOut.self)
        }
        let entries = try await written(of: ada)
        #expect(entries.allSatisfy { $0.who == "ada" && $0.account?.name == "ada" })
        #expect(
            Set(entries.map(\.act)) == [.login, .command, .claimMade, .deviceEnabled, .deviceRevoked, .logout])
        let command = try #require(entries.first { $0.act == .command })
        #expect(command.object == "shed/heater on level=1.5 lease=30s")
        #expect(command.result == "unreachable: the device is not connected")
        let end = try #require(entries.last { $0.act == .command })
        #expect(end.object == "shed/heater lease ends")
        #expect(end.result == "unreachable")
    }

    @Test("Wrong passwords and codes stand in the log of the account, often put together; a lock by itself")
    func failures() async throws {
        let ada = try await bench.addAccount("ada")
        let account = try #require(try await bench.store.account("ada"))
        for user in ["ada", "ada", "nobody"] {
            _ = await failure {
                _ = try await bench.core.logins.check(Login(user: user, password: "wrong password"), from: "10.1.2.3")
            }
        }
        for _ in 0..<5 {
            _ = await failure {
                try await bench.core.logins.check(code: "000000", of: account, from: "10.1.2.3")
            }
        }
        let all = try await written(of: nil)
        let entries = try await bench.core.audit.log.entries(of: ada.id, since: nil, limit: 1_000).map(\.entry)
        #expect(entries.allSatisfy { $0.source == "10.1.2.3" })
        #expect(entries.filter { $0.act == .loginFailed }.map(\.times).reduce(0, +) == 2)
        #expect(entries.filter { $0.act == .codeFailed }.map(\.times).reduce(0, +) == 5)
        #expect(entries.filter { $0.act == .locked }.count == 1)
        // What somebody typed who is nobody is in nobody's log.
        #expect(all.filter { $0.who == "nobody" }.map(\.account) == [nil])
    }

    @Test("What devices do to get in, and what speaks against them")
    func devices() async throws {
        let ada = try await bench.addAccount("ada")
        let secret = "0123456789ABC"
        _ = try await bench.store.addClaim(ada, device: "shed", secretHash: Digest.sha256(secret.utf8))
        for claim in [secret, secret] {
            try await bench.device { talk, challenge in
                try await talk.send(try shed.enroll(challenge, claim: claim))
                _ = try await talk.next()
            }
        }
        for count in [5, 5] as [UInt64] {
            try await bench.device { talk, challenge in
                try await talk.send(try shed.prove(challenge, connects: count))
                _ = try await talk.next(Welcome.self)
            }
        }
        let all = try await written(of: nil)
        #expect(all.filter { $0.act == .deviceEnrolled }.map(\.account?.name) == ["ada"])
        #expect(all.filter { $0.act == .enrolmentFailed }.count == 1)
        let alarm = try #require(all.first { $0.act == .keyAlarm })
        #expect(alarm.who == "device shed")
        #expect(alarm.account?.id == ada.id)
    }

    @Test("What waits and is accepted, another key, a session that is ended, a code given anew, and who is turned away")
    func changes() async throws {
        let ada = try await bench.addAccount("ada")
        let (session, _) = try await bench.core.logins.begin(ada)
        try await bench.device { talk, challenge in
            try await talk.send(try shed.enroll(challenge, account: "ada"))
            _ = try await talk.next(EnrolmentPending.self)
            try await bench.person(ada) { person in
                _ = try await person.ask(.accept("shed", fingerprint: shed.fingerprint))
                _ = try await person.ask(.endSession(session.name))
                try await person.send(Code(code: RouterBench.code))
                _ = try await person.next(SessionGranted.self)
            }
        }
        let new = try DeviceIdentity("shed", seed: 8)
        try await bench.device { talk, challenge in
            try await talk.send(try shed.rotate(challenge, to: new))
            _ = try await talk.next(Rotated.self)
        }
        try await bench.device { talk, challenge in
            try await talk.send(try DeviceIdentity("shed", seed: 9).prove(challenge))
            _ = try await talk.failure()
        }
        let all = try await written(of: nil)
        func one(_ act: AuditAct) throws -> AuditEntry { try #require(all.first { $0.act == act }, "\(act)") }
        #expect(try one(.enrolmentWaiting).who == "device shed")
        #expect(try one(.deviceAccepted).object == "shed, key \(shed.fingerprint)")
        #expect(try one(.deviceAccepted).who == "ada")
        #expect(try one(.keyRotated).object == "key \(new.fingerprint)")
        #expect(try one(.keyRotated).account?.id == ada.id)
        #expect(try one(.sessionRevoked).object == "session \(session.name)")
        #expect(try one(.codeConfirmed).who == "ada")
        #expect(try one(.proofFailed).result == "unknown key")
        // Its session was begun elsewhere.
        #expect(try one(.sessionMoved).account?.id == ada.id)
    }

    @Test("What somebody commanded on the device itself, with their user id, by the device's word")
    func local() async throws {
        let ada = try await bench.addAccount("ada")
        _ = try await bench.store.addDevice("shed", of: ada, key: shed.publicKey)
        let result = CommandResult(
            id: "c1", component: Sample.heater, action: "on", status: .done, author: "uid 1000 (eve)")
        try await bench.device(shed) { talk, _ in
            for item in [Sample.item(1, .result(result)), Sample.result(2, "c2")] {
                try await talk.send(Sample.batch([item], stream: .events))
                _ = try await talk.next(Acknowledgement.self)
            }
        }
        let commands = try await written(of: ada).filter { $0.act == .command }
        #expect(commands.map(\.who) == ["uid 1000 (eve) on shed"])
        #expect(commands.map(\.object) == ["shed/heater on"])
    }

    @Test("Through the router everybody sees their own entries only, as many and as old as they want")
    func own() async throws {
        let ada = try await bench.addAccount("ada")
        let bob = try await bench.addAccount("bob")
        for owner in [ada, bob, ada] { _ = try await bench.core.logins.begin(owner) }
        try await bench.person(ada) { talk in
            func records(_ query: AuditQuery) async throws -> [AuditRecord] {
                try await talk.ask(.audit(query)).compactMap { item in
                    if case .audit(let record) = item { record } else { nil }
                }
            }
            let all = try await records(AuditQuery())
            #expect(all.count == 3)
            #expect(all.allSatisfy { $0.who == "ada" && $0.act == "login" && $0.result == "done" })
            #expect(try await records(AuditQuery(limit: 1)) == [all[2]])
            #expect(try await records(AuditQuery(since: bench.time.wall + .seconds(1))).isEmpty)
        }
    }

    @Test("A device is told the end of the log, and what it remembers is compared with it")
    func heads() async throws {
        let ada = try await bench.addAccount("ada")
        _ = try await bench.store.addDevice("shed", of: ada, key: shed.publicKey)
        try await bench.core.audit.write(.login, .person(ada, from: "here"))
        var told: AuditHead?
        try await bench.device(shed) { _, welcome in told = welcome.auditHead }
        let head = try #require(told)
        #expect(head == (await bench.core.audit.log.head))
        var wrong = head
        wrong.hash[0] ^= 1
        for remembered in [head, wrong, AuditHead(entry: 99, hash: head.hash)] {
            try await bench.device { talk, challenge in
                var proof = try shed.prove(challenge)
                proof.auditHead = remembered
                try await talk.send(proof)
                _ = try await talk.next(Welcome.self)
            }
        }
        let mismatches = try await written(of: ada).filter { $0.act == .auditMismatch }
        #expect(mismatches.map(\.object) == ["entry \(head.entry)", "entry 99"])
    }
}
