import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what a device reports is acknowledged once it is stored and never otherwise, and a device that is there is
/// told its commands and asked for signs of life.
@Suite(.timeLimit(.minutes(1))) struct DeviceConnectionTrafficTests {
    private let bench: RouterBench
    private let greenhouse: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        greenhouse = try DeviceIdentity("greenhouse", seed: 1)
    }

    private func add(to bench: RouterBench? = nil) async throws -> RouterStore.Device {
        let store = (bench ?? self.bench).store
        return try await store.addDevice(
            "greenhouse", of: try await store.addOwner("ada"), key: greenhouse.publicKey)
    }

    private func presence(_ device: RouterStore.Device) async -> WallTime? {
        await bench.core.switchboard.presence(of: device.row, owner: device.owner)
    }

    private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    // MARK: Up

    @Test("Observations are stored when their acknowledgement comes, and acknowledged again when they come again")
    func acknowledged() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            for _ in 0..<2 {
                try await talk.send(Sample.batch(Sample.readings(1...3)))
                #expect(try await talk.next(Acknowledgement.self).reception == Sample.reception(through: 3))
                #expect(try await bench.store.count("observations") == 3)
            }
        }
    }

    @Test("An acknowledgement has the number of its batch, where that has one")
    func batchNumber() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            var batch = Sample.batch(Sample.readings(1...3))
            for number: UInt64? in [7, nil, .max] {
                batch.number = number
                try await talk.send(batch)
                #expect(try await talk.next(Acknowledgement.self).batch == number)
            }
        }
    }

    @Test("A number with another content is never acknowledged: the device is told, and that is the end")
    func conflict() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await talk.send(Sample.batch([Sample.reading(1, .number(1))]))
            _ = try await talk.next(Acknowledgement.self)
            try await talk.send(Sample.batch([Sample.reading(1, .number(2))]))
            let failure = try await talk.failure()
            #expect(failure.code == .conflict)
            #expect(failure.message.contains("number 1 of stream telemetry"))
            #expect(failure.position == StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 1))
            #expect(await talk.isHungUp())
        }
    }

    @Test("What could not be stored is not acknowledged, and nothing of it stays; the device is told when to come back")
    func notStored() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            // The last that a batch writes fails, as on a full disk.
            try await bench.store.database.write { db in
                try db.execute(
                    sql: "CREATE TRIGGER fail BEFORE INSERT ON streams BEGIN SELECT RAISE(ABORT, 'no room'); END")
            }
            try await talk.send(Sample.batch([Sample.reading(1)]))
            let failure = try await talk.failure()
            #expect(failure.code == .systemFailure)
            #expect(failure.retryAfter == .seconds(30))
            #expect(await talk.isHungUp())
        }
        #expect(try await bench.store.count("observations") == 0)
    }

    @Test("Nothing more is taken from a device whose account was removed")
    func accountRemoved() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { (talk, _) async throws in
            #expect(try await bench.store.removeAccount("ada"))
            try await talk.send(Sample.batch([Sample.reading(1)]))
            #expect(try await talk.failure().code == .notAuthenticated)
            #expect(await talk.isHungUp())
        }
        #expect(try await bench.store.count("observations") == 0)
    }

    @Test("Whoever watches hears of what is new, after it is stored, and only once")
    func watched() async throws {
        let device = try await add()
        let (_, arrivals) = await bench.core.switchboard.watch(device.owner)
        try await bench.device(greenhouse) { talk, _ in
            try await talk.send(DescriptionMessage(Sample.description("greenhouse")))
            for last: UInt64 in [1, 2] {
                try await talk.send(Sample.batch(Sample.readings(1...last)))
                _ = try await talk.next(Acknowledgement.self)
            }
            guard case .device(let summary) = await arrivals.next() else {
                Issue.record("nobody was told that the device came")
                return
            }
            #expect(summary.isOnline)
            for number: UInt64 in [1, 2] {
                guard case .observation(let report) = await arrivals.next() else {
                    Issue.record("nobody was told of number \(number)")
                    return
                }
                #expect(report.position?.sequence == number)
                #expect(report.quantity == .temperature)
            }
            #expect(arrivals.count == 0)
        }
    }

    @Test("The description is kept; that of another device is refused")
    func description() async throws {
        let device = try await add()
        let description = Sample.description("greenhouse", label: "Gewächshaus")
        try await bench.device(greenhouse) { talk, _ in
            try await talk.send(DescriptionMessage(description))
            try await talk.send(DescriptionMessage(Sample.description("shed")))
            #expect(try await talk.failure().code == .badRequest)
            #expect(await talk.isHungUp())
        }
        #expect(try await bench.store.devices(of: device.owner).map(\.description) == [description])
    }

    @Test("A message that nobody knows is answered with an error, and the session goes on")
    func unknownMessage() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await talk.send(Envelope(proto: .shell, type: "new", session: "s1"))
            #expect(try await talk.next(ControlError.self).messageID == "s1")
            try await talk.send([0xFF, 0x00])
            _ = try await talk.next(ControlError.self)
            try await talk.send(Sample.batch([Sample.reading(1)]))
            _ = try await talk.next(Acknowledgement.self)
        }
    }

    // MARK: Down

    @Test("A command goes to the device and its result comes back")
    func command() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await bench.untilNoted(device)
            let request = CallRequest(
                id: "c1", address: Address(device: "greenhouse", component: Sample.heater), action: "on")
            async let result = bench.core.switchboard.call(
                request, device: device.row, owner: device.owner, component: Sample.heater)
            let call = try await talk.next(Call.self)
            #expect(call.id == "c1")
            #expect(call.deadline == at(510))  // its own clock said 500 s when it came, and it has ten
            await bench.time.untilSleepers(2)  // the connection, and whoever waits for the result
            try await talk.send(Sample.batch([Sample.result(1, "c1")], stream: .events))
            _ = try await talk.next(Acknowledgement.self)
            #expect(await result.status == .done)
        }
    }

    @Test("What a device says of a command without storing it reaches whoever waits, and is in no history")
    func called() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await bench.untilNoted(device)
            let request = CallRequest(
                id: "c1", address: Address(device: "greenhouse", component: Sample.heater), action: "on")
            async let result = bench.core.switchboard.call(
                request, device: device.row, owner: device.owner, component: Sample.heater)
            let call = try await talk.next(Call.self)
            try await talk.send(Called(id: call.id, CommandOutcome(.done)))
            #expect(await result.status == .done)
        }
        #expect(try await bench.store.count("observations") == 0)
    }

    @Test("A renewal goes to the device and its answer comes back")
    func renewal() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await bench.untilNoted(device)
            let request = LeaseRenewalRequest(
                address: Address(device: "greenhouse", component: Sample.heater), lease: "l1", duration: .zero,
                expiry: .seconds(3))
            async let outcome = bench.core.switchboard.renew(
                request, device: device.row, owner: device.owner, component: Sample.heater)
            let renew = try await talk.next(Renew.self)
            #expect(renew.renewal.lease == "l1")
            #expect(renew.renewal.duration == .zero)
            #expect(renew.renewal.deadline == at(503))
            try await talk.send(Renewed(id: renew.id, CommandOutcome(.refused, "it is over")))
            #expect(await outcome == CommandOutcome(.refused, "it is over"))
        }
    }

    @Test("A command that is given the moment a device comes is not lost")
    func commandAtOnce() async throws {
        let device = try await add()
        let (_, arrivals) = await bench.core.switchboard.watch(device.owner)
        try await bench.device { talk, challenge in
            try await talk.send(try greenhouse.prove(challenge))
            _ = await arrivals.next()  // it is there
            let request = CallRequest(
                id: "c1", address: Address(device: "greenhouse", component: Sample.heater), action: "on")
            async let result = bench.core.switchboard.call(
                request, device: device.row, owner: device.owner, component: Sample.heater)
            _ = try await talk.next(Welcome.self)
            _ = try await talk.next(Call.self)
            await bench.time.untilSleepers(2)
            try await talk.send(Sample.batch([Sample.result(1, "c1")], stream: .events))
            #expect(await result.status == .done)
        }
    }

    @Test("A second connection of a device ends the first one, which is told why, and stays itself")
    func replaced() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { first, _ in
            try await bench.device(greenhouse) { second, _ in
                let failure = try await first.failure()
                #expect(failure.code == .busy)
                #expect(failure.message.contains("another connection of this device, or its new key, has taken over"))
                #expect(await first.isHungUp())
                #expect(await presence(device) != nil)
                try await second.send(Sample.batch([Sample.reading(1)]))
                _ = try await second.next(Acknowledgement.self)
            }
        }
    }

    // MARK: Time

    @Test("Who does not answer the challenge is hung up on after ten seconds")
    func greetingTimeout() async throws {
        try await bench.device { talk, _ in
            bench.time.allow(until: at(11))
            #expect(await talk.isHungUp())
        }
    }

    @Test("A device is asked for a sign of life at every interval, and is gone when it gives none")
    func heartbeats() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            bench.time.allow(until: at(60))
            for _ in 0..<2 {
                let beat = try await talk.next(Heartbeat.self)
                #expect(beat.monotonic == nil)
            }
            #expect(await talk.isHungUp())
            #expect(bench.time.now == at(46))  // it was heard last at 1 s
            while await presence(device) != nil { await Task.yield() }  // it hangs up first, and forgets then
        }
        #expect(try await bench.store.devices(of: device.owner).first?.lastSeen == bench.time.wall)
    }

    @Test("Intervals that are shorter than the time for the proof are kept, too")
    func shortHeartbeats() async throws {
        let bench = try RouterBench(heartbeat: .seconds(2))
        _ = try await add(to: bench)
        try await bench.device(greenhouse) { talk, welcome in
            #expect(welcome.heartbeat == .seconds(2))
            bench.time.allow(until: at(3))
            _ = try await talk.next(Heartbeat.self)
        }
    }
}
