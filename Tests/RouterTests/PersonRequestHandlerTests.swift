import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a person sees their devices as they are: what was measured, how good it still is, what was before and what
/// happens now.
@Suite(.timeLimit(.minutes(1))) struct PersonRequestHandlerTests {
    private let bench: RouterBench
    private let climate = Address(device: "greenhouse", component: Sample.climate)
    private let temperature = Address(device: "greenhouse", component: Sample.climate, property: "temperature")

    init() throws {
        bench = try RouterBench()
    }

    /// An account with a described device.
    private func addGreenhouse() async throws -> RouterStore.Device {
        let owner = try await bench.addAccount("ada")
        let device = try await bench.store.addDevice("greenhouse", of: owner, key: Sample.key(1))
        try await bench.store.describe(device, Sample.description("greenhouse", label: "Süd"))
        return device
    }

    private func connect(_ device: RouterStore.Device) async -> MeetingPoint.Notices {
        let notices = MeetingPoint.notices()
        await bench.core.switchboard.enter(device, notices: notices, clock: bench.time.now)
        return notices
    }

    private func readings(_ items: [Item]) -> [Reading] {
        items.compactMap { item in
            guard case .observation(let report) = item, case .reading(let reading) = report.content else { return nil }
            return reading
        }
    }

    // MARK: Devices

    @Test("The list says which devices are there, and when each was heard of last")
    func devices() async throws {
        let device = try await addGreenhouse()
        _ = try await bench.store.addDevice("attic", of: device.owner, key: Sample.key(2))
        try await bench.store.see(device, at: Sample.wall(1))
        try await bench.person(device.owner) { talk in
            let attic = Item.device(
                DeviceSummary(device: "attic", isOnline: false, lastSeen: nil, losses: DeviceLosses()))
            let absent = DeviceSummary(
                device: "greenhouse", label: "Süd", isOnline: false, lastSeen: Sample.wall(1), losses: DeviceLosses())
            let before = try await talk.ask(.devices)
            #expect(before == [attic, .device(absent)])
            _ = await connect(device)
            let present = DeviceSummary(
                device: "greenhouse", label: "Süd", isOnline: true, lastSeen: bench.time.wall,
                losses: DeviceLosses())
            let after = try await talk.ask(.devices)
            #expect(after == [attic, .device(present)])
        }
    }

    @Test("A description is that of the device, or of the component that is meant")
    func describe() async throws {
        let device = try await addGreenhouse()
        var description = Sample.description("greenhouse", label: "Süd")
        try await bench.person(device.owner) { talk in
            let whole = try await talk.ask(.describe(Address(device: "greenhouse")))
            #expect(whole == [.description(description)])
            description.components.removeAll { $0.id != Sample.climate }
            let part = try await talk.ask(.describe(climate))
            #expect(part == [.description(description)])
        }
    }

    @Test("A component or a property that is not there is answered with those that are")
    func unknownParts() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            let cellar = Address(device: "greenhouse", component: "cellar")
            for request in [Request.describe(cellar), .read(cellar), .watch(cellar), .history(HistoryQuery(cellar))] {
                let failure = await failure { _ = try await talk.ask(request) }
                #expect(failure?.code == .notFound)
                #expect(failure?.message == "greenhouse has no component 'cellar'; it has climate, heater")
            }
            let humidity = Address(device: "greenhouse", component: Sample.climate, property: "humidity")
            let failure = await failure { _ = try await talk.ask(.read(humidity)) }
            #expect(failure?.code == .notFound)
            #expect(failure?.message == "climate has no property 'humidity'; it has temperature, pressure")
        }
    }

    // MARK: Readings

    @Test("The newest reading of each property is good while the device is there, and stale when it is not")
    func read() async throws {
        let device = try await addGreenhouse()
        let items = [
            Sample.reading(1), Sample.reading(2, .number(100_000), of: "pressure"), Sample.reading(3, .number(294.6)),
        ]
        _ = try await bench.store.ingest(Sample.batch(items), from: device)
        try await bench.person(device.owner) { talk in
            let absent = readings(try await talk.ask(.read(climate)))
            #expect(absent.map(\.value) == [.number(294.6), .number(100_000)])
            #expect(absent.allSatisfy { $0.quality == .stale && $0.reason == "the device is not connected" })
            _ = await connect(device)
            let present = readings(try await talk.ask(.read(climate)))
            #expect(present.map(\.value) == [.number(294.6), .number(100_000)])
            #expect(present.allSatisfy { $0.quality == .good && $0.reason == nil })
            #expect(readings(try await talk.ask(.read(temperature))).map(\.property) == ["temperature"])
        }
    }

    @Test("A reading that failed stays failed, with its own reason, when the device is gone")
    func readFailed() async throws {
        let device = try await addGreenhouse()
        let failed = Reading(
            component: Sample.climate, property: "temperature", value: nil, quality: .failed, reason: "no answer")
        _ = try await bench.store.ingest(Sample.batch([Sample.item(1, .reading(failed))]), from: device)
        try await bench.person(device.owner) { talk in
            let answer = readings(try await talk.ask(.read(temperature)))
            #expect(answer == [failed])
        }
    }

    @Test("A reading comes with its number, its time and what it measures")
    func report() async throws {
        let device = try await addGreenhouse()
        _ = try await bench.store.ingest(Sample.batch([Sample.reading(1)]), from: device)
        try await bench.person(device.owner) { talk in
            let report = ReportedObservation(
                device: "greenhouse", time: Sample.wall(1), content: Sample.reading(1).observation.content,
                quantity: .temperature,
                position: StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 1))
            let answer = try await talk.ask(.history(HistoryQuery(temperature)))
            #expect(answer == [.observation(report)])
        }
    }

    @Test("A long history comes whole and in order, and 0, false and nothing are values in it")
    func history() async throws {
        let device = try await addGreenhouse()
        let nothings: [Value] = [.number(0), .boolean(false), .text(""), .integer(0)]
        let items = (1...250).map { Sample.reading($0, nothings[Int($0) % nothings.count]) }
        _ = try await bench.store.ingest(Sample.batch(items), from: device)
        try await bench.person(device.owner) { talk in
            let answer = readings(try await talk.ask(.history(HistoryQuery(temperature))))
            #expect(answer.map(\.value) == (1...250).map { nothings[$0 % nothings.count] })
            let since = try await talk.ask(.history(HistoryQuery(temperature, since: Sample.wall(241))))
            #expect(since.count == 10)
            let newest = try await talk.ask(.history(HistoryQuery(temperature, limit: 3)))
            #expect(newest.count == 3)
            #expect(newest == Array(since.suffix(3)))
            let none = try await talk.ask(.history(HistoryQuery(temperature, limit: 0)))
            #expect(none.isEmpty)
        }
    }

    @Test("A history says in its place what is missing, and dates what was observed before the clock was right")
    func historyWithGaps() async throws {
        let device = try await addGreenhouse()
        var batch = Sample.batch([Sample.undatedReading(1), Sample.reading(4)], gaps: [2...2])
        batch.gaps.append(Sample.unknownGap(3...3, since: Sample.wall(2), until: Sample.wall(4)))
        _ = try await bench.store.ingest(batch, from: device)
        try await bench.person(device.owner) { talk in
            let before = try await talk.ask(.history(HistoryQuery(temperature)))
            #expect(before.count == 4)
            #expect(before[1...2] == batch.gaps.map { .gap(ReportedGap(device: "greenhouse", gap: $0)) }[...])
            guard case .observation(let undated) = before[0], case .observation(let known) = before[3] else {
                Issue.record("the gaps are not between the readings")
                return
            }
            #expect(!undated.isDated)
            #expect(known.isDated)
            _ = try await bench.store.ingest(Sample.batch([], offset: Sample.offset), from: device)
            guard case .observation(let dated) = try await talk.ask(.history(HistoryQuery(temperature))).first else {
                Issue.record("the reading is gone")
                return
            }
            #expect(dated.isDated)
            #expect(dated.time == Sample.wall(1))
            #expect(dated.position == undated.position)
        }
    }

    @Test("The list says what is missing of each device, and so does the beginning of a watch")
    func losses() async throws {
        let device = try await addGreenhouse()
        _ = try await bench.store.addDevice("attic", of: device.owner, key: Sample.key(2))
        var batch = Sample.batch([Sample.reading(1)], gaps: [2...5])
        batch.gaps.append(Sample.unknownGap(6...6))
        _ = try await bench.store.ingest(batch, from: device)
        let other = Sample.batch([Sample.reading(1, .number(99))])
        await #expect(throws: NumberConflict.self) { try await bench.store.ingest(other, from: device) }
        let losses = [DeviceLosses(), DeviceLosses(missing: 4, unknown: 1, conflicts: 1)]
        func told(_ items: [Item]) -> [DeviceLosses?] {
            items.map { if case .device(let device) = $0 { device.losses } else { nil } }
        }
        try await bench.person(device.owner) { talk in
            let list = told(try await talk.ask(.devices))
            #expect(list == losses)
            for (id, address) in [("2", Address()), ("3", Address(device: "greenhouse"))] {
                try await talk.send(Request.watch(address).envelope(session: id))
                let first = told(try await talk.next(Items.self).items)
                #expect(first == (id == "2" ? losses : [losses[1]]))
            }
        }
    }

    @Test("Without a device a history or a command has no meaning")
    func whichDevice() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            let address = Address(component: Sample.heater)
            let requests = [
                Request.history(HistoryQuery(address)), .call(CallRequest(id: "c1", address: address, action: "on")),
            ]
            for request in requests {
                let failure = await failure { _ = try await talk.ask(request) }
                #expect(failure?.code == .badRequest)
                #expect(failure?.message == "say which device is meant, as DEVICE/COMPONENT")
            }
        }
    }

    // MARK: Live

    @Test("Who watches hears first how the devices are, then what happens, until they stop")
    func watch() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            try await talk.send(Request.watch(Address()).envelope(session: "1"))
            let absent = DeviceSummary(
                device: "greenhouse", label: "Süd", isOnline: false, lastSeen: nil, losses: DeviceLosses())
            #expect(try await talk.next(Items.self).items == [.device(absent)])
            _ = await connect(device)
            guard case .device(let present) = try await talk.next(Items.self).items.first else {
                Issue.record("nobody was told that the device came")
                return
            }
            #expect(present.device == "greenhouse")
            #expect(present.isOnline)
            try await talk.send(Envelope(Stop(), session: "1"))
            _ = try await talk.next(End.self)
            #expect(try await talk.ask(.whoami).count == 1)
        }
    }

    @Test("Who watches one component hears of no other")
    func watchComponent() async throws {
        let device = try await addGreenhouse()
        try await bench.person(device.owner) { talk in
            try await talk.send(Request.watch(climate).envelope(session: "1"))
            _ = try await talk.next(Items.self)
            for item in [Sample.result(1, "c1"), Sample.reading(2)] {
                let batch = Sample.batch([item], stream: item.observation.stream)
                let ingested = try await bench.store.ingest(batch, from: device)
                await bench.core.switchboard.publish(ingested, of: device, nil)
            }
            guard case .observation(let report) = try await talk.next(Items.self).items.first else {
                Issue.record("no observation came")
                return
            }
            #expect(report.position?.sequence == 2)
        }
    }
}
