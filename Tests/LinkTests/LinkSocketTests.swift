import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// Every try frees what it took, however it fails; and a connection is given up when the other end takes nothing.
@Suite struct LinkSocketTests {
    /// How a try fails.
    private enum Failing: CaseIterable {
        case nobodyIsThere
        case hangsUp
        case untrusted
        case turnedAway
        case hangsUpLater

        /// What is said of it, one or the other.
        var words: [String] {
            switch self {
            case .nobodyIsThere: ["does not answer"]
            case .hangsUp: ["hung up during the TLS handshake", "is gone"]
            case .untrusted: ["signed by another CA"]
            case .turnedAway: ["is too busy"]
            case .hangsUpLater: ["the router closed the connection"]
            }
        }
    }

    /// Lets tries fail, one after the other, and stops then.
    private static func fail(_ kind: Failing, times: Int, _ router: FakeRouter) async throws {
        let test = try LinkUnderTest()
        try test.makeKey()
        var settings = router.settings
        switch kind {
        case .nobodyIsThere:
            let gone = try await FakeRouter(test.folder)
            settings = gone.settings
            try await gone.close()
        case .hangsUp: router.hangUpOnAll()
        case .untrusted:
            let other = try await FakeRouter(test.folder)
            settings = "url = \"\(router.address)\"\nca_file = \"\(other.caFile)\""
            try await other.close()
        case .turnedAway: router.turnAway(for: 1)
        case .hangsUpLater: break
        }
        try await test.run(settings) { [time = test.time] _ in
            for failures in 0..<times {
                if kind == .hangsUpLater {
                    var end = try await router.next()
                    try await end.welcome()
                    await end.channel.close()
                }
                let pause = try await time.nextFailure(after: failures)
                let reason = pause.link?.reason ?? ""
                #expect(kind.words.contains { reason.contains($0) }, "\(reason)")
                time.clock.advance(by: pause.length)
            }
        }
        router.turnAway(for: nil)
    }

    // A process of its own, in which nobody else opens anything.
    @Test("Hundreds of tries that fail leave no socket open, whatever they fail by", .timeLimit(.minutes(5)))
    func freesAll() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryDirectory()
            let router = try await FakeRouter(folder)
            for kind in Failing.allCases { try await Self.fail(kind, times: 3, router) }
            let before = OpenSockets.all.count
            for kind in Failing.allCases {
                try await Self.fail(kind, times: 100, router)
                // The router's ends of the last tries close a moment later; else this ends with its time.
                while OpenSockets.all.count > before { await Task.yield() }
            }
        }
    }

    @Test(
        "The kernel gives up a connection that takes nothing, and keeps little back from what is in a hurry",
        .timeLimit(.minutes(1)))
    func options() async throws {
        let test = try LinkUnderTest()
        let router = try await FakeRouter(test.folder)
        try test.makeKey()
        try await test.run(router.settings) { link in
            var end = try await router.next()
            try await end.welcome()
            let sockets = OpenSockets.connected(with: router.port)
            #expect(sockets.count == 1)
            let socket = try #require(sockets.first)
            #expect(OpenSockets.option(18, of: socket) == 45_000)  // TCP_USER_TIMEOUT, in milliseconds
            #expect(OpenSockets.option(25, of: socket) == 16_384)  // TCP_NOTSENT_LOWAT, in bytes
        }
        try await router.close()
    }
}
