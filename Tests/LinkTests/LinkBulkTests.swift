import DeviceManager
import DeviceModel
import HALTestKit
import NIOPosix
import TestSupport
import Testing
import Transport
import Wire

@testable import Link

/// What the router says is heard and done while what goes up is stuck, in the network or before the disk, and no end of a
/// session waits for that.
@Suite(.timeLimit(.minutes(1))) struct LinkBulkTests {
    private static func call(_ id: CommandID, on device: LinkedDevice) -> Call {
        Call(id: id, component: "heater", action: "on", deadline: device.clock.now + .seconds(10))
    }

    private static func isResult(_ content: Observation.Content) -> Bool {
        if case .result = content { true } else { false }
    }

    // MARK: The network

    /// Runs a device that sends half a megabyte to a router that does not read it, and looks at it when that is stuck.
    private func stuck(
        _ body:
            @escaping @Sendable (LinkedDevice, SlowRouter, LinkConnection, Task<(any Error)?, Never>) async throws
            -> Void
    ) async throws {
        let device = try LinkedDevice(TemporaryDirectory())
        // Each of them is a batch by itself.
        let text = String(repeating: "x", count: 500_000)
        let reading = Reading(component: "heater", property: "on", value: .text(text))
        let old = Observation(time: device.manager.time.timestamp, content: .reading(reading))
        _ = try await device.manager.outbox.append([Observation](repeating: old, count: 20), lost: [])
        try await device.run { () async throws in
            let ends = try await SlowRouter.connect(
                over: device.folder.file("link.sock"), on: .singletonMultiThreadedEventLoopGroup)
            let (connection, run) = device.begin(on: ends.device)
            defer { run.cancel() }
            try await ends.router.welcome()
            await ends.router.untilStuck()
            try await body(device, ends.router, connection, run)
        }
    }

    @Test("A command is done and a heartbeat is answered although the network does not take a batch") func network()
        async throws
    {
        try await stuck { device, router, _, _ in
            try await device.stored {
                Self.isResult($0)
            } after: {
                try router.say(Heartbeat())
                try router.say(Self.call("1", on: device))
            }
            #expect(try device.isHeating)
            // The answer is behind the batch, but has not waited for another one.
            var kinds: [MessageKind] = []
            while kinds.last != Heartbeat.kind { kinds.append(try await router.next().kind) }
            #expect(kinds.contains(ObservationBatch.kind))
            #expect(kinds.count <= 4)
        }
    }

    @Test("A session that ends while a batch is stuck ends at once, whatever it ends by") func ends() async throws {
        try await stuck { device, _, _, run in
            device.clock.advance(by: .seconds(50))
            let problem = await run.value as? LinkProblem
            #expect(problem?.description == "the router has been silent for too long")
        }
        try await stuck { _, router, _, run in
            router.hangUp()
            #expect(await run.value != nil)
        }
        try await stuck { _, router, _, run in
            run.cancel()
            _ = await run.value
            await #expect(throws: HarnessError.self) { while true { _ = try await router.next() } }
        }
    }

    @Test("A session that is to send what is left and can't is ended by whoever wanted that") func drains() async throws
    {
        try await stuck { _, _, connection, run in
            await connection.drain()
            run.cancel()
            _ = await run.value
        }
    }

    // MARK: The disk

    @Test("A command is done and a heartbeat is answered while the store gives nothing") func store() async throws {
        let device = try LinkedDevice(TemporaryDirectory(), outbox: { HangingOutbox($0) })
        let outbox = try #require(device.manager.outbox as? HangingOutbox)
        try await device.run { () async throws in
            _ = try await device.session { router in
                try await router.welcome()
                _ = await outbox.asked.next()
                try await router.say(Heartbeat())
                #expect(try await router.next(Heartbeat.self).monotonic != nil)
                try await device.stored {
                    Self.isResult($0)
                } after: {
                    try await router.say(Self.call("1", on: device))
                }
                #expect(try device.isHeating)
                #expect(outbox.asked.count == 0)  // it was asked once, and has not answered
                outbox.goOn()
                let result = try await router.result()
                #expect(result.id == "1")
                #expect(result.status == .done)
            }
        }
    }
}
