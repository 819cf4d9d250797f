import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// What was lost before it could be stored has numbers all the same, and a gap that names it with its reason, its count
/// and its time.
@Suite(.timeLimit(.minutes(1))) struct GapTests {
    private let folder: StoreFolder
    private var time: ManualTime { folder.time }

    init() throws {
        folder = try StoreFolder()
    }

    @Test(
        "a loss has the numbers before those that were stored with it",
        arguments: [GapReason.diskTooSlow, .diskFailed])
    func loss(_ reason: GapReason) async throws {
        let store = try folder.open()
        let first = try await store.append(Sample.readings(1...1, at: time), lost: [])
        let epoch = try #require(first.first).position.epoch
        let (since, until) = (WallTime(nanoseconds: 17), WallTime(nanoseconds: 39))
        let stored = try await store.append(
            Sample.readings(2...2, at: time), lost: [Sample.loss(3, reason, from: since, to: until)])
        #expect(stored.first?.position.sequence == 5)
        let gap = Gap(
            stream: .telemetry, epoch: epoch, first: 2, last: 4, count: 3, reason: reason, since: since, until: until)
        #expect(try await store.waiting().gaps == [gap])
        #expect(try await store.waiting(in: .events) == Waiting())
    }

    @Test("whoever wants to know is told of gaps when they are written down, and when they grow, and of no other")
    func told() async throws {
        let told = Mailbox<[Gap]>(bound: 100, policy: .refuseNewest)
        func open(_ size: Int) throws -> Store {
            let bounds = Store.Bounds(size: size, age: .seconds(86_400), hasRouter: true)
            return try Store(path: folder.path, bounds: bounds, time: time, onLoss: { told.send($0) })
        }
        do {
            let store = try open(67_108_864)
            for _ in 0..<30 { _ = try await store.append(Sample.readings(1...100, at: time), lost: []) }
            #expect(told.count == 0)
            _ = try await store.append([], lost: [Sample.loss(3)])
            #expect(told.takeIfWaiting()?.map(\.numbers) == [3_001...3_003])
            #expect(try await !store.waiting().observations.isEmpty)
            #expect(told.count == 0)
        }
        // It did not end in order, and there is less room now.
        let store = try open(150_000)
        #expect(told.takeIfWaiting()?.map(\.reason) == [.uncleanStop, .uncleanStop])
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        _ = try await store.append(Sample.readings(1...100, at: time), lost: [])
        let (first, second) = (told.takeIfWaiting()?.first, told.takeIfWaiting()?.first)
        #expect(first?.reason == .storeFull)
        #expect(first?.first == 1)
        if let second { #expect(second.numbers.count >= first?.numbers.count ?? 0) }
        #expect(told.count == 0)
    }

    @Test("losses of both reasons and both streams are a gap each")
    func bothReasons() async throws {
        let store = try folder.open()
        let stored = try await store.append(
            [Sample.reading(1, at: time), Sample.event("pressed", at: time)],
            lost: [
                Sample.loss(2, of: .events, .diskFailed), Sample.loss(4, .diskFailed), Sample.loss(1, .diskTooSlow),
            ])
        #expect(stored.map(\.position.sequence) == [6, 3])
        let (telemetry, events) = (try await store.waiting().gaps, try await store.waiting(in: .events).gaps)
        #expect(telemetry.map(\.numbers) == [1...4, 5...5])
        #expect(telemetry.map(\.count) == [4, 1])
        #expect(telemetry.map(\.reason) == [.diskFailed, .diskTooSlow])
        #expect(events.map(\.numbers) == [1...2])
    }

    @Test("a loss of nothing is none, and one without anything to store is told too")
    func onlyLosses() async throws {
        let store = try folder.open()
        #expect(try await store.append([], lost: [Sample.loss(0)]) == [])
        #expect(try await store.waiting() == Waiting())
        #expect(try await store.append([], lost: [Sample.loss(7)]) == [])
        #expect(try await store.waiting().gaps.map(\.count) == [7])
        #expect(await store.status().kept == 0)
        let next = try await store.append(Sample.readings(1...1, at: time), lost: [])
        #expect(next.first?.position.sequence == 8)
    }

    @Test("gaps are there after a new start, and stand in the history where something is missing")
    func history() async throws {
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(1...2, at: time), lost: [])
            _ = try await store.append(
                Sample.readings(3...3, at: time), lost: [Sample.loss(4), Sample.loss(1, of: .events)])
            try await store.finish()
        }
        let store = try folder.open()
        func history(_ property: String?, limit: Int) async throws -> [String] {
            try await store.history(of: Sample.climate, property: property, since: nil, limit: limit).map {
                switch $0 {
                case .observation(let record): "\(record.position.sequence)"
                case .gap(let gap): "\(gap.stream) \(gap.first)-\(gap.last)"
                }
            }
        }
        #expect(try await history("temperature", limit: 10) == ["1", "2", "telemetry 3-6", "7"])
        #expect(try await history("temperature", limit: 2) == ["2", "telemetry 3-6", "7"])
        #expect(try await history("temperature", limit: 1) == ["7"])
        #expect(try await history(nil, limit: 10) == ["1", "2", "telemetry 3-6", "7", "events 1-1"])
    }

    @Test("what nobody can date stands in the history since a time, unless what is older comes behind it")
    func undatedSince() async throws {
        let store = try folder.open()
        let start = time.wall
        let unknown = Loss(stream: .telemetry, reason: .diskTooSlow, count: 2, since: nil, until: nil)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [unknown])  // 1...2, 3
        time.advance(by: .seconds(100))
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [unknown])  // 4...5, 6
        func gaps(since: Duration) async throws -> [ClosedRange<UInt64>] {
            try await store.history(of: Sample.climate, property: nil, since: start + since, limit: 10).compactMap {
                if case .gap(let gap) = $0 { gap.numbers } else { nil }
            }
        }
        #expect(try await gaps(since: .zero) == [1...2, 4...5])
        #expect(try await gaps(since: .seconds(50)) == [4...5])
        #expect(try await gaps(since: .seconds(101)) == [])
    }

    @Test("what was lost stands in the history since a time when it reaches into that time")
    func historySince() async throws {
        let store = try folder.open()
        let start = time.wall
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.advance(by: .seconds(100))
        _ = try await store.append([], lost: [Sample.loss(2, from: start, to: start + .seconds(50))])
        func gaps(since: Duration) async throws -> Int {
            try await store.history(of: Sample.climate, property: nil, since: start + since, limit: 10).count
        }
        #expect(try await gaps(since: .zero) == 2)
        #expect(try await gaps(since: .seconds(1)) == 1)
        #expect(try await gaps(since: .seconds(50)) == 1)
        #expect(try await gaps(since: .seconds(51)) == 0)
    }
}

