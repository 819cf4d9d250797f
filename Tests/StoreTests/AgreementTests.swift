import DeviceManager
import DeviceModel
import HALTestKit
import Testing

@testable import Store

/// At the beginning of a session device and router agree on what each has: a number is never used twice, and what one
/// of them has lost is named.
@Suite(.timeLimit(.minutes(1))) struct AgreementTests {
    private let time = ManualTime()
    private let folder: StoreFolder

    init() throws {
        folder = try StoreFolder(time: time)
    }

    /// Stores readings in a run of its own, which ends in order.
    ///
    /// - Returns: The epoch.
    @discardableResult
    private func run(_ values: ClosedRange<Int>) async throws -> UInt64 {
        let store = try folder.open()
        let stored = try await store.append(Sample.readings(values, at: time), lost: [])
        try await store.finish()
        return try #require(stored.first).position.epoch
    }

    // MARK: Another store

    @Test("a router that is ahead: what this run has stored begins a new epoch, behind a gap that says why")
    func routerIsAhead() async throws {
        let old = try await run(1...2)
        time.advance(by: .seconds(60))
        let store = try folder.open()
        _ = try await store.append(Sample.readings(3...4, at: time), lost: [])
        _ = try await store.agree(with: [StreamReception(.telemetry, old, 1...500)])
        let waiting = try await store.waiting()
        #expect(waiting.values == [1, 2, 3, 4])
        #expect(waiting.sequences == [1, 2, 2, 3])
        let new = try #require(waiting.observations.last).position.epoch
        #expect(waiting.observations.map(\.position.epoch) == [old, old, new, new])
        #expect(new != old)
        let gap = Gap(
            stream: .telemetry, epoch: new, first: 1, last: 1, count: nil, reason: .storeReplaced,
            since: time.wall - .seconds(60), until: time.wall)
        #expect(waiting.gaps == [gap])
        let next = try #require(try await store.append(Sample.readings(5...5, at: time), lost: []).first).position
        #expect(next == StreamPosition(stream: .telemetry, epoch: new, sequence: 4))
        #expect(try await store.waiting(in: .events) == Waiting())
    }

    @Test("a router that knows more of an epoch of this run has it from another device with the same key")
    func copiedKey() async throws {
        let store = try folder.open()
        let first = try #require(try await store.append(Sample.readings(1...3, at: time), lost: []).first).position
        _ = try await store.agree(with: [StreamReception(.telemetry, first.epoch, 520...620)])
        let waiting = try await store.waiting()
        #expect(waiting.values == [1, 2, 3])
        #expect(waiting.sequences == [2, 3, 4])
        #expect(waiting.observations.allSatisfy { $0.position.epoch != first.epoch })
    }

    @Test("a router that has just the number that comes next is ahead; one that has the last one is not")
    func edge() async throws {
        for (last, isAhead) in [(3, false), (4, true)] as [(UInt64, Bool)] {
            let folder = try StoreFolder(time: time)
            do {
                let store = try folder.open()
                _ = try await store.append(Sample.readings(1...2, at: time), lost: [])
                try await store.finish()
            }
            let store = try folder.open()
            let third = try #require(try await store.append(Sample.readings(3...3, at: time), lost: []).first).position
            _ = try await store.agree(with: [StreamReception(.telemetry, third.epoch, last...last)])
            let now = try #require(try await store.waiting().observations.last).position
            #expect((now != third) == isAhead)
        }
    }

    @Test("a router that has last heard of an epoch that is unknown here: the same")
    func unknownEpoch() async throws {
        let old = try await run(1...2)
        let store = try folder.open()
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        _ = try await store.agree(
            with: [StreamReception(.telemetry, old, 1...2), StreamReception(.telemetry, old ^ 1, 1...1)])
        let waiting = try await store.waiting()
        #expect(waiting.sequences == [1, 2, 2])
        #expect(waiting.gaps.map(\.reason) == [.storeReplaced])
    }

    @Test("an unknown epoch before one that is known is the past of the router")
    func unknownEpochBefore() async throws {
        let old = try await run(1...2)
        let store = try folder.open()
        _ = try await store.agree(
            with: [StreamReception(.telemetry, old ^ 1, 1...9), StreamReception(.telemetry, old, 1...2)])
        #expect(try await store.waiting().gaps == [])
        let next = try #require(try await store.append(Sample.readings(3...3, at: time), lost: []).first).position
        #expect(next == StreamPosition(stream: .telemetry, epoch: old, sequence: 3))
    }

    @Test(
        "a fresh store and a router that knows an old epoch: one gap, in this run and the next",
        arguments: [true, false])
    func freshStore(isStoredBefore: Bool) async throws {
        let known = [StreamReception(.telemetry, 77, 1...9), StreamReception(.events, 78, 1...2)]
        do {
            let store = try folder.open()
            if isStoredBefore { _ = try await store.append(Sample.readings(1...3, at: time), lost: []) }
            for _ in 0..<2 { _ = try await store.agree(with: known) }
            if !isStoredBefore { _ = try await store.append(Sample.readings(1...3, at: time), lost: []) }
            try await store.finish()
        }
        let store = try folder.open()
        _ = try await store.agree(with: known)
        let (telemetry, events) = (try await store.waiting(), try await store.waiting(in: .events))
        #expect(telemetry.gaps.map(\.reason) == [.storeReplaced])
        #expect(events.gaps.map(\.reason) == [.storeReplaced])
        #expect(telemetry.values == [1, 2, 3])
        #expect(Set(telemetry.sequences + telemetry.gaps.map(\.first)) == [1, 2, 3, 4])
    }

    @Test("sessions that repeat change nothing, also where the first of them began a new epoch")
    func repeated() async throws {
        let old = try await run(1...2)
        let store = try folder.open()
        _ = try await store.append([Sample.reading(3, at: time), Sample.event("pressed", at: time)], lost: [])
        let known = [StreamReception(.telemetry, old, 1...500), StreamReception(.events, 5, 1...1)]
        let outlook = try await store.agree(with: known)
        let before = (try await store.waiting(), try await store.waiting(in: .events), await store.status())
        for _ in 0..<3 { #expect(try await store.agree(with: known) == outlook) }
        #expect(try await store.waiting() == before.0)
        #expect(try await store.waiting(in: .events) == before.1)
        #expect(await store.status() == before.2)
    }

    @Test("a router that knows nothing, or less than there is, changes nothing")
    func routerIsBehind() async throws {
        let old = try await run(1...3)
        for known in [[], [StreamReception(.telemetry, old, 1...1)], [StreamReception(.telemetry, old)]] {
            let store = try folder.open()
            _ = try await store.agree(with: known)
            let waiting = try await store.waiting()
            #expect(waiting.sequences == [1, 2, 3])
            #expect(waiting.gaps == [])
            #expect(waiting.observations.allSatisfy { $0.position.epoch == old })
            try await store.finish()
        }
    }

    // MARK: What waits

    @Test("the outlook says where what waits ends, and whether some of it is of an older epoch")
    func outlook() async throws {
        let old = try await run(1...2)
        let store = try folder.open()
        #expect(try await store.agree(with: [])[.events] == OutboxOutlook(end: .start))
        let before = try #require(try await store.agree(with: [])[.telemetry])
        #expect(!before.hasOlderEpochs)
        #expect(before.end.gap == 0)
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [Sample.loss(1)])
        let after = try #require(try await store.agree(with: [StreamReception(.telemetry, old, 1...9)])[.telemetry])
        #expect(after.hasOlderEpochs)
        #expect(after.end.row == before.end.row + 1)
        #expect(after.end.gap > 0)
        try await store.acknowledge(StreamReception(.telemetry, old, 1...2))
        let end = try #require(try await store.agree(with: [StreamReception(.telemetry, old, 1...9)])[.telemetry])
        #expect(!end.hasOlderEpochs)
    }

    // MARK: A router that has lost something

    @Test("what the router had acknowledged and does not have any more is a gap, with holes and all, once")
    func routerLost() async throws {
        let epoch = try await run(1...9)
        let store = try folder.open()
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...4, 6...7))
        for _ in 0..<3 { _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...2, 6...6)]) }
        let waiting = try await store.waiting()
        #expect(waiting.sequences == [5, 8, 9])
        #expect(waiting.gaps.map(\.numbers) == [3...4, 7...7])
        #expect(waiting.gaps.map(\.count) == [2, 1])
        #expect(waiting.gaps.allSatisfy { $0.reason == .routerLost })
        // Now it knows of these as well, and then loses everything.
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...9))
        #expect(try await store.waiting() == Waiting())
        for _ in 0..<2 { _ = try await store.agree(with: []) }
        let lost = try await store.waiting()
        #expect(SequenceRanges(lost.gaps.map(\.numbers)).ranges == [1...9])
        #expect(lost.gaps.compactMap(\.count).reduce(0, +) == 9)
        #expect(lost.sequences == [])
    }

    @Test("what was lost before is told again as it was, when the router has lost that as well")
    func toldAgain() async throws {
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(1...2, at: time), lost: [])
        }
        let store = try folder.open()  // 3: the run was cut off
        let stored = try await store.append(Sample.readings(3...3, at: time), lost: [Sample.loss(4)])  // 4...7, 8
        let before = try await store.waiting().gaps
        let epoch = stored[0].position.epoch
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...8))
        #expect(try await store.waiting() == Waiting())
        for _ in 0..<2 { _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...1)]) }
        let gaps = try await store.waiting().gaps
        #expect(Set(gaps).isSuperset(of: before))
        #expect(Set(gaps).subtracting(before).allSatisfy { $0.reason == .routerLost })
        #expect(SequenceRanges(gaps.map(\.numbers)).ranges == [2...8])
    }

    @Test("what the router has beyond what it had acknowledged is no loss")
    func acknowledgementsWereLost() async throws {
        let epoch = try await run(1...9)
        let store = try folder.open()
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...2))
        _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...7)])
        #expect(try await store.waiting().sequences == Array(3...9))
        #expect(try await store.waiting().gaps == [])
    }

    @Test("a router that tells as many ranges as it may has not lost what comes behind them")
    func manyRanges() async throws {
        let epoch = try await run(1...4_000)
        let store = try folder.open()
        let received = SequenceRanges(stride(from: 1, through: 4_000, by: 2).map { UInt64($0)...UInt64($0) })
        try await store.acknowledge(StreamReception(stream: .telemetry, epoch: epoch, received: received))
        for count in [999, 1_000] {
            let told = SequenceRanges(received.ranges.prefix(count))
            _ = try await store.agree(with: [StreamReception(stream: .telemetry, epoch: epoch, received: told)])
            let lost = try await store.waiting().gaps.filter { $0.reason == .routerLost }
            #expect(lost.isEmpty == (count == 1_000))
            try await store.acknowledge(StreamReception(stream: .telemetry, epoch: epoch, received: received))
        }
    }

    @Test("what the router lost of an epoch before the present one is named while something of that waits")
    func routerLostOlderEpoch() async throws {
        let old = try await run(1...4)
        let store = try folder.open()
        try await store.renumber(from: StreamPosition(stream: .telemetry, epoch: old, sequence: 4))
        try await store.acknowledge(StreamReception(.telemetry, old, 1...2))
        for _ in 0..<2 { _ = try await store.agree(with: []) }
        let gaps = try await store.waiting().gaps.filter { $0.reason == .routerLost }
        #expect(gaps.map(\.numbers) == [1...2])
        #expect(gaps.map(\.epoch) == [old])
    }

    @Test("what the router lost of an epoch of which nothing waits any more is named too")
    func routerLostClosedEpoch() async throws {
        let old = try await run(1...4)
        let store = try folder.open()
        try await store.renumber(from: StreamPosition(stream: .telemetry, epoch: old, sequence: 4))
        try await store.acknowledge(StreamReception(.telemetry, old, 1...3))
        _ = try await store.agree(with: [])
        let gaps = try await store.waiting().gaps.filter { $0.reason == .routerLost }
        #expect(gaps.map(\.numbers) == [1...3])
    }
}
