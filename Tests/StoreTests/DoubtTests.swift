import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// What a router can't read goes alone until it is found, is named as missing then, and keeps nothing else from going up.
@Suite(.timeLimit(.minutes(1))) struct DoubtTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()
    private let store: Store

    init() throws {
        store = try disk.open(time: time)
    }

    /// Every batch that there is, one after the other.
    private func batches() async throws -> [OutboxBatch] {
        var (batches, span) = ([OutboxBatch](), OutboxSpan(after: .start))
        while let batch = try await store.batch(of: .telemetry, in: span, limit: 100) {
            batches.append(batch)
            span.start = batch.end
        }
        return batches
    }

    @Test("each observation of a batch that can't be read goes alone, and what comes before and behind goes together")
    func alone() async throws {
        let stored = try await store.append(Sample.readings(1...9, at: time), lost: [])
        let epoch = try #require(stored.first?.position.epoch)
        try await store.doubt([StreamReception(.telemetry, epoch, 3...5)])
        let batches = try await batches()
        #expect(batches.map { $0.observations.map(\.position.sequence) } == [[1, 2], [3], [4], [5], [6, 7, 8, 9]])
        #expect(batches.map(\.isDoubted) == [false, true, true, true, false])
        #expect(try await store.waiting().gaps == [])
    }

    @Test("one that went alone, and nothing beside it, is given up and named; beside others it is only doubted")
    func givenUp() async throws {
        let stored = try await store.append(Sample.readings(1...5, at: time), lost: [])
        let epoch = try #require(stored.first?.position.epoch)
        let culprit = StreamReception(.telemetry, epoch, 3...3)
        try await store.doubt([culprit, StreamReception(.telemetry, epoch, 4...4)])
        #expect(try await store.waiting().sequences == [1, 2, 3, 4, 5])
        try await store.doubt([culprit])
        let waiting = try await store.waiting()
        #expect(waiting.sequences == [1, 2, 4, 5])
        #expect(waiting.gaps.map(\.numbers) == [3...3])
        #expect(waiting.gaps.map(\.reason) == [.unreadable])
        #expect(await store.status().kept == 4)
        #expect(await store.status().dropped == 1)
        // The gap that names it is doubted no more.
        #expect(try await batches().map(\.isDoubted) == [false, true, false])
    }

    @Test("what was doubted and has arrived is doubted no more")
    func arrived() async throws {
        let stored = try await store.append(Sample.readings(1...5, at: time), lost: [])
        let epoch = try #require(stored.first?.position.epoch)
        try await store.doubt([StreamReception(.telemetry, epoch, 3...5)])
        try await store.acknowledge(StreamReception(.telemetry, epoch, 3...4))
        #expect(try await batches().map { $0.observations.map(\.position.sequence) } == [[1, 2], [5]])
        // The router has lost them since: they are named, and that goes up with everything else.
        _ = try await store.agree(with: [])
        #expect(try await batches().map(\.numbers.ranges) == [[1...4], [5...5]])
        #expect(try await batches().map(\.isDoubted) == [false, true])
    }

    @Test("gaps are no different: alone, then without what may be in the way, and then no more")
    func gaps() async throws {
        let stored = try await store.append(
            Sample.readings(1...2, at: time), lost: [Sample.loss(3), Sample.loss(4, .diskFailed)])
        let epoch = try #require(stored.first?.position.epoch)
        #expect(try await batches().count == 1)
        try await store.doubt([StreamReception(.telemetry, epoch, 1...9)])
        #expect(try await batches().map(\.numbers.ranges) == [[8...8], [9...9], [1...3], [4...7]])
        let gap = StreamReception(.telemetry, epoch, 4...7)
        try await store.doubt([gap])
        let reduced = try #require(try await store.waiting().gaps.last)
        #expect(reduced == Gap(4...7, of: .telemetry, epoch: epoch, reason: .unreadable))
        try await store.doubt([gap])
        #expect(try await batches().map(\.numbers.ranges) == [[8...8], [9...9], [1...3]])
        #expect(await store.status().dropped == 0)
    }
}
