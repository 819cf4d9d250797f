import DeviceManager
import DeviceModel
import HALTestKit
import Testing

@testable import Store

/// What the router has goes, and nothing else: by a watermark, by ranges, of the epoch that is meant.
@Suite(.timeLimit(.minutes(1))) struct AcknowledgementTests {
    private let folder: StoreFolder
    private var time: ManualTime { folder.time }

    init() throws {
        folder = try StoreFolder()
    }

    /// Stores readings, each with its number as its value.
    private func store(_ values: ClosedRange<Int>, in store: Store) async throws -> UInt64 {
        let stored = try await store.append(Sample.readings(values, at: time), lost: [])
        return try #require(stored.first).position.epoch
    }

    @Test("up to a watermark")
    func watermark() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...5, in: store)
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...3))
        #expect(try await store.waiting().sequences == [4, 5])
        #expect(await store.status().kept == 2)
    }

    @Test("ranges with holes between them")
    func ranges() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...9, in: store)
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...2, 5...5, 8...9))
        #expect(try await store.waiting().sequences == [3, 4, 6, 7])
        #expect(await store.status().kept == 4)
    }

    @Test("the same again, and what was acknowledged in parts, changes nothing")
    func again() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...6, in: store)
        for _ in 0..<3 {
            try await store.acknowledge(StreamReception(.telemetry, epoch, 2...3))
            try await store.acknowledge(StreamReception(.telemetry, epoch, 3...4))
            try await store.acknowledge(StreamReception(.telemetry, epoch))
        }
        #expect(try await store.waiting().sequences == [1, 5, 6])
        #expect(await store.status().kept == 3)
    }

    @Test("another epoch's numbers, and another stream's, mean nothing here")
    func anotherEpoch() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...3, in: store)
        let event = try #require(try await store.append([Sample.event("pressed", at: time)], lost: []).first)
        try await store.acknowledge(StreamReception(.telemetry, epoch ^ 1, 1...3))
        try await store.acknowledge(StreamReception(.events, epoch, 1...3))
        try await store.acknowledge(StreamReception(.telemetry, event.position.epoch, 1...3))
        #expect(try await store.waiting().sequences == [1, 2, 3])
        #expect(try await store.waiting(in: .events).sequences == [1])
        #expect(await store.status().kept == 4)
    }

    @Test("what was never given can't have been received, and is not taken for that when it is given later")
    func moreThanWasGiven() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...2, in: store)
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...1, 3...1_000))
        _ = try await self.store(3...4, in: store)
        #expect(try await store.waiting().sequences == [2, 3, 4])
        _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...1)])
        #expect(try await store.waiting().gaps == [])
    }

    @Test("before anything was stored, there is nothing to acknowledge")
    func nothingGiven() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...1, in: store)
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...1))
        try await store.renumber(from: StreamPosition(stream: .telemetry, epoch: epoch, sequence: 1))
        let next = try #require(try await store.append(Sample.readings(2...2, at: time), lost: []).first).position
        #expect(next.sequence == 2)
        try await store.acknowledge(StreamReception(.telemetry, next.epoch, 3...9))
        _ = try await self.store(3...3, in: store)
        #expect(try await store.waiting().sequences == [2, 3])
    }

    @Test("an epoch before the present one is acknowledged as well")
    func olderEpoch() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...6, in: store)
        try await store.renumber(from: StreamPosition(stream: .telemetry, epoch: epoch, sequence: 5))
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...1, 3...4))
        let waiting = try await store.waiting()
        #expect(waiting.values == [2, 5, 6])
        #expect(waiting.sequences == [2, 2, 3])
        #expect(await store.status().kept == 3)
    }

    @Test("a gap goes when all its numbers are known, and no earlier")
    func gaps() async throws {
        let store = try folder.open()
        let epoch = try await self.store(1...1, in: store)
        _ = try await store.append(Sample.readings(5...5, at: time), lost: [Sample.loss(3)])
        for part in [1...2, 3...3, 5...5] as [ClosedRange<UInt64>] {
            try await store.acknowledge(StreamReception(.telemetry, epoch, part))
        }
        let left = try await store.waiting()
        #expect(left.observations == [])
        #expect(left.gaps.map(\.numbers) == [2...4])
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...4))
        #expect(try await store.waiting() == Waiting())
    }

    @Test("what is acknowledged is remembered after a new start, so that a router that lost it is found out")
    func remembered() async throws {
        let epoch: UInt64
        do {
            let store = try folder.open()
            epoch = try await self.store(1...9, in: store)
            try await store.acknowledge(StreamReception(.telemetry, epoch, 1...3, 6...7))
            try await store.finish()
        }
        let store = try folder.open()
        #expect(try await store.waiting().sequences == [4, 5, 8, 9])
        _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...2, 7...7)])
        #expect(try await store.waiting().gaps.map(\.numbers) == [3...3, 6...6])
    }
}
