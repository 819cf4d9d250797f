import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A number that the router knows for something else gets another one in a new epoch, and so does all that came after
/// it: in its order, without holes, and nothing besides.
@Suite(.timeLimit(.minutes(1))) struct RenumberTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()

    private func position(_ epoch: UInt64, _ sequence: UInt64) -> StreamPosition {
        StreamPosition(stream: .telemetry, epoch: epoch, sequence: sequence)
    }

    @Test("what came after it moves, what came before and the other stream stay")
    func moves() async throws {
        let store = try disk.open(time: time)
        let stored = try await store.append(
            Sample.readings(1...5, at: time) + [Sample.event("pressed", at: time)], lost: [])
        let old = stored[0].position.epoch
        try await store.renumber(from: stored[2].position)
        let waiting = try await store.waiting()
        #expect(waiting.values == [1, 2, 3, 4, 5])
        #expect(waiting.sequences == [1, 2, 2, 3, 4])
        let new = try #require(waiting.observations.last).position.epoch
        #expect(waiting.observations.map(\.position.epoch) == [old, old, new, new, new])
        let gap = Gap(
            stream: .telemetry, epoch: new, first: 1, last: 1, count: nil, reason: .storeReplaced, until: time.wall)
        #expect(waiting.gaps == [gap])
        #expect(try await store.waiting(in: .events).observations == [stored[5]])
        let next = try await store.append(Sample.readings(6...6, at: time), lost: [])
        #expect(next.first?.position == position(new, 5))
    }

    @Test("holes that were acknowledged are closed, gaps keep their place, their count and their times")
    func holesAndGaps() async throws {
        let store = try disk.open(time: time)
        let old = try #require(try await store.append(Sample.readings(1...3, at: time), lost: []).first).position.epoch
        _ = try await store.append(Sample.readings(4...6, at: time), lost: [Sample.loss(4)])  // 4...7, 8...10
        _ = try await store.append([], lost: [Sample.loss(2, .diskFailed)])  // 11...12
        _ = try await store.append(Sample.readings(7...7, at: time), lost: [Sample.loss(1)])  // 13, 14
        try await store.acknowledge(StreamReception(.telemetry, old, 2...2, 9...9, 13...13))
        try await store.renumber(from: position(old, 2))
        let waiting = try await store.waiting()
        #expect(waiting.values == [1, 3, 4, 6, 7])
        #expect(waiting.sequences == [1, 2, 7, 8, 11])
        let losses = waiting.gaps.filter { $0.reason != .storeReplaced }
        #expect(losses.map(\.numbers) == [3...6, 9...10])
        #expect(losses.map(\.count) == [4, 2])
        #expect(losses.map(\.reason) == [.diskTooSlow, .diskFailed])
        #expect(losses.map(\.since) == [WallTime(nanoseconds: 5), WallTime(nanoseconds: 5)])
        #expect(losses.map(\.until) == [WallTime(nanoseconds: 9), WallTime(nanoseconds: 9)])
        #expect(waiting.gaps.allSatisfy { $0.epoch != old })
    }

    @Test("from an epoch before the present one, the present one follows behind it")
    func olderEpoch() async throws {
        let store = try disk.open(time: time)
        let first = try await store.append(Sample.readings(1...4, at: time), lost: [])
        try await store.renumber(from: first[3].position)
        _ = try await store.append(Sample.readings(5...6, at: time), lost: [Sample.loss(3)])  // 3...5, 6...7
        try await store.renumber(from: first[1].position)
        let waiting = try await store.waiting()
        #expect(waiting.values == [1, 2, 3, 4, 5, 6])
        #expect(waiting.sequences == [1, 1, 2, 4, 8, 9])
        #expect(waiting.gaps.map(\.numbers) == [3...3, 5...7])
        #expect(Set(waiting.observations.dropFirst().map(\.position.epoch)).count == 1)
        #expect(Set(waiting.gaps.map(\.epoch)) == [try #require(waiting.observations.last).position.epoch])
    }

    @Test("more than is looked at at a time moves as well, and is there after a new start")
    func many() async throws {
        let old: StreamPosition
        do {
            let store = try disk.open(time: time)
            old = try #require(try await store.append(Sample.readings(1...3_456, at: time), lost: []).first).position
            try await store.renumber(from: position(old.epoch, 400))
            try await store.finish()
        }
        let store = try disk.open(time: time)
        let waiting = try await store.waiting()
        #expect(waiting.values == (1...3_456).map { Double($0) })
        #expect(waiting.sequences == Array(1...399) + Array(2...3_058))
        #expect(waiting.observations[0].position == old)
        let next = try await store.append(Sample.readings(1...1, at: time), lost: [])
        #expect(next.first?.position.sequence == 3_059)
    }

    @Test("from a number that is not there, or an epoch that nobody knows, nothing is lost either")
    func unknownNumber() async throws {
        let store = try disk.open(time: time)
        let stored = try await store.append(Sample.readings(1...3, at: time), lost: [])
        for number in [position(stored[0].position.epoch, 9), position(7, 1), stored[0].position] {
            try await store.renumber(from: number)
            #expect(try await store.waiting().values == [1, 2, 3])
            let sequences = try await store.waiting().sequences
            #expect(sequences == [1, 2, 3])
        }
        let next = try #require(try await store.append(Sample.readings(4...4, at: time), lost: []).first).position
        #expect(try await store.waiting().observations.filter { $0.position == next }.count == 1)
    }
}

