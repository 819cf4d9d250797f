import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: only the holder of a known key gets in, by a signature that is good for this connection, this router, this
/// boot and this name.
@Suite(.timeLimit(.minutes(1))) struct DeviceConnectionTests {
    private let bench: RouterBench
    private let greenhouse: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        greenhouse = try DeviceIdentity("greenhouse", seed: 1)
    }

    /// An account with the device in it.
    private func addGreenhouse() async throws -> RouterStore.Device {
        try await bench.store.addDevice(
            "greenhouse", of: try await bench.store.addOwner("ada"), key: greenhouse.publicKey)
    }

    /// A code with which the device comes in.
    private func claim(_ device: DeviceID = "greenhouse", of owner: RouterStore.Owner) async throws -> String {
        var generator = SeededGenerator(seed: 11)
        let code = ClaimCode(caDigest: RouterBench.caDigest, using: &generator)
        _ = try await bench.store.addClaim(owner, device: device, secretHash: Digest.sha256(code.secret.utf8))
        return code.secret
    }

    // MARK: Proof

    @Test("Who signs the truth with a known key is welcome")
    func proof() async throws {
        let device = try await addGreenhouse()
        _ = try await bench.store.ingest(Sample.batch(Sample.readings(1...4)), from: device)
        try await bench.device(greenhouse) { _, welcome in
            #expect(welcome.owner == "ada")
            #expect(welcome.heartbeat == .seconds(20))
            #expect(welcome.streams == [Sample.reception(through: 4)])
            try await bench.untilNoted(device)
        }
    }

    @Test("Beyond the rate a device is told when its turn is; whoever proves nothing takes nobody's")
    func turns() async throws {
        let device = try await addGreenhouse()
        let stranger = try DeviceIdentity("greenhouse", seed: 2)
        for _ in 0..<60 {
            try await bench.device { talk, challenge in
                try await talk.send(try stranger.prove(challenge))
                #expect(try await talk.failure().code == .notAuthenticated)
            }
        }
        try await bench.device(greenhouse) { _, _ in try await bench.untilNoted(device) }
        while bench.core.admission.wait() == nil {}
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.prove(challenge))
            let failure = try await talk.failure()
            #expect(failure.code == .busy)
            #expect(failure.retryAfter.map { $0 > .zero && $0 < .seconds(1) } == true, "\(failure)")
        }
        bench.time.advance(by: .seconds(1))
        try await bench.device(greenhouse) { _, welcome in #expect(welcome.owner == "ada") }
    }

    /// A proof with one thing in it that is not true.
    enum Lie: String, CaseIterable {
        case signature, nonce, router, boot, name, purpose, anothersKey, ownKey

        func proof(_ identity: DeviceIdentity, _ challenge: Challenge) throws -> Prove {
            var statement = identity.statement(.prove, challenge)
            switch self {
            case .signature:
                var prove = try identity.prove(challenge)
                prove.signature[0] ^= 1
                return prove
            case .nonce: statement.nonce[0] ^= 1
            case .router: statement.routerKeyHash[0] ^= 1
            case .boot: statement.boot = 2
            case .name: statement.device = "shed"
            case .purpose: statement.purpose = .enroll
            case .anothersKey:
                var prove = try DeviceIdentity(identity.name, seed: 2).prove(challenge)
                prove.key = identity.publicKey
                return prove
            case .ownKey: return try DeviceIdentity(identity.name, seed: 2).prove(challenge)
            }
            return try identity.prove(challenge, signing: statement)
        }
    }

    @Test("A proof in which one thing is not true lets nobody in, and says what to do", arguments: Lie.allCases)
    func lie(_ lie: Lie) async throws {
        let device = try await addGreenhouse()
        let (_, arrivals) = await bench.core.switchboard.watch(device.owner)
        try await bench.device { talk, challenge in
            try await talk.send(try lie.proof(greenhouse, challenge))
            let failure = try await talk.failure()
            #expect(failure.code == .notAuthenticated)
            #expect(failure.message.contains(lie == .ownKey ? "`m2m-agent enroll`" : "the signature is not right"))
            #expect(await talk.isHungUp())
        }
        #expect(arrivals.count == 0)
    }

    @Test("Every connection has a nonce of its own: a proof that was overheard is good for no other")
    func replay() async throws {
        _ = try await addGreenhouse()
        try await bench.device { first, challenge in
            let overheard = try greenhouse.prove(challenge)
            try await first.send(overheard)
            _ = try await first.next(Welcome.self)
            try await bench.device { second, another in
                #expect(another.nonce != challenge.nonce)
                try await second.send(overheard)
                #expect(try await second.failure().code == .notAuthenticated)
            }
        }
    }

    @Test("A known device under another name is told both names")
    func otherName() async throws {
        _ = try await addGreenhouse()
        var renamed = greenhouse
        renamed.name = "shed"
        try await bench.device { talk, challenge in
            try await talk.send(try renamed.prove(challenge))
            let failure = try await talk.failure()
            #expect(failure.code == .conflict)
            #expect(failure.message.contains("was enrolled as 'greenhouse', not as 'shed'"))
            #expect(await talk.isHungUp())
        }
    }

    // MARK: Claim codes

    @Test("A claim code lets a device in, which can then prove who it is")
    func claimCode() async throws {
        let secret = try await claim(of: try await bench.store.addOwner("ada"))
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, claim: secret))
            #expect(try await talk.next(Enrolled.self).owner == "ada")
            #expect(await talk.isHungUp())
        }
        try await bench.device(greenhouse) { _, welcome in #expect(welcome.owner == "ada") }
    }

    @Test("A code that is wrong, used or for another device lets nobody in, and says why")
    func badCodes() async throws {
        let ada = try await bench.store.addOwner("ada")
        let secret = try await claim(of: ada)
        var shed = try DeviceIdentity("shed", seed: 2)
        let cases: [(String, DeviceIdentity, String)] = [
            ("NO-SUCH-CODE", greenhouse, "not known here"), (secret, shed, "was made for 'greenhouse'"),
        ]
        for (code, identity, words) in cases {
            try await bench.device { talk, challenge in
                try await talk.send(try identity.enroll(challenge, claim: code))
                let failure = try await talk.failure()
                #expect(failure.code == .notPermitted)
                #expect(failure.message.contains(words))
                #expect(await talk.isHungUp())
            }
        }
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, claim: secret))
            _ = try await talk.next(Enrolled.self)
        }
        shed.name = "greenhouse"
        try await bench.device { talk, challenge in
            try await talk.send(try shed.enroll(challenge, claim: secret))
            #expect(try await talk.failure().message.contains("has been used already"))
        }
    }

    @Test("A code is not used up by somebody who can't sign for the key that they bring")
    func unsignedEnrolment() async throws {
        let secret = try await claim(of: try await bench.store.addOwner("ada"))
        try await bench.device { talk, challenge in
            let proof = greenhouse.statement(.prove, challenge)
            try await talk.send(try greenhouse.enroll(challenge, claim: secret, signing: proof))
            #expect(try await talk.failure().code == .notAuthenticated)
        }
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, claim: secret))
            #expect(try await talk.next(Enrolled.self).owner == "ada")
        }
    }

    // MARK: Waiting to be accepted

    @Test("Without a code a device waits until its owner accepts the fingerprint that it shows")
    func pending() async throws {
        let ada = try await bench.store.addOwner("ada")
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, account: "ada"))
            #expect(try await talk.next(EnrolmentPending.self).fingerprint == greenhouse.fingerprint)
            #expect(try await bench.store.device(key: greenhouse.publicKey) == nil)
            #expect(try await bench.store.accept(ada, device: "greenhouse", key: greenhouse.publicKey))
            await bench.core.switchboard.accept(key: greenhouse.publicKey, by: ada)
            #expect(try await talk.next(Enrolled.self).owner == "ada")
            #expect(await talk.isHungUp())
        }
    }

    @Test("A device that was accepted while it was away is in when it comes back")
    func acceptedMeanwhile() async throws {
        let ada = try await bench.store.addOwner("ada")
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, account: "ada"))
            _ = try await talk.next(EnrolmentPending.self)
        }
        #expect(try await bench.store.accept(ada, device: "greenhouse", key: greenhouse.publicKey))
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, account: "ada"))
            #expect(try await talk.next(Enrolled.self).owner == "ada")
        }
    }

    @Test("Waiting for an account that is not there looks like waiting for one that is")
    func unknownAccount() async throws {
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge, account: "nobody"))
            #expect(try await talk.next(EnrolmentPending.self).fingerprint == greenhouse.fingerprint)
        }
    }

    @Test("An enrolment with neither a code nor an account is a bad request")
    func neither() async throws {
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.enroll(challenge))
            #expect(try await talk.failure().code == .badRequest)
            #expect(await talk.isHungUp())
        }
    }
}
