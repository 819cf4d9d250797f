import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what was observed before a device knew what time it was is dated as soon as it does, and stays what the device
/// has said.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreClockTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    /// When they were, and whether that is known.
    private func times(_ device: RouterStore.Device) async throws -> [WallTime: Bool] {
        let times = try await store.records(of: device).map(\.observation.time)
        return Dictionary(uniqueKeysWithValues: times.map { ($0.wall, $0.isSynchronised) })
    }

    /// The time that a device without a clock takes it for.
    private func wrong(_ number: Int64) -> WallTime { WallTime(nanoseconds: number * 1_000_000_000) }

    @Test("Without an offset a wrong time stays, and is shown as one that nobody knows")
    func noOffset() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1), Sample.reading(2)]), from: device)
        #expect(try await times(device) == [wrong(1): false, Sample.wall(2): true])
    }

    @Test("When an offset is learned, what came before is dated, and so is what comes later")
    func learned() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1), Sample.undatedReading(2)]), from: device)
        let ingested = try await store.ingest(
            Sample.batch([Sample.undatedReading(3), Sample.reading(4)], offset: Sample.offset), from: device)
        #expect(ingested.new.map(\.observation.time.wall) == [Sample.wall(3), Sample.wall(4)])
        #expect(ingested.new.allSatisfy { $0.observation.time.isSynchronised })
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(5)]), from: device)
        #expect(
            try await times(device) == [
                Sample.wall(1): true, Sample.wall(2): true, Sample.wall(3): true, Sample.wall(4): true,
                Sample.wall(5): true,
            ])
        let newest = try await store.newest(device.owner, device.row, Sample.climate, "temperature")
        #expect(newest?.observation.time.wall == Sample.wall(5))
    }

    @Test("An empty batch is enough to say an offset")
    func emptyBatch() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1)]), from: device)
        _ = try await store.ingest(Sample.batch([], stream: .events, offset: Sample.offset), from: device)
        #expect(try await times(device) == [Sample.wall(1): true])
    }

    @Test("An offset says nothing of another boot, nor of another device")
    func apart() async throws {
        let (first, second) = (try await store.newDevice(), try await store.newDevice("attic", key: 2))
        let items = [Sample.undatedReading(1)]
        for device in [first, second] { _ = try await store.ingest(Sample.batch(items), from: device) }
        _ = try await store.ingest(
            Sample.batch([Sample.undatedReading(2, boot: 2)], boot: 2, offset: Sample.offset), from: first)
        #expect(try await times(first) == [wrong(1): false, Sample.wall(2): true])
        #expect(try await times(second) == [wrong(1): false])
    }

    @Test("A clock that drifts by a tenth of a second changes nothing; one that is set does, both ways")
    func drift() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1)], offset: Sample.offset), from: device)
        let steps: [(Duration, Duration)] = [
            (.milliseconds(100), .zero), (.milliseconds(-100), .zero), (.milliseconds(101), .milliseconds(101)),
            (.zero, .zero), (.seconds(-3_600), .seconds(-3_600)),
        ]
        for (said, effect) in steps {
            _ = try await store.ingest(Sample.batch([], offset: Sample.offset + said), from: device)
            #expect(try await times(device) == [Sample.wall(1) + effect: true], "\(said)")
        }
    }

    @Test("What was synchronised stays as it was, whatever is learned")
    func synchronised() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.reading(1)], offset: .seconds(1)), from: device)
        _ = try await store.ingest(Sample.batch([], offset: .seconds(9)), from: device)
        #expect(try await times(device) == [Sample.wall(1): true])
    }

    @Test("Content stays as the device said it: what comes again after it was dated is the same")
    func again() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1)]), from: device)
        let batch = Sample.batch([Sample.undatedReading(1)], offset: Sample.offset)
        for _ in 0..<2 { #expect(try await store.ingest(batch, from: device).new.isEmpty) }
        let dated = Sample.batch([Sample.reading(1)], offset: Sample.offset)
        await #expect(throws: NumberConflict.self) { try await store.ingest(dated, from: device) }
    }

    @Test("An offset that comes with a refused batch is not learned")
    func refused() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.undatedReading(1)]), from: device)
        let refused = Sample.batch([Sample.reading(1)], offset: Sample.offset)
        await #expect(throws: NumberConflict.self) { try await store.ingest(refused, from: device) }
        #expect(try await times(device) == [wrong(1): false])
    }

    @Test("What is asked for since a time is found by the time that is known by now")
    func since() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(
            Sample.batch((1...3).map { Sample.undatedReading($0) } + [Sample.reading(4)]), from: device)
        #expect(try await store.records(of: device, since: Sample.wall(2)).map(\.position.sequence) == [4])
        _ = try await store.ingest(Sample.batch([], offset: Sample.offset), from: device)
        #expect(try await store.records(of: device, since: Sample.wall(2)).map(\.position.sequence) == [2, 3, 4])
        #expect(try await store.records(of: device, nil, since: Sample.wall(3)).map(\.position.sequence) == [3, 4])
    }

    @Test("A component's whole past is in the order of the times that are known by now")
    func mixed() async throws {
        let device = try await store.newDevice()
        let events = [Sample.event(1, wall: Sample.wall(2)), Sample.event(2, wall: Sample.wall(4))]
        _ = try await store.ingest(Sample.batch(events, stream: .events), from: device)
        let readings = Sample.batch([1, 3, 5].map { Sample.undatedReading($0) })
        _ = try await store.ingest(readings, from: device)
        let streams = { (history: [RecordedObservation]) in history.map(\.position.stream) }
        let before = try await store.records(of: device, nil)
        #expect(streams(before) == [.telemetry, .telemetry, .telemetry, .events, .events])
        _ = try await store.ingest(Sample.batch([], offset: Sample.offset), from: device)
        let after = try await store.records(of: device, nil)
        #expect(streams(after) == [.telemetry, .events, .telemetry, .events, .telemetry])
    }

    @Test("Times and offsets that are beyond all measure end nothing", arguments: [Int64.max, .min])
    func absurd(_ extreme: Int64) async throws {
        let device = try await store.newDevice()
        let stamp = Timestamp(
            boot: 1, monotonic: MonotonicTime(nanoseconds: extreme), wall: WallTime(nanoseconds: 0),
            isSynchronised: false)
        let content = Sample.reading(1).observation.content
        let item = ObservationBatch.Item(sequence: 1, observation: Observation(time: stamp, content: content))
        _ = try await store.ingest(Sample.batch([item]), from: device)
        let batch = Sample.batch([Sample.undatedReading(2)], offset: .nanoseconds(extreme))
        _ = try await store.ingest(batch, from: device)
        _ = try await store.ingest(Sample.batch([item], epoch: 8, offset: .nanoseconds(extreme)), from: device)
        let walls = try await store.records(of: device).map(\.observation.time.wall.nanoseconds)
        let sum = extreme == .max ? extreme : extreme + 2_000_000_000
        #expect(walls == [extreme, sum, extreme])
    }

    @Test("Histories are read from an index, in its order")
    func plans() async throws {
        let device = try await store.newDevice()
        let plans = try await store.database.read { db in
            let queries: [(sql: String, arguments: StatementArguments)] = [
                (RouterStore.propertyHistory, [device.row, "climate", "temperature", 0, 7, 0, 10]),
                (RouterStore.componentHistory, [device.row, "climate", 0, 10]),
            ]
            return try queries.map { query in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(query.sql)", arguments: query.arguments)
                    .map { $0["detail"] as String }.joined(separator: "\n")
            }
        }
        #expect(plans.count == 2)
        #expect(plans[0].contains("INDEX observationHistory"))
        #expect(plans[1].contains("INDEX observationTimes"))
        for plan in plans {
            #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
            #expect(!plan.contains("SCAN"), "\(plan)")
        }
    }
}
