import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a history says in its place what is missing of it, and nothing of what was not asked for.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreHistoryGapsTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    /// A piece of a history, as a test writes it.
    private enum Piece: Hashable, CustomStringConvertible {
        case number(UInt64)
        case gap(ClosedRange<UInt64>)

        var description: String {
            switch self {
            case .number(let number): "\(number)"
            case .gap(let numbers): "(\(numbers))"
            }
        }
    }

    private func history(
        _ device: RouterStore.Device, _ property: String? = "temperature", since: WallTime? = nil, limit: Int = 1_000
    ) async throws -> [Piece] {
        try await store.history(
            device.owner, device.row, Sample.climate, property: property, since: since, limit: limit
        ).map { entry in
            switch entry {
            case .observation(let record): .number(record.position.sequence)
            case .gap(let gap): .gap(gap.numbers)
            }
        }
    }

    /// A batch whose gaps say until when they are.
    private func batch(_ numbers: [UInt64], _ gaps: [ClosedRange<UInt64>], epoch: UInt64 = Sample.epoch)
        -> ObservationBatch
    {
        var batch = Sample.batch(numbers.map { Sample.reading($0) }, epoch: epoch)
        batch.gaps = gaps.map { numbers in
            Gap(
                numbers, of: .telemetry, epoch: epoch, reason: .storeFull, since: Sample.wall(numbers.lowerBound),
                until: Sample.wall(numbers.upperBound))
        }
        return batch
    }

    @Test("A gap comes where its numbers would have come: before, between and behind the readings")
    func places() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([3, 6, 7], [1...2, 4...5, 8...9]), from: device)
        for property in ["temperature", nil] {
            #expect(
                try await history(device, property)
                    == [.gap(1...2), .number(3), .gap(4...5), .number(6), .number(7), .gap(8...9)])
        }
    }

    @Test("Where nothing is left but gaps, they are the history")
    func onlyGaps() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([], [1...2, 5...9]), from: device)
        #expect(try await history(device) == [.gap(1...2), .gap(5...9)])
    }

    @Test("What is missing at the end of an epoch comes before the next epoch")
    func epochs() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([1], [2...3], epoch: 9), from: device)
        _ = try await store.ingest(batch([2, 3], [1...1], epoch: 4), from: device)
        #expect(try await history(device) == [.number(1), .gap(2...3), .gap(1...1), .number(2), .number(3)])
    }

    @Test("A limit that leaves something out leaves out what was missing before, too")
    func limit() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([1, 2], [3...4], epoch: 9), from: device)
        _ = try await store.ingest(batch([3, 6, 7], [1...2, 4...5, 8...9]), from: device)
        #expect(try await history(device, limit: 1) == [.number(7), .gap(8...9)])
        #expect(try await history(device, limit: 2) == [.number(6), .number(7), .gap(8...9)])
        #expect(
            try await history(device, limit: 3)
                == [.number(3), .gap(4...5), .number(6), .number(7), .gap(8...9)])
        #expect(
            try await history(device, limit: 4)
                == [.number(2), .gap(3...4), .gap(1...2), .number(3), .gap(4...5), .number(6), .number(7), .gap(8...9)])
        #expect(try await history(device, limit: 0) == [])
    }

    @Test("Since a time: what reaches into it, and what is behind the first that is shown")
    func since() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([3, 8, 9], [1...2, 4...7, 10...11]), from: device)
        for property in ["temperature", nil] {
            #expect(
                try await history(device, property, since: Sample.wall(8))
                    == [.number(8), .number(9), .gap(10...11)], "\(property ?? "all")")
            // A part of what is missing before number 8 is missing since second 6.
            #expect(
                try await history(device, property, since: Sample.wall(6))
                    == [.gap(4...7), .number(8), .number(9), .gap(10...11)])
            #expect(try await history(device, property, since: Sample.wall(11)) == [.gap(10...11)])
            #expect(try await history(device, property, since: Sample.wall(12)) == [])
        }
    }

    @Test("What nobody can date is shown, except before a reading that is too old to be shown")
    func undated() async throws {
        let device = try await store.newDevice()
        var batch = Sample.batch([1, 5].map { Sample.reading($0) })
        batch.gaps = [Sample.unknownGap(3...3), Sample.unknownGap(6...6)]
        _ = try await store.ingest(batch, from: device)
        #expect(try await history(device) == [.number(1), .gap(3...3), .number(5), .gap(6...6)])
        #expect(try await history(device, since: Sample.wall(2)) == [.gap(3...3), .number(5), .gap(6...6)])
        #expect(try await history(device, since: Sample.wall(6)) == [.gap(6...6)])
    }

    @Test("Missing events belong to a component's whole past, and not to a property's")
    func streams() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(batch([1, 3], [2...2]), from: device)
        _ = try await store.ingest(Sample.batch([Sample.event(9)], stream: .events, gaps: [1...8]), from: device)
        #expect(try await history(device) == [.number(1), .gap(2...2), .number(3)])
        #expect(
            try await history(device, nil) == [.number(1), .gap(2...2), .number(3), .gap(1...8), .number(9)])
    }

    @Test("An epoch whose number another stream has, too, is told once")
    func sameEpoch() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.event(1)], stream: .events), from: device)
        _ = try await store.ingest(batch([1, 3], [2...2]), from: device)
        #expect(try await history(device) == [.number(1), .gap(2...2), .number(3)])
    }

    @Test("Nobody is told what is missing of somebody else's device")
    func isolation() async throws {
        let device = try await store.newDevice()
        let bob = try await store.addOwner("bob")
        _ = try await store.ingest(batch([1], [2...3]), from: device)
        for property in ["temperature", nil] {
            let history = try await store.history(
                bob, device.row, Sample.climate, property: property, since: nil, limit: 10)
            #expect(history.isEmpty)
        }
    }

    @Test("Very many gaps are told in order, and in no time")
    func many() async throws {
        let device = try await store.newDevice()
        let odd = stride(from: UInt64(1), through: 4_001, by: 2).map { $0...$0 }
        _ = try await store.ingest(batch([2_000], odd), from: device)
        let history = try await history(device)
        #expect(history.count == 2_002)
        #expect(history[999...1_001] == [.gap(1_999...1_999), .number(2_000), .gap(2_001...2_001)])
    }
}
