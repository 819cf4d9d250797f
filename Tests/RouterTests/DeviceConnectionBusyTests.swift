import DeviceModel
import Dispatch
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: while the router's disk takes its time, what is in a hurry goes past the batches that wait for it, and the
/// batches keep their order.
@Suite(.timeLimit(.minutes(1))) struct DeviceConnectionBusyTests {
    private let bench: RouterBench
    private let greenhouse: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        greenhouse = try DeviceIdentity("greenhouse", seed: 1)
    }

    private func add() async throws -> RouterStore.Device {
        try await bench.store.addDevice(
            "greenhouse", of: try await bench.store.addOwner("ada"), key: greenhouse.publicKey)
    }

    /// Lets nothing into the database while something happens.
    private func withBusyStore(_ body: () async throws -> Void) async throws {
        let (begun, end) = (Mailbox<Void>(bound: 1, policy: .refuseNewest), DispatchSemaphore(value: 0))
        let busy = Task { [store = bench.store] in
            try await store.database.write { _ in
                begun.send(())
                end.wait()
            }
        }
        _ = await begun.next()
        do {
            try await body()
        } catch {
            end.signal()
            throw error
        }
        end.signal()
        try await busy.value
    }

    @Test("A sign of life is heard, and a command and its lease go out, while a batch waits for the disk")
    func control() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await bench.untilNoted(device)
            let request = LeaseRenewalRequest(
                address: Address(device: "greenhouse", component: Sample.heater), lease: "l1", duration: .zero)
            try await withBusyStore {
                try await talk.send(DescriptionMessage(Sample.description("greenhouse")))
                for number: UInt64 in 1...3 { try await talk.send(Sample.batch([Sample.reading(number)])) }
                bench.time.advance(by: .seconds(5))
                try await talk.send(Heartbeat(monotonic: MonotonicTime(nanoseconds: 600_000_000_000)))
                while await bench.core.switchboard.presence(of: device.row, owner: device.owner) != bench.time.wall {
                    try Task.checkCancellation()
                    await Task.yield()
                }
                async let outcome = bench.core.switchboard.renew(
                    request, device: device.row, owner: device.owner, component: Sample.heater)
                // Nothing else came before it: no batch is acknowledged yet.
                let renew = try await talk.next(Renew.self)
                #expect(renew.renewal.deadline == MonotonicTime(nanoseconds: 610_000_000_000))
                try await talk.send(Renewed(id: renew.id, CommandOutcome(.done)))
                #expect(await outcome == CommandOutcome(.done))
            }
            for number: UInt64 in 1...3 {
                #expect(try await talk.next(Acknowledgement.self).reception == Sample.reception(through: number))
            }
        }
    }

    @Test("More batches than have room wait outside, and are all acknowledged in their order")
    func order() async throws {
        _ = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await withBusyStore {
                for number: UInt64 in 1...40 { try await talk.send(Sample.batch([Sample.reading(number)])) }
            }
            for number: UInt64 in 1...40 {
                #expect(try await talk.next(Acknowledgement.self).reception == Sample.reception(through: number))
            }
        }
    }

    @Test("What a device has sent before it hung up is stored")
    func hangingUp() async throws {
        let device = try await add()
        try await bench.device(greenhouse) { talk, _ in
            try await talk.send(Sample.batch(Sample.readings(1...3)))
        }
        #expect(try await bench.store.receptions(of: device) == [Sample.reception(through: 3)])
    }

    // MARK: What came twice

    @Test("A number with another content raises an alarm: counted, told to whoever watches, and named to the device")
    func alarm() async throws {
        let device = try await add()
        let (_, arrivals) = await bench.core.switchboard.watch(device.owner)
        try await bench.device(greenhouse) { talk, _ in
            try await bench.untilNoted(device)
            _ = await arrivals.next()  // it has come
            try await talk.send(Sample.batch([Sample.reading(1)], gaps: [2...3]))
            _ = try await talk.next(Acknowledgement.self)
            for _ in 0..<2 { _ = await arrivals.next() }  // the observation and the gap
            try await talk.send(Sample.batch([Sample.reading(1, .number(99))]))
            let failure = try await talk.failure()
            #expect(failure.code == .conflict)
            #expect(failure.position == StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 1))
            #expect(await talk.isHungUp())
        }
        let losses = DeviceLosses(missing: 2, conflicts: 1)
        guard case .device(let alarm) = await arrivals.next() else {
            Issue.record("nobody was told")
            return
        }
        #expect(alarm.device == "greenhouse")
        #expect(alarm.isOnline)
        #expect(alarm.losses == losses)
        #expect(try await bench.store.losses(of: device.owner)[device.row] == losses)
    }
}
