import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a device's key is good for one machine at a time, until its owner says otherwise; a copy of it is noticed.
@Suite(.timeLimit(.minutes(1))) struct DeviceTrustTests {
    private let bench: RouterBench
    private let shed: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        shed = try DeviceIdentity("shed", seed: 7)
    }

    private func enrolled() async throws -> (owner: RouterStore.Owner, device: RouterStore.Device) {
        let ada = try await bench.addAccount("ada")
        return (ada, try await bench.store.addDevice("shed", of: ada, key: shed.publicKey))
    }

    private func listed(_ owner: RouterStore.Owner) async throws -> RouterStore.ListedDevice {
        try #require(try await bench.store.devices(of: owner, named: "shed").first)
    }

    /// Gives a command in the name of the owner.
    private func call(_ owner: RouterStore.Owner, _ device: RouterStore.Device) async -> CommandResult {
        let request = CallRequest(
            id: "c1", address: Address(device: "shed", component: Sample.heater), action: "on", expiry: .zero)
        return await bench.core.switchboard.call(
            request, device: device.row, owner: owner, component: Sample.heater)
    }

    // MARK: Replay

    @Test("A proof that was heard is worth nothing on another connection")
    func replay() async throws {
        _ = try await enrolled()
        var heard: Prove?
        try await bench.device { talk, challenge in
            let proof = try shed.prove(challenge)
            heard = proof
            try await talk.send(proof)
            _ = try await talk.next(Welcome.self)
        }
        let proof = try #require(heard)
        try await bench.device { talk, _ in
            try await talk.send(proof)
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await talk.isHungUp())
        }
    }

    // MARK: Revocation

    @Test("Revoked, a device is cut off at once, and not let in again until it is enrolled anew")
    func revoked() async throws {
        let (ada, device) = try await enrolled()
        try await bench.device(shed) { talk, _ in
            try await bench.untilNoted(device)
            try await bench.person(ada) { person in
                guard case .device(let summary)? = try await person.ask(.revoke("shed")).first else {
                    Issue.record("no device came")
                    return
                }
                #expect(summary.isRevoked)
                let told = try await talk.failure()
                #expect(told.code == .notAuthenticated)
                #expect(told.message.contains("revoked"))
                #expect(await talk.isHungUp())
                let refusal = await failure { _ = try await person.ask(.enable("shed")) }
                #expect(refusal?.message.contains("m2m claim shed") == true)
            }
        }
        try await bench.device { talk, challenge in
            try await talk.send(try shed.prove(challenge))
            #expect(try await talk.failure().message.contains("revoked"))
        }
        let secret = "0123456789ABC"
        _ = try await bench.store.addClaim(ada, device: "shed", secretHash: Digest.sha256(secret.utf8))
        // Its copy would come back with it: the old key is good for nothing any more, and uses no code up.
        try await bench.device { talk, challenge in
            try await talk.send(try shed.enroll(challenge, claim: secret))
            let told = try await talk.failure()
            #expect(told.code == .conflict)
            #expect(told.message.contains("remove device.key"))
        }
        let new = try DeviceIdentity("shed", seed: 8)
        try await bench.device { talk, challenge in
            try await talk.send(try new.enroll(challenge, claim: secret))
            _ = try await talk.next(Enrolled.self)
        }
        try await bench.device(new) { _, welcome in #expect(welcome.owner == "ada") }
        #expect(try await listed(ada).revoked == nil)
    }

    // MARK: Two machines

    @Test("Another machine with its key is turned away while the device answers; neither is commanded then")
    func copy() async throws {
        let (ada, device) = try await enrolled()
        try await bench.device(shed) { talk, welcome in
            #expect(welcome.alarm == nil)
            try await bench.untilNoted(device)
            try await bench.device { (copy, challenge) async throws in
                try await copy.send(try shed.prove(challenge, boot: 2))
                _ = try await talk.next(Heartbeat.self)
                try await talk.send(Heartbeat(monotonic: bench.time.now))
                let told = try await copy.failure()
                #expect(told.code == .conflict)
                #expect(told.message.contains("m2m enable shed"))
                #expect(await copy.isHungUp())
            }
            #expect(try await listed(ada).alarm?.contains("two machines") == true)
            let refused = await call(ada, device)
            #expect(refused.status == .refused)
            #expect(refused.reason?.contains("m2m enable shed") == true)
            try await bench.person(ada) { person in _ = try await person.ask(.enable("shed")) }
            #expect(await call(ada, device).status == .expired)
            #expect(try await listed(ada).alarm == nil)
        }
    }

    @Test("An alarm outlasts the connection, and the device is told")
    func alarmStays() async throws {
        let (ada, device) = try await enrolled()
        _ = try await bench.store.raiseAlarm(device, "for a test")
        try await bench.device(shed) { _, welcome in
            #expect(welcome.alarm == "for a test")
            try await bench.untilNoted(device)
            #expect(await call(ada, device).status == .refused)
        }
    }

    @Test("A device that was started anew, and whose old connection is silent, takes over without an alarm")
    func halfOpen() async throws {
        let (ada, device) = try await enrolled()
        try await bench.device(shed) { old, _ in
            try await bench.untilNoted(device)
            try await bench.device { talk, challenge in
                try await talk.send(try shed.prove(challenge, boot: 2))
                _ = try await old.next(Heartbeat.self)
                await bench.time.untilSleepers()
                bench.time.advance(by: Switchboard.patience)
                _ = try await talk.next(Welcome.self)
                #expect(try await old.failure().code == .busy)
            }
        }
        #expect(try await listed(ada).alarm == nil)
    }

    @Test("A second connection of the same boot takes over at once, without an alarm")
    func sameBoot() async throws {
        let (ada, device) = try await enrolled()
        try await bench.device(shed) { old, _ in
            try await bench.untilNoted(device)
            try await bench.device(shed) { (_, _) async throws in #expect(try await old.failure().code == .busy) }
        }
        #expect(try await listed(ada).alarm == nil)
    }

    @Test(
        "A count of connections that does not rise is a copy's, or an older state's: it comes in, and is not commanded",
        arguments: [[5, 5], [5, 6, 6], [9, 3], [2, nil]] as [[UInt64?]])
    func count(_ counts: [UInt64?]) async throws {
        let (ada, device) = try await enrolled()
        for (index, count) in counts.enumerated() {
            try await bench.device { talk, challenge in
                try await talk.send(try shed.prove(challenge, connects: count))
                let welcome = try await talk.next(Welcome.self)
                #expect((welcome.alarm != nil) == (index == counts.count - 1))
            }
        }
        #expect(try await listed(ada).alarm?.contains("has not risen") == true)
        // The owner trusts it: whoever comes next is the one.
        try await bench.person(ada) { person in _ = try await person.ask(.enable("shed")) }
        try await bench.device { talk, challenge in
            try await talk.send(try shed.prove(challenge, connects: 3))
            #expect(try await talk.next(Welcome.self).alarm == nil)
            try await bench.untilNoted(device)
            #expect(await call(ada, device).status == .expired)
        }
    }

    @Test("A count that rises is as it should be, and who never counted need not begin")
    func rises() async throws {
        let (ada, _) = try await enrolled()
        for count in [nil, nil, 1, 2, 7] as [UInt64?] {
            try await bench.device { talk, challenge in
                try await talk.send(try shed.prove(challenge, connects: count))
                #expect(try await talk.next(Welcome.self).alarm == nil)
            }
        }
        #expect(try await listed(ada).alarm == nil)
    }

    // MARK: Another key

    @Test("A key signed by the old one is good from then on; the old one is, too, until the new one has been used")
    func rotated() async throws {
        let (ada, device) = try await enrolled()
        let new = try DeviceIdentity("shed", seed: 8)
        for _ in 0..<2 {  // once more, where the answer was lost
            try await bench.device { talk, challenge in
                try await talk.send(try shed.rotate(challenge, to: new))
                _ = try await talk.next(Rotated.self)
                #expect(await talk.isHungUp())
            }
            try await bench.device(shed) { _, welcome in #expect(welcome.owner == "ada") }
        }
        try await bench.device(new) { _, welcome in #expect(welcome.owner == "ada") }
        try await bench.device { talk, challenge in
            try await talk.send(try shed.prove(challenge))
            #expect(try await talk.failure().code == .notAuthenticated)
        }
        #expect(try await bench.store.device(key: new.publicKey)?.row == device.row)
        #expect(try await listed(ada).alarm == nil)
    }

    @Test("A new key ends the connection that was opened with the old one")
    func rotatedWhileConnected() async throws {
        let (_, device) = try await enrolled()
        let new = try DeviceIdentity("shed", seed: 8)
        try await bench.device(shed) { old, _ in
            try await bench.untilNoted(device)
            try await bench.device { talk, challenge in
                try await talk.send(try shed.rotate(challenge, to: new))
                _ = try await talk.next(Rotated.self)
            }
            #expect(try await old.failure().code == .busy)
        }
    }

    @Test("Without both signatures, by a stranger, to another device's key, revoked or under an alarm: no new key")
    func notRotated() async throws {
        let (ada, device) = try await enrolled()
        let new = try DeviceIdentity("shed", seed: 8)
        let stranger = try DeviceIdentity("shed", seed: 9)
        let other = try DeviceIdentity("cellar", seed: 10)
        _ = try await bench.store.addDevice("cellar", of: ada, key: other.publicKey)
        func refusal(_ rotate: (Challenge) throws -> Rotate) async throws -> ErrorCode? {
            var code: ErrorCode?
            try await bench.device { talk, challenge in
                try await talk.send(try rotate(challenge))
                code = try await talk.failure().code
            }
            return code
        }
        #expect(
            try await refusal { challenge in
                var message = try shed.rotate(challenge, to: new)
                message.newSignature = message.signature
                return message
            } == .notAuthenticated)
        #expect(
            try await refusal { challenge in
                var message = try shed.rotate(challenge, to: new)
                message.newKey = stranger.publicKey
                return message
            } == .notAuthenticated)
        #expect(try await refusal { try stranger.rotate($0, to: new) } == .notAuthenticated)
        #expect(try await refusal { try shed.rotate($0, to: other) } == .conflict)
        _ = try await bench.store.raiseAlarm(device, "for a test")
        #expect(try await refusal { try shed.rotate($0, to: new) } == .notPermitted)
        try await bench.store.revoke(ada, device: device.row)
        #expect(try await refusal { try shed.rotate($0, to: new) } == .notAuthenticated)
        #expect(try await bench.store.device(key: new.publicKey) == nil)
    }
}
