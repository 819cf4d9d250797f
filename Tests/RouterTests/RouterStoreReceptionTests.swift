import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a device is told exactly which numbers the router has, whatever order they came in, for each batch and at the
/// beginning of a session.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreReceptionTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    private func ingest(
        _ numbers: ClosedRange<UInt64>, epoch: UInt64 = Sample.epoch, from device: RouterStore.Device
    ) async throws -> StreamReception {
        try await store.ingest(Sample.batch(Sample.readings(numbers), epoch: epoch), from: device).reception
    }

    // MARK: Acknowledged

    @Test("A batch beyond a hole is acknowledged with its range, and the watermark stays")
    func beyond() async throws {
        let device = try await store.newDevice()
        _ = try await ingest(1...3, from: device)
        #expect(try await ingest(10...12, from: device) == Sample.reception(through: 3, [10...12]))
        #expect(try await ingest(13...14, from: device) == Sample.reception(through: 3, [10...14]))
    }

    @Test("Ranges that have nothing to do with a batch are not told with it")
    func untouched() async throws {
        let device = try await store.newDevice()
        _ = try await ingest(1...3, from: device)
        _ = try await ingest(10...12, from: device)
        #expect(try await ingest(20...21, from: device) == Sample.reception(through: 3, [20...21]))
        #expect(try await ingest(4...5, from: device) == Sample.reception(through: 5))
    }

    @Test("A batch with holes of its own is acknowledged with a range for each piece")
    func pieces() async throws {
        let device = try await store.newDevice()
        _ = try await ingest(8...8, from: device)
        let batch = Sample.batch([2, 3, 5, 7].map { Sample.reading($0) }, gaps: [11...12])
        let reception = try await store.ingest(batch, from: device).reception
        #expect(reception == Sample.reception(through: 0, [2...3, 5...5, 7...8, 11...12]))
    }

    @Test("Live before backlog: when the backlog is through, all is one range")
    func backlog() async throws {
        let device = try await store.newDevice()
        #expect(try await ingest(101...110, from: device) == Sample.reception(through: 0, [101...110]))
        for first: UInt64 in stride(from: 1, to: 100, by: 10) {
            _ = try await ingest(first...(first + 9), from: device)
        }
        #expect(try await store.receptions(of: device) == [Sample.reception(through: 110)])
        #expect(try await store.count("received") == 1)
    }

    @Test("An empty batch is acknowledged with what there is")
    func empty() async throws {
        let device = try await store.newDevice()
        #expect(try await store.ingest(Sample.batch([]), from: device).reception == Sample.reception(through: 0))
        _ = try await ingest(1...3, from: device)
        #expect(try await store.ingest(Sample.batch([]), from: device).reception == Sample.reception(through: 3))
    }

    @Test("Only what a batch changes is written, however many holes there are")
    func writes() async throws {
        let device = try await store.newDevice()
        let odd = stride(from: UInt64(1), through: 401, by: 2).map { Sample.reading($0) }
        _ = try await store.ingest(Sample.batch(odd), from: device)
        #expect(try await store.count("received") == 201)
        let before = try await changes()
        _ = try await ingest(200...200, from: device)
        #expect(try await store.count("received") == 200)
        // The observation, two ranges that went, and the one that came.
        #expect(try await changes() - before == 4)
    }

    private func changes() async throws -> Int {
        try await store.database.write { $0.totalChangesCount }
    }

    // MARK: What a session begins with

    @Test("A device of which nothing is here is told nothing")
    func nothing() async throws {
        #expect(try await store.receptions(of: try await store.newDevice()).isEmpty)
    }

    @Test("A device is told its epochs in the order in which they came, with all their ranges, stream by stream")
    func receptions() async throws {
        let device = try await store.newDevice()
        for epoch: UInt64 in [9, 3, .max] {
            _ = try await ingest(1...(epoch == 3 ? 8 : 2), epoch: epoch, from: device)
        }
        _ = try await ingest(5...6, epoch: 9, from: device)
        _ = try await store.ingest(Sample.batch([Sample.event(1)], stream: .events), from: device)
        #expect(
            try await store.receptions(of: device) == [
                Sample.reception(epoch: 9, through: 2, [5...6]), Sample.reception(epoch: 3, through: 8),
                Sample.reception(epoch: .max, through: 2), Sample.reception(.events, through: 1),
            ])
    }

    @Test("Of many epochs a device is told the newest eight, the newest of them last")
    func manyEpochs() async throws {
        let device = try await store.newDevice()
        for epoch: UInt64 in 1...11 { _ = try await ingest(1...epoch, epoch: epoch, from: device) }
        #expect(
            try await store.receptions(of: device)
                == (4...11).map { Sample.reception(epoch: $0, through: $0) })
    }

    @Test("Of very many ranges a device is told the lowest thousand")
    func manyRanges() async throws {
        let device = try await store.newDevice()
        let odd = stride(from: UInt64(1), through: 2_401, by: 2).map { Sample.reading($0) }
        _ = try await store.ingest(Sample.batch(odd), from: device)
        let received = try await store.receptions(of: device).first?.received
        #expect(received?.ranges.count == 1_000)
        #expect(received?.last == 1_999)
        // All of them count, told or not.
        #expect(try await ingest(2_400...2_400, from: device) == Sample.reception(through: 1, [2_399...2_401]))
    }

    @Test("Nobody is told what another device has sent")
    func apart() async throws {
        let first = try await store.newDevice()
        let second = try await store.addDevice("attic", of: first.owner, key: Sample.key(2))
        _ = try await ingest(1...3, from: first)
        #expect(try await store.receptions(of: second).isEmpty)
        #expect(try await ingest(7...7, from: second) == Sample.reception(through: 0, [7...7]))
        #expect(try await store.receptions(of: first) == [Sample.reception(through: 3)])
    }

    @Test("After a restart everything is where it was")
    func restart() async throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("router.db")
        do {
            let store = try RouterStore(path: path, time: time)
            let device = try await store.addDevice(
                "greenhouse", of: try await store.addOwner("ada"), key: Sample.key(1))
            _ = try await store.ingest(Sample.batch(Sample.readings(1...3), gaps: [6...7]), from: device)
        }
        let store = try RouterStore(path: path, time: time)
        let device = try #require(try await store.device(key: Sample.key(1)))
        #expect(try await store.receptions(of: device) == [Sample.reception(through: 3, [6...7])])
        #expect(try await store.ingest(Sample.batch([Sample.reading(3)]), from: device).new.isEmpty)
        let filled = try await store.ingest(Sample.batch(Sample.readings(4...5)), from: device)
        #expect(filled.reception == Sample.reception(through: 7))
    }
}
