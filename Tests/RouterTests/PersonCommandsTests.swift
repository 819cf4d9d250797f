import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a person steers their devices and lets new ones in, and is told truthfully what came of it.
@Suite(.timeLimit(.minutes(1))) struct PersonCommandsTests {
    private let bench: RouterBench
    private let heater = Address(device: "greenhouse", component: Sample.heater)

    init() throws {
        bench = try RouterBench()
    }

    private func addGreenhouse() async throws -> RouterStore.Device {
        let owner = try await bench.addAccount("ada")
        let device = try await bench.store.addDevice("greenhouse", of: owner, key: Sample.key(1))
        try await bench.store.describe(device, Sample.description("greenhouse"))
        return device
    }

    private func result(_ items: [Item]) -> CommandResult? {
        guard items.count == 1, case .observation(let report) = items[0], case .result(let result) = report.content,
            report.device == "greenhouse"
        else { return nil }
        return result
    }

    // MARK: Commands

    @Test("A command to a device that is there is answered with the device's own result")
    func call() async throws {
        let device = try await addGreenhouse()
        let notices = MeetingPoint.notices()
        await bench.core.switchboard.enter(device, notices: notices, clock: bench.time.now)
        try await bench.person(device.owner) { talk in
            let request = Request.call(
                CallRequest(id: "c1", address: heater, action: "on", parameters: ["for": .number(0)]))
            try await talk.send(request.envelope(session: "1"))
            let call = try await MeetingPoint.call(in: notices)
            #expect(call.component == Sample.heater)
            #expect(call.action == "on")
            #expect(call.parameters == ["for": .number(0)])
            #expect(call.deadline == bench.time.now + .seconds(10))
            await bench.time.untilSleepers()
            let ingested = try await bench.store.ingest(
                Sample.batch([Sample.result(1, "c1")], stream: .events), from: device)
            await bench.core.switchboard.publish(ingested, of: device, nil)
            #expect(result(try await talk.answer())?.status == .done)
        }
    }

    @Test("A command to a device that is not there is unreachable")
    func unreachable() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            let answer = result(try await talk.ask(.call(CallRequest(id: "c1", address: heater, action: "on"))))
            #expect(answer?.status == .unreachable)
            #expect(answer?.reason == "the device is not connected")
            #expect(answer?.id == "c1")
        }
    }

    // MARK: Leases

    private func renewal(_ duration: Duration = .seconds(10)) -> Request {
        .renew(LeaseRenewalRequest(address: heater, lease: "l1", duration: duration, expiry: .seconds(3)))
    }

    @Test("A renewal that the device has done is answered without a word; its refusal is told with the device's reason")
    func renew() async throws {
        let device = try await addGreenhouse()
        let notices = MeetingPoint.notices()
        await bench.core.switchboard.enter(device, notices: notices, clock: bench.time.now)
        try await bench.person(device.owner) { talk in
            for (duration, outcome) in [
                (Duration.seconds(10), CommandOutcome(.done)), (.zero, CommandOutcome(.done)),
                (.seconds(10), CommandOutcome(.refused, "the lease is over")),
            ] {
                try await talk.send(renewal(duration).envelope(session: "1"))
                let asked = try await MeetingPoint.renew(in: notices)
                #expect(asked.renewal.duration == duration)
                #expect(asked.renewal.deadline == bench.time.now + .seconds(3))
                await bench.core.switchboard.renewed(Renewed(id: asked.id, outcome), by: device)
                if outcome.status == .done {
                    #expect(try await talk.answer() == [])
                } else {
                    await #expect(throws: Failure(.conflict, "the lease is over")) { _ = try await talk.answer() }
                }
            }
        }
    }

    @Test("A renewal for a device that is not there, a component that it has not, or none, is a failure with words")
    func renewNothing() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            let gone = await failure { _ = try await talk.ask(renewal()) }
            #expect(gone == Failure(.unreachable, "the device is not connected"))
            for (address, code) in [
                (Address(device: "greenhouse", component: "oven"), ErrorCode.notFound),
                (Address(component: Sample.heater), .badRequest),
            ] {
                let request = Request.renew(LeaseRenewalRequest(address: address, lease: "l1", duration: .zero))
                #expect(await failure { _ = try await talk.ask(request) }?.code == code)
            }
        }
    }

    @Test("What only the device itself can tell is said to be so")
    func unsupported() async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.person(ada) { talk in
            for request in [Request.status, .probe, .drive(line: "GPIO17", isActive: true)] {
                let failure = await failure { _ = try await talk.ask(request) }
                #expect(failure?.code == .unsupported)
                #expect(failure?.message == "'\(request.type)' is answered on the device itself, not by the router")
            }
        }
    }

    // MARK: New devices

    @Test("A ticket's code lets the device in for ten minutes, and carries the fingerprint of the router's CA")
    func claim() async throws {
        let ada = try await bench.addAccount("ada")
        var tickets: [ClaimTicket] = []
        try await bench.person(ada) { talk in
            for _ in 0..<2 {
                guard case .ticket(let ticket) = try await talk.ask(.claim("greenhouse")).first else {
                    Issue.record("no ticket came")
                    return
                }
                tickets.append(ticket)
            }
        }
        try #require(tickets.count == 2)
        #expect(tickets[0].device == "greenhouse")
        #expect(tickets[0].expires == bench.time.wall + .seconds(600))
        #expect(tickets[0].code != tickets[1].code)
        let code = try #require(ClaimCode(tickets[0].code))
        #expect(code.matches(caDigest: RouterBench.caDigest))
        let owner = try await bench.store.useClaim(
            secretHash: Digest.sha256(code.secret.utf8), device: "greenhouse", key: Sample.key(1))
        #expect(owner == ada)
    }

    @Test("Who accepts without a fingerprint is shown those that wait; nobody is let in by it")
    func acceptShows() async throws {
        let ada = try await bench.addAccount("ada")
        for key: UInt8 in 1...2 {
            try await bench.store.addPending(account: "ada", device: "greenhouse", key: Sample.key(key))
            bench.time.advance(by: .seconds(1))
        }
        try await bench.person(ada) { talk in
            let expected = (1...2).map { number in
                Item.pending(
                    PendingDevice(
                        device: "greenhouse",
                        fingerprint: KeyFingerprint(digest: Digest.sha256(Sample.key(UInt8(number)))).description,
                        since: bench.time.wall - .seconds(3 - number)))
            }
            let shown = try await talk.ask(.accept("greenhouse", fingerprint: nil))
            #expect(shown == expected)
        }
        #expect(try await bench.store.count("devices") == 0)
    }

    @Test("The device whose fingerprint is given is let in, told so, and no other one")
    func accept() async throws {
        let ada = try await bench.addAccount("ada")
        let (notices, others) = (MeetingPoint.notices(), MeetingPoint.notices())
        for (key, notices) in [(UInt8(1), others), (2, notices)] {
            try await bench.store.addPending(account: "ada", device: "greenhouse", key: Sample.key(key))
            await bench.core.switchboard.wait(key: Sample.key(key), notices: notices)
        }
        let fingerprint = KeyFingerprint(digest: Digest.sha256(Sample.key(2))).description
        try await bench.person(ada) { talk in
            // As people copy it: case and separators don't matter.
            let typed = fingerprint.uppercased().replacing(" ", with: ":")
            let answer = try await talk.ask(.accept("greenhouse", fingerprint: typed))
            #expect(answer == [.device(DeviceSummary(device: "greenhouse", isOnline: false, lastSeen: nil))])
        }
        guard case .accepted(let owner) = notices.takeIfWaiting() else {
            Issue.record("the device was not told")
            return
        }
        #expect(owner == ada)
        #expect(others.count == 0)
        #expect(try await bench.store.device(key: Sample.key(2))?.owner == ada)
        #expect(try await bench.store.device(key: Sample.key(1)) == nil)
    }

    @Test("A fingerprint that nobody has who waits lets nobody in", arguments: ["", "0000", "1f3a 90c2"])
    func wrongFingerprint(_ fingerprint: String) async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        try await bench.person(ada) { talk in
            let failure = await failure {
                _ = try await talk.ask(.accept("greenhouse", fingerprint: fingerprint))
            }
            #expect(failure?.code == .notFound)
            #expect(failure?.message == "no device with this fingerprint waits as 'greenhouse'")
        }
        #expect(try await bench.store.count("devices") == 0)
    }

    @Test("The start of a fingerprint is not the fingerprint")
    func shortFingerprint() async throws {
        let ada = try await bench.addAccount("ada")
        try await bench.store.addPending(account: "ada", device: "greenhouse", key: Sample.key(1))
        let fingerprint = KeyFingerprint(digest: Digest.sha256(Sample.key(1))).description
        try await bench.person(ada) { talk in
            let short = String(fingerprint.prefix(9))
            let failure = await failure { _ = try await talk.ask(.accept("greenhouse", fingerprint: short)) }
            #expect(failure?.code == .notFound)
        }
    }
}