/// A run that was cut off is told of in each stream, since what it had not stored yet is unknown; one that ended in
/// order is not.
@Suite(.timeLimit(.minutes(1))) struct RunEndTests {
    private let folder: StoreFolder
    private var time: ManualTime { folder.time }

    init() throws {
        folder = try StoreFolder()
    }

    @Test("a run that was cut off is a gap of unknown size in each stream, from the last commit to the new start")
    func cutOff() async throws {
        let committed = time.wall
        let epochs: [UInt64]
        do {
            let store = try folder.open()
            epochs = try await store.append([Sample.reading(1, at: time), Sample.event("pressed", at: time)], lost: [])
                .map(\.position.epoch)
        }
        time.advance(by: .seconds(60))
        let store = try folder.open()
        for (stream, epoch) in zip([StreamName.telemetry, .events], epochs) {
            let gap = Gap(
                stream: stream, epoch: epoch, first: 2, last: 2, count: nil, reason: .uncleanStop, since: committed,
                until: committed + .seconds(60))
            #expect(try await store.waiting(in: stream).gaps == [gap])
        }
        let next = try await store.append(Sample.readings(2...2, at: time), lost: [])
        #expect(next.first?.position.sequence == 3)
    }

    @Test("what was not committed came after the newest of all that was, of whatever stream")
    func sinceTheNewestCommit() async throws {
        do {
            let store = try folder.open()
            _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
            time.advance(by: .seconds(3_600))
            _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        }
        let store = try folder.open()
        for stream in StreamName.allCases {
            #expect(try await store.waiting(in: stream).gaps.map(\.since) == [time.wall])
        }
    }

    @Test("where nothing was ever stored, nobody knows since when")
    func nothingStored() async throws {
        do { _ = try folder.open() }
        let gaps = try await folder.open().waiting().gaps
        #expect(gaps.map(\.since) == [nil])
        #expect(gaps.map(\.until) == [time.wall])
    }

    @Test("after an end in order nothing is told, and the first run of all has none before it")
    func finished() async throws {
        for number in 1...3 {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [])
            try await store.finish()
        }
        let store = try folder.open()
        #expect(try await store.waiting().gaps == [])
        #expect(try await store.waiting().sequences == [1, 2, 3])
        #expect(try await store.waiting(in: .events) == Waiting())
    }

    @Test("each run that was cut off is told")
    func twice() async throws {
        for number in 1...3 {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [])
        }
        let waiting = try await folder.open().waiting()
        #expect(waiting.sequences == [1, 3, 5])
        #expect(waiting.gaps.map(\.numbers) == [2...2, 4...4, 6...6])
        #expect(waiting.gaps.allSatisfy { $0.count == nil && $0.reason == .uncleanStop })
    }

    @Test("a disk that failed for a moment is no end of a run")
    func failedForAMoment() async throws {
        let disk = SimulatedDisk()
        let store = try disk.open(time: time)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        disk.fail(at: 1)
        await #expect(throws: StoreError.self) { try await store.append(Sample.readings(2...2, at: time), lost: []) }
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        #expect(try await store.waiting().values == [1, 2])
        #expect(try await store.waiting().gaps == [])
        #expect(try await store.waiting(in: .events).gaps == [])
    }
}
