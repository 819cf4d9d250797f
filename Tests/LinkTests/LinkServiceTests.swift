import Crypto
import DeviceManager
import DeviceModel
import Glibc
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// The link is tried again for ever, soon at first and then rarely, and says at any time how it is and why.
@Suite(.timeLimit(.minutes(1))) struct LinkServiceTests {
    private let test: LinkUnderTest
    private var folder: TemporaryDirectory { test.folder }
    private var time: WatchedTime { test.time }

    init() throws {
        test = try LinkUnderTest()
    }

    @Test("It connects, proves who it is to this very router, and says that it is connected") func connects()
        async throws
    {
        let router = try await FakeRouter(folder)
        let key = try test.makeKey()
        try await test.run(router.settings) { link in
            var end = try await router.next()
            let prove = try await end.welcome()
            await link.until(.connected)
            #expect(link.status?.router == "\(router.address)")
            let statement = SignedStatement(
                purpose: .prove, nonce: RouterEnd.nonce, routerKeyHash: router.keyHash, boot: prove.boot,
                device: "greenhouse")
            #expect(prove.key == key.publicKey)
            #expect(
                try Curve25519.Signing.PublicKey(rawRepresentation: prove.key)
                    .isValidSignature(prove.signature, for: statement.bytes))
        }
        try await router.close()
    }

    @Test("It stops in order, connected or not, and lets go of the router") func stops() async throws {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        let steps = Mailbox<String>(bound: 2, policy: .refuseNewest)
        let end = Task {
            var end = try await router.next()
            try await end.welcome()
            steps.send("welcomed")
            while try await !end.isClosed() {}
            steps.send("closed")
        }
        let settings = router.settings
        try await test.run(settings) { _ in #expect(await steps.next() == "welcomed") }
        #expect(await steps.next() == "closed")
        try await end.value
        try await router.close()
        try await test.run(settings) { [time] _ in _ = try await time.nextFailure(after: 0) }
    }

    @Test("What has waited goes up as fast as the configuration says, and no faster") func backlogRate() async throws {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        let reading = Reading(component: "heater", property: "on", value: .boolean(false))
        let old = Observation(time: time.timestamp, content: .reading(reading))
        let waiting = [Observation](repeating: old, count: 300)
        try await test.run("\(router.settings)\nbacklog_rate = 10", waiting: waiting) { [time] _ in
            var end = try await router.next()
            try await end.welcome()
            for _ in 0..<3 {
                let batch = try await end.next(ObservationBatch.self)
                #expect(batch.items.count == 100)
                try await end.acknowledge(batch)
                for _ in 0..<3 {
                    try await end.say(Heartbeat())
                    _ = try await end.next(Heartbeat.self)
                }
                time.clock.advance(by: .seconds(10))
            }
        }
        try await router.close()
    }

    // MARK: Again and again

    @Test("It is tried again for ever: within a second at first, within a minute always, never all at once")
    func forEver() async throws {
        let router = try await FakeRouter(folder)
        let (settings, address) = (router.settings, "\(router.address)")
        try await router.close()
        try test.makeKey()
        try await test.run(settings) { [time] link in
            time.clock.allow(until: time.now + .seconds(86_400))
            var pauses: [Duration] = []
            while pauses.count < 120 {
                let pause = try await time.nextFailure(after: pauses.count)
                pauses.append(pause.length)
                #expect(pause.link?.failedAttempts == pauses.count)
                #expect(pause.link?.reason?.contains(address) == true)
                #expect(pause.length >= .zero)
                #expect(pause.length <= min(.seconds(60), .seconds(1 << min(pauses.count - 1, 6))))
            }
            #expect(pauses.dropFirst(6).contains { $0 > .seconds(30) })
            #expect(pauses.dropFirst(6).contains { $0 < .seconds(30) })
            #expect(Set(pauses).count > 100)
            #expect(link.status?.state == .reconnecting)
        }
    }

    @Test("Only a link that was stable for a minute makes the pauses small again") func stability() async throws {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        try await test.run(router.settings) { [time] link in
            // Two connections on which nobody is let in.
            for failures in 0..<2 {
                await (try await router.next()).channel.close()
                let pause = try await time.nextFailure(after: failures)
                #expect(pause.link?.failedAttempts == failures + 1)
                time.clock.advance(by: pause.length)
            }
            // A link that lasts for half a minute.
            var short = try await router.next()
            try await short.welcome()
            await link.until(.connected)
            time.clock.advance(by: .seconds(30))
            await short.channel.close()
            let third = try await time.nextFailure(after: 2)
            #expect(third.link?.failedAttempts == 3)
            #expect(third.link?.reason == "the router closed the connection")
            time.clock.advance(by: third.length)
            // A link that lasts for more than one.
            var long = try await router.next()
            try await long.welcome()
            await link.until(.connected)
            for _ in 0..<2 {
                time.clock.advance(by: .seconds(40))
                try await long.say(Heartbeat())
                _ = try await long.next(Heartbeat.self)
            }
            await long.channel.close()
            #expect(try await time.nextFailure(after: 3).link?.failedAttempts == 1)
        }
        try await router.close()
    }

    @Test("A router that wants to be left alone is left alone for as long") func retryAfter() async throws {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        router.turnAway(for: 300)
        try await test.run(router.settings) { [time] link in
            let busy = try await time.nextFailure(after: 0)
            #expect(busy.length == .seconds(300))
            #expect(busy.link?.reason?.contains("too busy") == true)
            router.turnAway(for: nil)
            time.clock.advance(by: busy.length)

            var end = try await router.next()
            try await end.welcome()
            await link.until(.connected)
            try await end.say(Failure(.busy, "maintenance", retryAfter: .seconds(600)).envelope(.deviceSession))
            let refused = try await time.nextFailure(after: 1)
            #expect(refused.length == .seconds(600))
            #expect(refused.link?.reason == "the router says: maintenance")
        }
        try await router.close()
    }

    @Test("A device that is refused before it is let in tries again, and says why") func refusedAtTheDoor() async throws
    {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        try await test.run(router.settings) { [time] link in
            let refusals = [
                Failure(.notAuthenticated, "nobody knows this device"),
                Failure(.busy, "not now", retryAfter: .milliseconds(Int64.max)),
            ]
            for (failures, refusal) in refusals.enumerated() {
                var end = try await router.next()
                try await end.say(Challenge(nonce: RouterEnd.nonce))
                _ = try await end.next(Prove.self)
                try await end.say(refusal.envelope(.deviceSession))
                let pause = try await time.nextFailure(after: failures)
                #expect(pause.link?.failedAttempts == failures + 1)
                #expect(pause.link?.reason == "the router says: \(refusal.message)")
                time.clock.advance(by: pause.length)
            }
            var end = try await router.next()
            try await end.welcome()
            await link.until(.connected)
        }
        try await router.close()
    }

    // MARK: Why not

    @Test("A device without a key says what to do, and connects as soon as it is enrolled") func notEnrolled()
        async throws
    {
        let router = try await FakeRouter(folder)
        let keyFile = folder.file("device.key")
        try await test.run(router.settings) { [time] link in
            for _ in 0..<3 {
                await time.clock.untilSleepers()
                #expect(link.status?.reason?.contains("m2m-agent enroll") == true)
                #expect(link.status?.state == .reconnecting)
                #expect(!router.hasVisitor)
                #expect(await time.pauses.next()?.length == .seconds(5))
                time.clock.advance(by: .seconds(5))
            }
            await time.clock.untilSleepers()
            let key = try DeviceKey.create(keyFile)
            time.clock.advance(by: .seconds(5))
            var end = try await router.next()
            #expect(try await end.welcome().key == key.publicKey)
        }
        try await router.close()
    }

    @Test("A key that others can read is not used until that is put right") func exposedKey() async throws {
        let router = try await FakeRouter(folder)
        let key = try test.makeKey()
        let keyFile = folder.file("device.key")
        chmod(keyFile, 0o644)
        try await test.run(router.settings) { [time] _ in
            let pause = try await time.nextFailure(after: 0)
            #expect(pause.link?.reason?.contains("chmod 600 \(keyFile)") == true)
            #expect(!router.hasVisitor)
            chmod(keyFile, 0o600)
            time.clock.advance(by: pause.length)
            var end = try await router.next()
            #expect(try await end.welcome().key == key.publicKey)
        }
        try await router.close()
    }

    @Test("A router that nobody vouches for learns nothing, and is told apart from one that is gone") func untrusted()
        async throws
    {
        let router = try await FakeRouter(folder)
        try test.makeKey()
        try await test.run("url = \"\(router.address)\"") { [time] _ in
            let pause = try await time.nextFailure(after: 0)
            #expect(pause.link?.reason?.contains("signed by nobody who is trusted here") == true)
            #expect(!router.hasVisitor)
        }
        try await router.close()
    }

    @Test(
        "A certificate that is refused for its dates is a matter of the device's clock only where that may be wrong",
        arguments: [-1_000, 10], [false, true])
    func untimely(days: Int, isSynchronised: Bool) async throws {
        let router = try await FakeRouter(folder, certifiedInDays: days)
        try test.makeKey()
        time.clock.setWall(WallTime(nanoseconds: 86_400_000_000_000), isSynchronised: isSynchronised)
        try await test.run(router.settings) { [time] _ in
            let pause = try await time.nextFailure(after: 0)
            let reason = try #require(pause.link?.reason)
            #expect(reason.contains(days < 0 ? "its certificate expired on" : "its certificate is valid only from"))
            let isBlamed = reason.contains("it says 1970-01-02, and is not synchronised yet")
            #expect(isBlamed == !isSynchronised)
            #expect(reason.contains("synchronised") == isBlamed)
            #expect(!router.hasVisitor)
        }
        try await router.close()
    }

    @Test("What else is wrong with a certificate is no matter of the clock") func untrustedByAnyClock() async throws {
        let router = try await FakeRouter(TemporaryDirectory())
        let other = try await FakeRouter(folder)
        try test.makeKey()
        time.clock.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        try await test.run("url = \"\(router.address)\"\nca_file = \"\(other.caFile)\"") { [time] _ in
            let pause = try await time.nextFailure(after: 0)
            #expect(pause.link?.reason?.contains("signed by another CA") == true)
            #expect(pause.link?.reason?.contains("synchronised") == false)
        }
        try await router.close()
        try await other.close()
    }
}
