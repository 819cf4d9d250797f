import DeviceModel
import GRDB
import Glibc
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what is decided of a device while it comes in reaches it, although nobody was connected yet to be told.
///
/// While another process holds the audit log, a device stands between the last look at what is known of it and its place
/// among those that are connected.
@Suite(.timeLimit(.minutes(1))) struct DecidedMeanwhileTests {
    private let bench: RouterBench
    private let shed: DeviceIdentity

    init() throws {
        bench = try RouterBench()
        shed = try DeviceIdentity("shed", seed: 7)
    }

    /// Lets a device come in, and decides something of it while it does.
    private func decide(
        _ decision: (RouterStore.Device) async throws -> Void, _ body: (Talk, RouterStore.Device) async throws -> Void
    ) async throws {
        let device = try await bench.store.addDevice(
            "shed", of: try await bench.addAccount("ada"), key: shed.publicKey)
        let log = open(bench.folder.file("audit.log"), O_RDWR | O_CLOEXEC)
        try #require(log >= 0 && flock(log, LOCK_EX) == 0)
        let held = Task { [audit = bench.core.audit] in try await audit.write(.routerStarted, .router) }
        try await bench.device { talk, challenge in
            try await talk.send(try shed.prove(challenge, connects: 7))
            while try await connects() != 7 {
                try Task.checkCancellation()
                await Task.yield()
            }
            // By now it is looked at for the last time; where that comes later, it is only easier.
            for _ in 0..<1_000 { await Task.yield() }
            try await decision(device)
            flock(log, LOCK_UN)
            close(log)
            _ = try await held.value
            try await body(talk, device)
        }
    }

    private func connects() async throws -> Int? {
        try await bench.store.database.read { try Int.fetchOne($0, sql: "SELECT connects FROM devices") }
    }

    @Test("One that is revoked is cut off, and not left connected")
    func revoked() async throws {
        try await decide { device in
            try await bench.store.revoke(device.owner, device: device.row)
            await bench.core.switchboard.revoke(device.row, owner: device.owner)
        } _: { talk, device in
            var last = try await talk.next()
            if last.kind == Welcome.kind { last = try await talk.next() }
            #expect(try Failure(in: last).code == .notAuthenticated)
            #expect(await talk.isHungUp())
            while await bench.core.switchboard.presence(of: device.row, owner: device.owner) != nil {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    @Test("One that is in doubt is not commanded")
    func doubted() async throws {
        try await decide { device in
            _ = try await bench.store.raiseAlarm(device, "for a test")
        } _: { talk, device in
            _ = try await talk.next(Welcome.self)
            // The welcome goes out before the device takes its place.
            while await bench.core.switchboard.presence(of: device.row, owner: device.owner) == nil {
                try Task.checkCancellation()
                await Task.yield()
            }
            let call = CallRequest(id: "c1", address: Address(device: "shed", component: Sample.heater), action: "on")
            let result = await bench.core.switchboard.call(
                call, device: device.row, owner: device.owner, component: Sample.heater)
            #expect(result.status == .refused)
            #expect(result.reason?.contains("for a test") == true)
        }
    }
}
