import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A store that is too big lets the oldest readings go and names them; events go only when no reading is left.
@Suite(.timeLimit(.minutes(1))) struct BoundsTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()

    /// Stores readings, a hundred at a time and a second apart.
    private func fill(_ store: Store, hundreds: Int) async throws {
        for _ in 0..<hundreds {
            _ = try await store.append(Sample.readings(1...100, at: time), lost: [])
            time.advance(by: .seconds(1))
        }
    }

    @Test("the oldest readings go and are one gap, with their count and their times; events stay")
    func dropsOldest() async throws {
        let store = try disk.open(size: 300_000, time: time)
        let start = time.wall
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
        try await fill(store, hundreds: 100)
        let (waiting, status) = (try await store.waiting(), await store.status())
        let gap = try #require(waiting.gaps.first)
        #expect(waiting.gaps.count == 1)
        #expect(gap.first == 1)
        #expect(gap.last + 1 == waiting.sequences.first)
        #expect(waiting.sequences.last == 10_000)
        #expect(gap.count == gap.last)
        #expect(gap.reason == .storeFull)
        #expect(gap.since == start)
        #expect(gap.until == start + .seconds(Int64(gap.last) / 100 - 1))
        #expect(status.dropped == Int(gap.last))
        #expect(status.kept == waiting.observations.count + 1)
        #expect(status.kept > 500)
        #expect(try await store.waiting(in: .events).observations.count == 1)
    }

    @Test("what the router has goes before anything is missed, also where that was not written down yet")
    func arrivedFirst() async throws {
        let store = try disk.open(size: 300_000, time: time)
        var epoch: UInt64 = 0
        for number in 1...100 {
            let stored = try await store.append(Sample.readings(1...100, at: time), lost: [])
            epoch = try #require(stored.first?.position.epoch)
            let arrived = UInt64(number * 100 - 99)...UInt64(number * 100)
            await store.noteArrival(of: StreamReception(.telemetry, epoch, arrived))
        }
        #expect(try await store.waiting().gaps == [])
        var status = await store.status()
        #expect(status.dropped == 0)
        #expect(status.kept < 3_000)
        #expect(try await store.waiting().observations.count == status.kept)
        // What is left of it is known, too.
        try await store.acknowledge(StreamReception(.telemetry, epoch, 1...10_000))
        status = await store.status()
        #expect(status.kept == 0)
        let known = StreamReception(.telemetry, epoch, 1...10_000)
        _ = try await store.agree(with: [known])
        #expect(try await store.waiting().gaps == [])
    }

    @Test("what is noted in one session says nothing in the next: the router may have lost it since")
    func noted() async throws {
        let store = try disk.open(size: 300_000, time: time)
        let stored = try await store.append(Sample.readings(1...100, at: time), lost: [])
        let epoch = try #require(stored.first?.position.epoch)
        await store.noteArrival(of: StreamReception(.telemetry, epoch, 1...100))
        _ = try await store.agree(with: [])
        try await fill(store, hundreds: 100)
        #expect(try await store.waiting().gaps.first?.first == 1)
    }

    @Test("the database grows by no more than one commit beyond its bound")
    func bound() async throws {
        let store = try disk.open(size: 300_000, time: time)
        for _ in 0..<100 {
            try await fill(store, hundreds: 1)
            #expect(await store.status().bytes < 330_000)
        }
    }

    @Test("with less room than before, readings go in several commits")
    func smallerBound() async throws {
        do {
            let store = try disk.open(time: time)
            try await fill(store, hundreds: 100)
            try await store.finish()
        }
        let store = try disk.open(size: 150_000, time: time)
        var kept = [await store.status().kept]
        for _ in 0..<5 {
            try await fill(store, hundreds: 1)
            kept.append(await store.status().kept)
        }
        #expect(kept.prefix(3) == [10_000, 6_100, 2_200])
        #expect(try await store.waiting().gaps.map(\.numbers) == [1...UInt64(10_500 - kept[5])])
    }

    @Test("events stay while a reading is left, and then the oldest of them go and are named")
    func lastResort() async throws {
        let store = try disk.open(size: 200_000, time: time)
        try await fill(store, hundreds: 2)
        for number in 0..<40 {
            let events = (0..<100).map { Sample.event("pressed \($0)", at: time) }
            _ = try await store.append(events, lost: [])
            guard try await store.waiting(in: .events).gaps != [] else { continue }
            #expect(number > 3, "there is room for some hundred events")
            #expect(try await store.waiting().observations == [])
            #expect(try await store.waiting().gaps.map(\.numbers) == [1...200])
            break
        }
        let events = try await store.waiting(in: .events)
        let gap = try #require(events.gaps.first)
        #expect(events.gaps.count == 1)
        #expect(gap.reason == .storeFull)
        #expect(gap.numbers == 1...1_000)
        #expect(events.sequences.first == 1_001)
        #expect(await store.status().dropped == 1_200)
    }

    @Test("without a router the oldest of everything goes once it is too old, and nothing of this is named")
    func ring() async throws {
        let store = try disk.open(size: 300_000, age: .seconds(60), hasRouter: false, time: time)
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
        try await fill(store, hundreds: 60)
        #expect(try await store.waiting(in: .events).observations.count == 1)
        time.advance(by: .seconds(1))
        try await fill(store, hundreds: 1)
        #expect(try await store.waiting(in: .events) == Waiting())
        let waiting = try await store.waiting()
        #expect(waiting.gaps == [])
        #expect(waiting.sequences.last == 6_100)
        #expect(await store.status().dropped == 6_101 - waiting.observations.count)
    }

    @Test("without a router, gaps that are older than all that is left go too")
    func ringForgetsGaps() async throws {
        for _ in 0..<50 {
            // Each start after a run that was cut off is a gap.
            let store = try disk.open(age: .seconds(60), hasRouter: false, time: time)
            _ = try await store.append(
                [Sample.reading(1, at: time), Sample.event("pressed", at: time)],
                lost: [Sample.loss(2), Sample.loss(1, of: .events)])
            time.advance(by: .seconds(30))
        }
        let store = try disk.open(age: .seconds(60), hasRouter: false, time: time)
        for stream in StreamName.allCases {
            let waiting = try await store.waiting(in: stream)
            #expect((2...3).contains(waiting.observations.count))
            #expect(waiting.gaps.allSatisfy { $0.last > waiting.sequences[0] })
        }
    }

    @Test("what went before there was a router is named when there is one, once")
    func noRouterYet() async throws {
        do {
            let store = try disk.open(size: 200_000, hasRouter: false, time: time)
            for number in 0..<35 {
                _ = try await store.append(
                    Sample.readings((number * 100 + 1)...(number * 100 + 100), at: time), lost: [])
            }
            try await store.finish()
        }
        for _ in 0..<2 {
            let store = try disk.open(time: time)
            let waiting = try await store.waiting()
            let first = try #require(waiting.sequences.first)
            #expect(first > 1)
            #expect(waiting.gaps.map(\.numbers) == [1...first - 1])
            #expect(waiting.gaps.map(\.reason) == [.noRouter])
            #expect(waiting.sequences == Array(first...3_500))
            try await store.finish()
        }
    }

    @Test("what goes is told with the right times, also where the clock was wrong; and with none where nobody knows")
    func datesOfWhatWent() async throws {
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let store = try disk.open(size: 200_000, time: time)
        func fill() async throws {
            for _ in 0..<20 { _ = try await store.append(Sample.readings(1...100, at: time), lost: []) }
        }
        try await fill()
        #expect(try await store.waiting().gaps.map(\.since) == [nil])
        #expect(try await store.waiting().gaps.map(\.until) == [nil])
        let right = WallTime(nanoseconds: 1_800_000_000_000_000_000)
        time.setWall(right, isSynchronised: true)
        try await fill()
        // What went first could not be dated then.
        #expect(try await store.waiting().gaps.map(\.until) == [right])
    }

    @Test("losses that go on for long do not pile up: there are hardly more gaps than observations between them")
    func lossesDoNotPileUp() async throws {
        let store = try disk.open(size: 200_000, time: time)
        for number in 1...1_500 {
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [Sample.loss(1)])
        }
        let waiting = try await store.waiting()
        #expect(SequenceRanges(waiting.gaps.map(\.numbers)).count == UInt64(3_000 - waiting.observations.count))
        // Besides the ones between observations there are those that are not so many yet that they were joined.
        #expect(waiting.gaps.count <= waiting.observations.count + 1 + 201)
    }
}
