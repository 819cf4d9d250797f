import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// What is older than `store.keep` goes and is named; how old it is, clocks that jump can't change.
@Suite(.timeLimit(.minutes(1))) struct AgeTests {
    private let time = ManualTime()
    private let disk = SimulatedDisk()
    private static let tenYears: Duration = .seconds(10 * 365 * 86_400)

    private func open() throws -> Store { try disk.open(age: .seconds(60), time: time) }

    private func values(_ store: Store) async throws -> [Double?] { try await store.waiting().values }

    // MARK: In one boot

    @Test("what is too old goes with the next commit, and is named with its times")
    func tooOld() async throws {
        let store = try open()
        let start = time.wall
        _ = try await store.append(Sample.readings(1...2, at: time), lost: [])
        time.advance(by: .seconds(20))
        let third = try await store.append(Sample.readings(3...3, at: time), lost: [])
        time.advance(by: .seconds(41))
        _ = try await store.append(Sample.readings(4...4, at: time), lost: [])
        #expect(try await values(store) == [3, 4])
        let gap = Gap(
            stream: .telemetry, epoch: try #require(third.first).position.epoch, first: 1, last: 2, count: 2,
            reason: .tooOld, since: start, until: start)
        #expect(try await store.waiting().gaps == [gap])
        time.advance(by: .seconds(20))
        _ = try await store.append(Sample.readings(5...5, at: time), lost: [])
        let longer = Gap(
            stream: .telemetry, epoch: gap.epoch, first: 1, last: 3, count: 3, reason: .tooOld, since: start,
            until: start + .seconds(20))
        #expect(try await store.waiting().gaps == [longer])
        #expect(await store.status().dropped == 3)
        #expect(await store.status().kept == 2)
    }

    @Test("what the router has goes with what is too old, and is not named as missing")
    func arrived() async throws {
        let store = try open()
        let first = try await store.append(Sample.readings(1...4, at: time), lost: [])
        let epoch = try #require(first.first?.position.epoch)
        await store.noteArrival(of: StreamReception(.telemetry, epoch, 1...1, 3...3))
        time.advance(by: .seconds(61))
        _ = try await store.append(Sample.readings(5...5, at: time), lost: [])
        #expect(try await store.waiting().gaps.map(\.numbers) == [2...2, 4...4])
        #expect(await store.status().dropped == 2)
        #expect(await store.status().kept == 1)
    }

    @Test("events that wait for the router stay, however old they are; without one they go")
    func events() async throws {
        for hasRouter in [true, false] {
            let disk = SimulatedDisk()
            let store = try disk.open(age: .seconds(60), hasRouter: hasRouter, time: time)
            _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
            time.advance(by: .seconds(1_000))
            _ = try await store.append([Sample.reading(1, at: time)], lost: [])
            #expect(try await store.waiting(in: .events).observations.count == (hasRouter ? 1 : 0))
            #expect(try await store.waiting(in: .events).gaps == [])
        }
    }

    @Test("very much that is too old goes in several commits, and is one gap")
    func inPortions() async throws {
        let store = try open()
        for _ in 0..<30 { _ = try await store.append(Sample.readings(1...100, at: time), lost: [Sample.loss(1)]) }
        time.advance(by: .seconds(61))
        var kept: [Int] = []
        for number in 1...5 {
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [])
            kept.append(await store.status().kept)
        }
        #expect(kept == [2_001, 1_002, 3, 4, 5])
        let waiting = try await store.waiting()
        #expect(waiting.gaps.filter { $0.reason == .tooOld }.compactMap(\.count).reduce(0, +) == 3_000)
        #expect(waiting.gaps.filter { $0.reason == .diskTooSlow }.compactMap(\.count).reduce(0, +) == 30)
        #expect(SequenceRanges(waiting.gaps.map(\.numbers)).ranges == [1...3_030])
    }

    @Test("a wall clock that jumps ten years makes nothing older or younger", arguments: [tenYears, .zero - tenYears])
    func jump(_ jump: Duration) async throws {
        let store = try open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.advance(by: .seconds(20))
        time.setWall(time.wall + jump)
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        time.advance(by: .seconds(20))
        time.setWall(time.wall - jump)
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        #expect(try await values(store) == [1, 2, 3])
        time.advance(by: .seconds(21))
        _ = try await store.append(Sample.readings(4...4, at: time), lost: [])
        #expect(try await values(store) == [2, 3, 4])
        time.advance(by: .seconds(20))
        _ = try await store.append(Sample.readings(5...5, at: time), lost: [])
        #expect(try await values(store) == [3, 4, 5])
    }

    @Test("a clock that is not set does not keep anything for ever, and what it said makes nothing old")
    func unsynchronised() async throws {
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let store = try open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.setWall(WallTime(nanoseconds: 1_795_000_000_000_000_000))
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        #expect(try await values(store) == [1, 2])
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        time.advance(by: .seconds(61))
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        #expect(try await values(store) == [3])
    }

    // MARK: After another boot

    /// Two hours, so that a clock can be watched for one.
    private func openForLong(_ time: ManualTime) throws -> Store {
        try disk.open(age: .seconds(7_200), hasRouter: true, time: time)
    }

    /// Stores readings in a first boot, which ends in order.
    private func firstBoot(_ values: ClosedRange<Int>, _ clock: ManualTime) async throws {
        let store = try openForLong(clock)
        _ = try await store.append(Sample.readings(values, at: clock), lost: [])
        try await store.finish()
    }

    /// Stores a reading, and tells what is there then.
    private func values(_ store: Store, with new: Int, at time: ManualTime) async throws -> [Double?] {
        _ = try await store.append(Sample.readings(new...new, at: time), lost: [])
        return try await values(store)
    }

    @Test("what an earlier boot has stored ages by the wall clock, once that has been steady for an hour")
    func earlierBoot() async throws {
        try await firstBoot(1...2, time)
        let later = ManualTime(wall: time.wall + .seconds(10_000), boot: 2)
        let store = try openForLong(later)
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(3_599))
        #expect(try await values(store, with: 4, at: later) == [1, 2, 3, 4])
        later.advance(by: .seconds(1))
        #expect(try await values(store, with: 5, at: later) == [3, 4, 5])
    }

    @Test("what is younger stays, however long the clock was right")
    func youngFromEarlierBoot() async throws {
        try await firstBoot(1...2, time)
        let later = ManualTime(wall: time.wall + .seconds(3_000), boot: 2)
        let store = try openForLong(later)
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(4_200))
        #expect(try await values(store, with: 4, at: later) == [1, 2, 3, 4])
        later.advance(by: .seconds(1))
        #expect(try await values(store, with: 5, at: later) == [3, 4, 5])
    }

    @Test("what was stored before the clock was set ages by what it said when it was")
    func datedBoot() async throws {
        let right = time.wall
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let first = try openForLong(time)
        _ = try await first.append(Sample.readings(1...1, at: time), lost: [])
        time.advance(by: .seconds(10))
        time.setWall(right + .seconds(10))
        _ = try await first.append(Sample.readings(2...2, at: time), lost: [])
        try await first.finish()
        let later = ManualTime(wall: right + .seconds(3_000), boot: 2)
        let store = try openForLong(later)
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(4_201))
        #expect(try await values(store, with: 4, at: later) == [2, 3, 4])
    }

    @Test("a boot of which nobody knows when it was is kept, until what came behind it is too old")
    func unknownBoot() async throws {
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        try await firstBoot(1...1, time)
        let second = ManualTime(boot: 2)
        let store = try openForLong(second)
        #expect(try await values(store, with: 2, at: second) == [1, 2])
        second.advance(by: .seconds(7_000))
        #expect(try await values(store, with: 3, at: second) == [1, 2, 3])
        second.advance(by: .seconds(201))
        #expect(try await values(store, with: 4, at: second) == [3, 4])
    }

    @Test("a boot in 1970 takes nothing for old that an earlier boot has stored, until it knows the time")
    func bootIn1970() async throws {
        try await firstBoot(1...1, time)
        let later = ManualTime(wall: WallTime(nanoseconds: 0), boot: 2)
        later.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let store = try openForLong(later)
        later.advance(by: .seconds(5_000))
        #expect(try await values(store, with: 2, at: later) == [1, 2])
        later.setWall(time.wall + .seconds(8_000))
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(3_600))
        #expect(try await values(store, with: 4, at: later) == [2, 3, 4])
    }

    @Test("a jump of ten years takes nothing of an earlier boot with it", arguments: [tenYears, .zero - tenYears])
    func jumpAfterAnotherBoot(_ jump: Duration) async throws {
        try await firstBoot(1...2, time)
        let later = ManualTime(wall: time.wall + .seconds(5), boot: 2)
        let store = try openForLong(later)
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(3_600))
        later.setWall(later.wall + jump)
        #expect(try await values(store, with: 4, at: later) == [1, 2, 3, 4])
        later.advance(by: .seconds(1_000))
        #expect(try await values(store, with: 5, at: later) == [1, 2, 3, 4, 5])
        later.setWall(later.wall - jump)
        #expect(try await values(store, with: 6, at: later) == [1, 2, 3, 4, 5, 6])
        later.advance(by: .seconds(2_500))
        #expect(try await values(store, with: 7, at: later) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test("nor does a new start of the agent while the clock is wrong")
    func startWhileTheClockIsWrong() async throws {
        try await firstBoot(1...2, time)
        let later = ManualTime(wall: time.wall + .seconds(5), boot: 2)
        do {
            let store = try openForLong(later)
            later.advance(by: .seconds(3_600))
            #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
            later.setWall(later.wall + Self.tenYears)
            #expect(try await values(store, with: 4, at: later) == [1, 2, 3, 4])
            try await store.finish()
        }
        let store = try openForLong(later)
        #expect(try await values(store, with: 5, at: later) == [1, 2, 3, 4, 5])
    }

    @Test("nor does another boot, after one in which the clock was ten years behind for a while")
    func bootAfterAJump() async throws {
        let first = try openForLong(time)
        let right = time.wall
        time.setWall(right - Self.tenYears)
        _ = try await first.append(Sample.readings(1...1, at: time), lost: [])
        time.setWall(right)
        _ = try await first.append(Sample.readings(2...2, at: time), lost: [])
        try await first.finish()
        let later = ManualTime(wall: right + .seconds(5), boot: 2)
        let store = try openForLong(later)
        #expect(try await values(store, with: 3, at: later) == [1, 2, 3])
        later.advance(by: .seconds(3_600))
        #expect(try await values(store, with: 4, at: later) == [1, 2, 3, 4])
    }

    @Test("a clock at the ends of its scale does no harm", arguments: [Int64.min, .max])
    func endsOfTheScale(_ nanoseconds: Int64) async throws {
        try await firstBoot(1...1, time)
        let later = ManualTime(wall: WallTime(nanoseconds: 0), boot: 2)
        let store = try openForLong(later)
        for isSynchronised in [true, false, true] {
            let timestamp = Timestamp(
                boot: later.boot, monotonic: later.now, wall: WallTime(nanoseconds: nanoseconds),
                isSynchronised: isSynchronised)
            let reading = Sample.reading(2, at: later).content
            _ = try await store.append([Observation(time: timestamp, content: reading)], lost: [])
        }
        #expect(try await store.history(of: Sample.climate, property: nil, since: nil, limit: 10).count == 4)
    }
}
