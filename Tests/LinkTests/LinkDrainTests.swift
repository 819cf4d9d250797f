import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// When the agent stops, the router gets what is left, and what it acknowledges is not sent again.
@Suite(.timeLimit(.minutes(1))) struct LinkDrainTests {
    private let test: LinkUnderTest
    private let router: FakeRouter
    private let device: LinkedDevice

    init() async throws {
        test = try LinkUnderTest()
        router = try await FakeRouter(test.folder)
        try test.makeKey()
        device = try LinkedDevice(test.folder, router: router.settings, clock: test.time.clock, time: test.time)
    }

    /// Runs the device with its link, and begins when that is there; from then on no time passes by itself.
    private func run(_ body: @escaping @Sendable (LinkedDevice) async throws -> Void) async throws {
        try await device.run(beside: [test.service(of: device)]) { [device] () async throws in
            await device.manager.link.until(.connected)
            device.clock.advance(by: .seconds(5))
            try await body(device)
        }
        #expect(device.manager.link.status?.state == .closed)
    }

    /// The events that the device still keeps.
    private func kept() async throws -> Int {
        let span = OutboxSpan(after: .start)
        return try await device.manager.outbox.batch(of: .events, in: span, limit: 100)?.observations.count ?? 0
    }

    private static func names(in batches: [ObservationBatch]) -> [String] {
        batches.flatMap(\.items).compactMap { item in
            if case .event(let event) = item.observation.content { event.name } else { nil }
        }
    }

    @Test(
        "What was not acknowledged when the agent stops is waited for, what had no room on the way is sent, all of it")
    func drains() async throws {
        let arrived = Mailbox<Void>(bound: 1_000, policy: .refuseNewest)
        let heard = Task { [router, link = device.manager.link] in
            var end = try await router.next()
            try await end.welcome()
            let nudge = Task { [channel = end.channel] in
                await link.until(.draining)
                try await channel.send(Envelope(Heartbeat()).encoded)  // so that a next message comes
            }
            var batches: [ObservationBatch] = []
            while link.status?.state != .draining {
                let envelope = try await end.next()
                guard envelope.kind == ObservationBatch.kind else { continue }
                batches.append(try envelope.decode(ObservationBatch.self))
                if batches.last?.stream == .events { arrived.send(()) }
            }
            try await nudge.value
            for batch in batches { try await end.acknowledge(batch) }
            while let envelope = try await end.nextUntilClosed() {
                guard envelope.kind == ObservationBatch.kind else { continue }
                let batch = try envelope.decode(ObservationBatch.self)
                try await end.acknowledge(batch)
                batches.append(batch)
            }
            return Self.names(in: batches)
        }
        try await run { device in
            // Four batches are on their way, and nothing is acknowledged: there is no room for more.
            for _ in 0..<4 {
                try device.press()
                await arrived.next()
            }
            try await device.stored {
                $0 == .event(Event(component: "switch", name: "released"))
            } after: {
                try device.press()
            }
        }
        let events = try await heard.value
        #expect(events.count { $0 == "pressed" } == 5)
        #expect(events.count { $0 == "released" } == 5)
        #expect(try await kept() == 0)
        try await router.close()
    }

    @Test("A disk that hangs does not keep it a secret that the link is gone")
    func disk() async throws {
        let gate = Gate<StreamName>()
        let stuck = try LinkedDevice(
            test.folder, router: router.settings, clock: test.time.clock, time: test.time
        ) { GatedOutbox(outbox: $0, gate: gate) }
        try await stuck.run(beside: [test.service(of: stuck)]) { [router] () async throws in
            var end = try await router.next()
            try await end.welcome()
            await stuck.manager.link.until(.connected)
            gate.shut()
            try stuck.press()
            _ = await gate.hangs.next()
            await end.channel.close()
            await stuck.manager.link.until(.reconnecting)
            #expect(stuck.manager.link.status?.state == .reconnecting)
            gate.open()
        }
        try await router.close()
    }

    @Test("A router that acknowledges nothing is waited for, for three seconds, and what it has not is kept")
    func silent()
        async throws
    {
        let heard = Task { [router, device] in
            var end = try await router.next()
            try await end.welcome()
            await device.manager.link.until(.draining)
            device.clock.advance(by: LinkMachine.drainTime)
            while try await end.nextUntilClosed() != nil {}
        }
        try await run { device in
            try await device.stored {
                $0 == .event(Event(component: "switch", name: "released"))
            } after: {
                try device.press()
            }
        }
        try await heard.value
        #expect(try await kept() >= 2)
        try await router.close()
    }
}

/// An outbox whose disk hangs while the gate is shut; no cancellation reaches it.
private struct GatedOutbox: OutboxInFront {
    let outbox: any Outbox
    let gate: Gate<StreamName>

    func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) async throws -> OutboxBatch? {
        await gate.pass(stream)
        return try await outbox.batch(of: stream, in: span, limit: limit)
    }
}