/// A store that was restored from an older copy: nothing is swallowed, nothing comes twice, whatever happened since.
@Suite(.timeLimit(.minutes(1))) struct RestoredCopyTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()

    /// Stores readings in a run of its own, which ends in order.
    private func run(_ values: ClosedRange<Int>, losing losses: [Loss] = [], boot: ManualTime? = nil) async throws {
        let time = boot ?? time
        let store = try disk.open(time: time)
        _ = try await store.append(Sample.readings(values, at: time), lost: losses)
        try await store.finish()
    }

    /// Lets sessions follow each other until all is at the router.
    private func drain(_ router: inout ModelRouter, _ session: ModelSession = ModelSession()) async throws {
        let store = try disk.open(time: time)
        for _ in 0..<10 {
            if try await session.run(store, &router) { break }
        }
        for stream in StreamName.allCases { #expect(try await store.waiting(in: stream) == Waiting()) }
        #expect(await store.status().kept == 0)
        try await store.finish()
    }

    /// Puts a copy back that knows the first twenty readings, while the router has more.
    private func restored(behind last: Int) async throws -> ModelRouter {
        var router = ModelRouter()
        try await run(1...20)
        let copy = disk.copy()
        try await run(21...last)
        try await drain(&router)
        disk.restore(copy)
        return router
    }

    @Test(
        "what was stored since is there, once, and so is what the copy had not sent; a gap says what may be missing",
        arguments: [115, 130])
    func oneRun(last: Int) async throws {
        var router = try await restored(behind: 40)
        // The router is ahead of fifteen more, and has something else under the numbers of the first of thirty.
        try await run(101...last)
        try await drain(&router)
        #expect(router.values() == (1...40).map { Double($0) } + (101...last).map { Double($0) })
        #expect(router.gaps().map(\.reason) == [.storeReplaced])
    }

    @Test("several runs offline after it, and then a conflict: all of them are there, once, in their order")
    func severalRuns() async throws {
        var router = try await restored(behind: 60)
        try await run(101...115)
        try await run(116...130)
        try await drain(&router)
        #expect(router.values() == (1...60).map { Double($0) } + (101...130).map { Double($0) })
        #expect(router.gaps().map(\.reason) == [.storeReplaced])
    }

    @Test("what was live before the older part went up, in the life that the copy knows nothing of")
    func liveFirst() async throws {
        var router = ModelRouter()
        try await run(1...20)
        let copy = disk.copy()
        do {
            let store = try disk.open(time: time)
            _ = try await store.append(Sample.readings(21...40, at: time), lost: [])
            let end = try #require(try await store.agree(with: [])[.telemetry]).end
            _ = try await store.append(Sample.readings(41...50, at: time), lost: [])
            // Only the newest go up.
            let live = try #require(try await store.batch(of: .telemetry, in: OutboxSpan(after: end), limit: 10))
            _ = try router.take(live)
        }
        disk.restore(copy)
        try await run(101...160)
        try await drain(&router)
        let values = router.values()
        for value in Array(1...20) + Array(41...50) + Array(101...160) {
            #expect(values.filter { $0 == Double(value) }.count == 1, "\(value)")
        }
    }

    @Test("all of it is there, whatever goes up in one batch", arguments: [1, 5, 20, 100])
    func batches(batchSize: Int) async throws {
        var router = try await restored(behind: 60)
        // Another boot: batches end where one ends.
        try await run(101...115, boot: ManualTime(boot: 2))
        try await run(116...130, boot: ManualTime(boot: 3))
        try await drain(&router, ModelSession(batchSize: batchSize))
        #expect(router.values() == (1...60).map { Double($0) } + (101...130).map { Double($0) })
    }

    @Test("a loss whose numbers the router knows for something else is told all the same")
    func lossIsNotSwallowed() async throws {
        var router = try await restored(behind: 60)
        try await run(101...115, losing: [Sample.loss(3)])
        try await run(116...130)
        try await drain(&router)
        #expect(router.gaps().filter { $0.reason == .diskTooSlow }.compactMap(\.count) == [3])
    }
}
