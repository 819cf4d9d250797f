import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: the past comes back as it was, in the order of its numbers, to its owner alone.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreHistoryTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    @Test("Readings come back as they were, oldest first")
    func oldestFirst() async throws {
        let device = try await store.newDevice()
        let items = Sample.readings(1...5)
        _ = try await store.ingest(Sample.batch(items), from: device)
        let history = try await store.records(of: device)
        #expect(history.map(\.observation) == items.map(\.observation))
        #expect(history.map(\.position.sequence) == [1, 2, 3, 4, 5])
        #expect(history.allSatisfy { $0.position.epoch == Sample.epoch && $0.position.stream == .telemetry })
    }

    @Test("The order is that of the numbers, also where the device's clock was set back in between")
    func bySequence() async throws {
        let device = try await store.newDevice()
        let items = [
            Sample.reading(1, wall: Sample.wall(500)), Sample.reading(2, wall: Sample.wall(100)),
            Sample.reading(3, wall: Sample.wall(300)),
        ]
        _ = try await store.ingest(Sample.batch(items), from: device)
        #expect(try await store.records(of: device).map(\.position.sequence) == [1, 2, 3])
        #expect(try await store.records(of: device, limit: 2).map(\.position.sequence) == [2, 3])
    }

    @Test("The newest reading is the one with the last number, also where the device's clock was set back")
    func newestBySequence() async throws {
        let device = try await store.newDevice()
        let items = [Sample.reading(1, wall: Sample.wall(500)), Sample.reading(2, wall: Sample.wall(100))]
        _ = try await store.ingest(Sample.batch(items), from: device)
        let newest = try await store.newest(device.owner, device.row, Sample.climate, "temperature")
        #expect(newest?.position.sequence == 2)
    }

    @Test("A backlog that comes behind newer readings takes its place before them")
    func backlog() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(4...5)), from: device)
        _ = try await store.ingest(Sample.batch(Sample.readings(1...3)), from: device)
        #expect(try await store.records(of: device).map(\.position.sequence) == [1, 2, 3, 4, 5])
        let newest = try await store.newest(device.owner, device.row, Sample.climate, "temperature")
        #expect(newest?.position.sequence == 5)
    }

    @Test("Nothing older than asked for comes back")
    func since() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...5)), from: device)
        #expect(try await store.records(of: device, since: Sample.wall(4)).map(\.position.sequence) == [4, 5])
        #expect(try await store.records(of: device, since: Sample.wall(6)).isEmpty)
    }

    @Test("A limit leaves the newest")
    func limit() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...5)), from: device)
        #expect(try await store.records(of: device, limit: 2).map(\.position.sequence) == [4, 5])
        #expect(
            try await store.records(of: device, since: Sample.wall(2), limit: 3).map(\.position.sequence) == [3, 4, 5])
        #expect(try await store.records(of: device, limit: 0).isEmpty)
    }

    @Test(
        "Values that look like nothing are values, each of its own type",
        arguments: [
            Value.integer(0), .number(0), .boolean(false), .text(""), .integer(.max), .integer(.min), .number(-0.5),
            .boolean(true), .text("0"), .text("Gewächshaus 🌱"),
        ])
    func values(_ value: Value) async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.reading(1, value)]), from: device)
        guard case .reading(let reading) = try await store.records(of: device).first?.observation.content else {
            Issue.record("no reading came back")
            return
        }
        #expect(reading.value == value)
        #expect(reading.quality == .good)
        #expect(reading.reason == nil)
    }

    @Test("A reading that failed comes back with its reason")
    func failedReading() async throws {
        let device = try await store.newDevice()
        let failed = Reading(
            component: Sample.climate, property: "temperature", value: nil, quality: .failed, reason: "no answer")
        _ = try await store.ingest(Sample.batch([Sample.item(1, .reading(failed))]), from: device)
        #expect(try await store.records(of: device).map(\.observation.content) == [.reading(failed)])
    }

    @Test("Without a property everything of the component comes back: readings, events and results")
    func everything() async throws {
        let device = try await store.newDevice()
        let result = CommandResult(
            id: "c1", component: Sample.climate, action: "measure", status: .failed, reason: "no answer")
        let contents: [Observation.Content] = [
            .reading(Reading(component: Sample.climate, property: "pressure", value: .number(1))),
            .event(Event(component: Sample.climate, name: "temperature")), .result(result),
        ]
        _ = try await store.ingest(Sample.batch([Sample.item(1, contents[0])]), from: device)
        _ = try await store.ingest(
            Sample.batch([Sample.item(2, contents[1]), Sample.item(3, contents[2])], stream: .events), from: device)
        #expect(try await store.records(of: device, nil).map(\.observation.content) == contents)
        // An event is no reading, whatever its name.
        #expect(try await store.records(of: device).isEmpty)
    }

    @Test("Other components' readings are not mixed in")
    func otherComponents() async throws {
        let device = try await store.newDevice()
        let other = Reading(component: Sample.heater, property: "temperature", value: .number(1))
        _ = try await store.ingest(Sample.batch([Sample.reading(1), Sample.item(2, .reading(other))]), from: device)
        #expect(try await store.records(of: device).map(\.position.sequence) == [1])
        #expect(try await store.records(of: device, "pressure").isEmpty)
    }

    @Test("Somebody else's history is empty, and so is their newest reading")
    func isolation() async throws {
        let device = try await store.newDevice()
        let bob = try await store.addOwner("bob")
        _ = try await store.ingest(Sample.batch(Sample.readings(1...5)), from: device)
        let history = try await store.history(
            bob, device.row, Sample.climate, property: nil, since: nil, limit: 1_000)
        #expect(history.isEmpty)
        #expect(try await store.newest(bob, device.row, Sample.climate, "temperature") == nil)
        #expect(try await store.newest(device.owner, device.row, Sample.climate, "temperature") != nil)
    }
}
