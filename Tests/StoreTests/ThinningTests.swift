import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A store that is thinned out keeps the first reading of each property in each interval, and the first of each change
/// of quality; the others go and are named, and only when no more can be thinned out the oldest of all.
@Suite(.timeLimit(.minutes(1))) struct ThinningTests {
    private let time = ManualTime(start: MonotonicTime(nanoseconds: 0))
    private let disk = SimulatedDisk()

    private func open(size: Int = 300_000) throws -> Store {
        try disk.open(size: size, whenFull: .thinOut(to: .seconds(10)), time: time)
    }

    /// Stores readings, a hundred at a time and one a second, of two properties in turn.
    private func fill(
        _ store: Store, hundreds: Int, quality: (Int) -> Quality = { _ in .good }
    ) async throws -> [RecordedObservation] {
        var all: [RecordedObservation] = []
        for _ in 0..<hundreds {
            let readings = (0..<100).map { number in
                time.advance(by: .seconds(1))
                return Sample.reading(
                    Double(all.count + number), of: number.isMultiple(of: 2) ? "even" : "odd",
                    quality: quality(all.count + number), at: time)
            }
            all += try await store.append(readings, lost: [])
        }
        return all
    }

    /// Those that stay of all that was looked at, by the rule as it is told.
    private func keepers(_ all: [RecordedObservation]) -> [UInt64] {
        var seen: [String: String] = [:]
        return all.compactMap { record in
            guard case .reading(let reading) = record.observation.content else { return nil }
            let mark = "\(record.observation.time.monotonic.nanoseconds / 10_000_000_000) \(reading.quality)"
            return seen.updateValue(mark, forKey: reading.property) == mark ? nil : record.position.sequence
        }
    }

    @Test("what stays are the first ones of each interval and of each change of quality; the others are named")
    func thinsOut() async throws {
        let store = try open()
        var generator = SeededGenerator(seed: 4)
        let all = try await fill(store, hundreds: 30) { _ in
            Int.random(in: 0..<20, using: &generator) > 0 ? .good : .stale
        }
        let waiting = try await store.waiting()
        let thinned = SequenceRanges(waiting.gaps.map(\.numbers))
        #expect(thinned.last > 900)
        let expected = keepers(all).filter { $0 <= thinned.last } + Array(thinned.last + 1...3_000)
        #expect(waiting.sequences == expected)
        #expect(thinned.count == UInt64(3_000 - expected.count))
        #expect(waiting.gaps.allSatisfy { $0.reason == .thinnedOut && $0.count == $0.last - $0.first + 1 })
        #expect(await store.status().dropped == Int(thinned.count))
        #expect(await store.status().kept == expected.count)
    }

    @Test("gaps say between which times they lie")
    func times() async throws {
        let store = try open()
        let all = try await fill(store, hundreds: 30)
        for gap in try await store.waiting().gaps {
            #expect(gap.since == all[Int(gap.first) - 1].observation.time.wall)
            #expect(gap.until == all[Int(gap.last) - 1].observation.time.wall)
        }
    }

    @Test("events are never thinned out")
    func events() async throws {
        let store = try open()
        for _ in 0..<30 {
            _ = try await store.append((0..<10).map { _ in Sample.event("pressed", at: time) }, lost: [])
            _ = try await fill(store, hundreds: 1)
        }
        let events = try await store.waiting(in: .events)
        #expect(events.observations.count == 300)
        #expect(events.gaps == [])
    }

    @Test("it goes on after a new start where it was")
    func newStart() async throws {
        var all: [RecordedObservation] = []
        for _ in 0..<6 {
            let store = try open()
            all += try await fill(store, hundreds: 10)
            try await store.finish()
        }
        let waiting = try await open().waiting()
        #expect(waiting.gaps.allSatisfy { $0.reason == .thinnedOut })
        let thinned = SequenceRanges(waiting.gaps.map(\.numbers))
        let left = Set(waiting.sequences)
        #expect(left.isSuperset(of: keepers(all)))
        // The first ones behind each new start may be kept once more.
        let expected = keepers(all).filter { $0 <= thinned.last }.count + 6_000 - Int(thinned.last)
        #expect((expected...expected + 12).contains(left.count))
        #expect(thinned.count + UInt64(left.count) == 6_000)
    }

    @Test("when all is thinned out, the oldest go")
    func thenTheOldest() async throws {
        let store = try open(size: 150_000)
        for number in 0..<3_000 {
            time.advance(by: .seconds(10))
            _ = try await store.append([Sample.reading(Double(number), at: time)], lost: [])
        }
        let waiting = try await store.waiting()
        let gap = try #require(waiting.gaps.first)
        #expect(waiting.gaps.count == 1)
        #expect(gap.reason == .storeFull)
        #expect(gap.first == 1)
        #expect(waiting.sequences == Array(gap.last + 1...3_000))
    }

    @Test("nothing goes that need not, where what can be thinned out stands behind much that can't")
    func behindMuch() async throws {
        var bytes = 0
        do {
            let store = try open(size: 67_108_864)
            for _ in 0..<50 {
                let readings = (0..<100).map { number in
                    time.advance(by: .seconds(10))
                    return Sample.reading(Double(number), at: time)
                }
                _ = try await store.append(readings, lost: [])
            }
            _ = try await fill(store, hundreds: 30)
            try await store.finish()
            bytes = await store.status().bytes
        }
        // Of the last 3 of 8 only one in five has to stay.
        let store = try open(size: bytes * 85 / 100)
        _ = try await fill(store, hundreds: 5)
        let waiting = try await store.waiting()
        #expect(waiting.gaps.contains { $0.reason == .thinnedOut })
        #expect(!waiting.gaps.contains { $0.reason == .storeFull })
    }

    // MARK: The rule by itself

    private let even = Thinning.Property(component: "climate", name: "even")
    private let odd = Thinning.Property(component: "climate", name: "odd")

    private static func second(_ second: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: second * 1_000_000_000) }

    @Test("one of each property in each interval, however they are mixed")
    func properties() {
        var thinning = Thinning()
        let kept = (0..<40).filter { second in
            thinning.keeps(
                second.isMultiple(of: 2) ? even : odd, boot: 1, at: Self.second(Int64(second)), quality: "good",
                interval: .seconds(10))
        }
        #expect(kept == [0, 1, 10, 11, 20, 21, 30, 31])
    }

    @Test("each change of quality, also back again, and each boot")
    func changes() {
        var thinning = Thinning()
        let qualities = ["good", "good", "failed", "failed", "good", "stale", "good", "good"]
        let kept = qualities.enumerated().map { index, quality in
            thinning.keeps(even, boot: 1, at: Self.second(Int64(index)), quality: quality, interval: .seconds(10))
        }
        #expect(kept == [true, false, true, false, true, true, true, false])
        let others: [(Thinning.Property, Int64)] = [(even, 8), (even, 9), (odd, 9)]
        let inAnotherBoot = others.map { property, second in
            thinning.keeps(property, boot: 2, at: Self.second(second), quality: "good", interval: .seconds(10))
        }
        #expect(inAnotherBoot == [true, false, true])
    }

    @Test("an interval of nothing keeps what was read at different times, and does no harm")
    func noInterval() {
        var thinning = Thinning()
        let kept = [1, 1, 2].map { second in
            thinning.keeps(even, boot: 1, at: Self.second(second), quality: "good", interval: .zero)
        }
        #expect(kept == [true, false, true])
    }
}
