import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: every number of a device's stream is stored once, and the watermark says truthfully up to where nothing is
/// missing that is not named in a gap.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreObservationsTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    // MARK: Once

    @Test("What is new is stored, and acknowledged up to its last number")
    func new() async throws {
        let device = try await store.newDevice()
        let ingested = try await store.ingest(Sample.batch(Sample.readings(1...3)), from: device)
        #expect(ingested.reception == Sample.reception(through: 3))
        #expect(ingested.new.map(\.position.sequence) == [1, 2, 3])
        #expect(try await store.count("observations") == 3)
    }

    @Test("A batch that comes again is acknowledged again and stored once")
    func again() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch(Sample.readings(1...3))
        _ = try await store.ingest(batch, from: device)
        let ingested = try await store.ingest(batch, from: device)
        #expect(ingested.reception.received.through == 3)
        #expect(ingested.new.isEmpty)
        #expect(try await store.count("observations") == 3)
    }

    @Test("Of a batch that overlaps with what is known only the rest is new")
    func overlap() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...3)), from: device)
        let ingested = try await store.ingest(Sample.batch(Sample.readings(2...5)), from: device)
        #expect(ingested.new.map(\.position.sequence) == [4, 5])
        #expect(ingested.reception.received.through == 5)
    }

    @Test("However often a connection is lost and batches are sent again, each number is stored once")
    func manyTimes() async throws {
        let device = try await store.newDevice()
        var generator = SeededGenerator(seed: 42)
        var through: UInt64 = 0
        while through < 300 {
            let first = UInt64.random(in: max(1, through > 20 ? through - 20 : 1)...(through + 1), using: &generator)
            let last = min(300, first + UInt64.random(in: 0...30, using: &generator))
            let ingested = try await store.ingest(Sample.batch(Sample.readings(first...last)), from: device)
            #expect(ingested.reception.received.through == max(through, last))
            through = ingested.reception.received.through
        }
        let history = try await store.history(
            device.owner, device.row, Sample.climate, property: "temperature", since: nil, limit: 1_000)
        #expect(history.compactMap(\.record).map(\.position.sequence) == Array(1...300))
    }

    @Test("A number that comes with another content is an alarm, and nothing of its batch is stored or acknowledged")
    func conflict() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...2)), from: device)
        let batch = Sample.batch([Sample.reading(3), Sample.reading(2, .number(99)), Sample.reading(4)], gaps: [5...6])
        let conflict = await #expect(throws: NumberConflict.self) { try await store.ingest(batch, from: device) }
        #expect(conflict?.code == .conflict)
        #expect(conflict?.resource == "greenhouse")
        #expect(conflict?.position == StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 2))
        #expect(conflict?.description == "number 2 of stream telemetry has come before with another content")
        #expect(try await store.count("observations") == 2)
        #expect(try await store.count("gaps") == 0)
        #expect(try await store.receptions(of: device) == [Sample.reception(through: 2)])
    }

    @Test("Numbers of different streams, epochs and devices have nothing to do with each other")
    func apart() async throws {
        let first = try await store.newDevice()
        let second = try await store.newDevice(of: "bob", key: 2)
        _ = try await store.ingest(Sample.batch(Sample.readings(1...5)), from: first)
        let event = Sample.item(1, .event(Event(component: Sample.climate, name: "pressed")))
        for (batch, device) in [
            (Sample.batch([event], stream: .events), first), (Sample.batch([Sample.reading(1)], epoch: 8), first),
            (Sample.batch([Sample.reading(1, .number(99))]), second),
        ] {
            let ingested = try await store.ingest(batch, from: device)
            #expect(ingested.reception.received.through == 1)
            #expect(ingested.new.count == 1)
        }
        #expect(try await store.count("observations") == 8)
    }

    // MARK: Holes

    @Test("The watermark stops before a hole")
    func hole() async throws {
        let device = try await store.newDevice()
        let ingested = try await store.ingest(Sample.batch([Sample.reading(1), Sample.reading(3)]), from: device)
        #expect(ingested.reception.received.through == 1)
        let next = try await store.ingest(Sample.batch([Sample.reading(4)]), from: device)
        #expect(next.reception.received.through == 1)
        // What lies behind the hole is stored all the same.
        #expect(try await store.count("observations") == 3)
    }

    @Test("When a hole is filled, the watermark goes on to the end of what lies behind it")
    func filled() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(
            Sample.batch([Sample.reading(1), Sample.reading(3), Sample.reading(4)]), from: device)
        let filled = try await store.ingest(Sample.batch([Sample.reading(2)]), from: device)
        #expect(filled.reception.received.through == 4)
    }

    @Test("A gap record takes the watermark past the hole")
    func gap() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.reading(1)]), from: device)
        let ingested = try await store.ingest(Sample.batch([], gaps: [2...9]), from: device)
        #expect(ingested.reception.received.through == 9)
        #expect(ingested.gaps.map(\.first) == [2])
        let next = try await store.ingest(Sample.batch([Sample.reading(10)]), from: device)
        #expect(next.reception.received.through == 10)
    }

    @Test("A gap among the numbers of its own batch takes the watermark to the end of the batch")
    func gapWithin() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch([Sample.reading(1), Sample.reading(5), Sample.reading(6)], gaps: [2...4])
        #expect(try await store.ingest(batch, from: device).reception.received.through == 6)
    }

    @Test("A gap before the numbers of its own batch, as a full store leaves one, takes the watermark to its end")
    func gapBefore() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch(Sample.readings(101...200), gaps: [1...100])
        #expect(try await store.ingest(batch, from: device).reception.received.through == 200)
        let next = try await store.ingest(Sample.batch(Sample.readings(201...202)), from: device)
        #expect(next.reception.received.through == 202)
    }

    @Test("A gap that names only a part of the hole does not close it")
    func gapTooSmall() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch([Sample.reading(1), Sample.reading(5)], gaps: [3...4])
        #expect(try await store.ingest(batch, from: device).reception.received.through == 1)
    }

    @Test("A gap that is known already is no news")
    func gapAgain() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch([Sample.reading(1)], gaps: [2...3])
        #expect(try await store.ingest(batch, from: device).gaps.count == 1)
        #expect(try await store.ingest(batch, from: device).gaps.isEmpty)
        #expect(try await store.count("gaps") == 1)
    }

    // MARK: Hostile numbers and texts

    @Test("A number that is none does not become a row that cannot be read", arguments: ["nan", "inf", "-inf"])
    func noNumber(_ text: String) async throws {
        let number = try #require(Double(text))
        let device = try await store.newDevice()
        let refusal = await problem {
            _ = try await store.ingest(Sample.batch([Sample.reading(1, .number(number))]), from: device)
        }
        let unreadable = try await store.database.read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM observations WHERE type IS NOT NULL AND value IS NULL") ?? 0
        }
        try #require(unreadable == 0, "reading such a row would end the router")
        guard refusal == nil else { return }
        let newest = try await store.newest(device.owner, device.row, Sample.climate, "temperature")
        #expect(newest?.position.sequence == 1)
    }

    @Test("A text with a zero byte in it is the same text when it comes again")
    func zeroByte() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch([Sample.reading(1, .text("before\0after"))])
        _ = try await store.ingest(batch, from: device)
        #expect(await problem { _ = try await store.ingest(batch, from: device) } == nil)
    }

    /// Numbers that are none, alone and in a gap.
    @Test(
        "A number that no stream has is refused, and nothing of its batch is stored",
        arguments: [
            Sample.batch([Sample.reading(0), Sample.reading(1)]), Sample.batch([Sample.reading(1)], gaps: [0...0]),
            Sample.batch([Sample.reading(1)], gaps: [2...(1 << 63)]),
            Sample.batch([Sample.reading(1)], gaps: [1...UInt64.max]),
        ])
    func noSequence(_ batch: ObservationBatch) async throws {
        let device = try await store.newDevice()
        #expect(await problem { _ = try await store.ingest(batch, from: device) }?.code == .badRequest)
        #expect(try await store.count("observations") == 0)
        #expect(try await store.count("received") == 0)
    }

    @Test("The last number of all is a number like any other")
    func lastNumber() async throws {
        let device = try await store.newDevice()
        let last = UInt64(Int64.max)
        let batch = Sample.batch([], gaps: [1...(last - 1), last...last])
        #expect(try await store.ingest(batch, from: device).reception.received.through == last)
        #expect(try await store.ingest(batch, from: device).gaps.isEmpty)
        #expect(try await store.losses(of: device.owner)[device.row]?.missing == last)
    }
}
