import DeviceManager
import DeviceModel
import HALTestKit
import Testing

@testable import Store

/// What was observed before the clock was right is dated once it is: in what goes up by the clock offset of its batch,
/// and in the history.
@Suite(.timeLimit(.minutes(1))) struct DatingTests {
    private let folder: StoreFolder
    /// A clock that begins in 1970, as that of a device without a battery does.
    private let time = ManualTime(wall: WallTime(nanoseconds: 1_000_000_000))
    private static let right = WallTime(nanoseconds: 1_800_000_000_000_000_000)
    private static let tenYears: Duration = .seconds(10 * 365 * 86_400)

    init() throws {
        folder = try StoreFolder(time: time)
        time.setWall(WallTime(nanoseconds: 1_000_000_000), isSynchronised: false)
    }

    /// By how much the wall clock is ahead of the device's own, once it is right.
    private var offset: Duration { .nanoseconds(Self.right.nanoseconds) - .nanoseconds(time.now.nanoseconds) }

    private func offsets(_ store: Store) async throws -> [Duration?] {
        var (offsets, span): ([Duration?], OutboxSpan) = ([], OutboxSpan(after: .start))
        while let batch = try await store.batch(of: .telemetry, in: span, limit: 100) {
            offsets.append(batch.clockOffset)
            span.start = batch.end
        }
        return offsets
    }

    private func history(_ store: Store, since: WallTime? = nil) async throws -> [Observation] {
        try await store.history(of: Sample.climate, property: "temperature", since: since, limit: 100).compactMap {
            if case .observation(let record) = $0 { record.observation } else { nil }
        }
    }

    @Test("a batch has no offset until the clock is right, and then what was stored before has it too")
    func clockOffset() async throws {
        let store = try folder.open()
        let stored = try await store.append(Sample.readings(1...1, at: time), lost: [])
        #expect(try await offsets(store) == [nil])
        let offset = offset
        time.setWall(Self.right)
        time.advance(by: .seconds(5))
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        #expect(try await offsets(store) == [offset])
        // What is sent is what was observed; the router dates it by the offset.
        #expect(try await store.waiting().observations.first == stored.first)
    }

    @Test("an event tells the time as well as a reading")
    func eventTellsTheTime() async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        let offset = offset
        time.setWall(Self.right)
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [])
        #expect(try await offsets(store) == [offset])
    }

    @Test("the offset is that of the boot, and is known after a new start and in the next boot")
    func eachBoot() async throws {
        let offset = offset
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
            time.setWall(Self.right)
            _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
            try await store.finish()
        }
        #expect(try await offsets(try folder.open()) == [offset])
        let later = ManualTime(boot: 2)
        later.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let store = try folder.open(time: later)
        _ = try await store.append(Sample.readings(3...3, at: later), lost: [])
        #expect(try await offsets(store) == [offset, nil])
    }

    @Test("the history dates what was observed before the clock was right, and says that it is dated")
    func history() async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.advance(by: .seconds(10))
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        #expect(try await history(store).map(\.time.isSynchronised) == [false, false])
        #expect(try await history(store).map(\.time.wall.nanoseconds) == [1_000_000_000, 11_000_000_000])
        time.advance(by: .seconds(20))
        time.setWall(Self.right)
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        let dated = try await history(store)
        #expect(dated.map(\.time.wall) == [Self.right - .seconds(30), Self.right - .seconds(20), Self.right])
        #expect(dated.map(\.time.isSynchronised) == [true, true, true])
    }

    @Test("the history since a time is that by the dated time")
    func historySince() async throws {
        let store = try folder.open()
        for number in 1...3 {
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [])
            time.advance(by: .seconds(10))
        }
        time.setWall(Self.right)
        _ = try await store.append(Sample.readings(4...4, at: time), lost: [])
        func values(_ ago: Duration) async throws -> [Double?] {
            try await history(store, since: Self.right - ago).map(\.number)
        }
        #expect(try await values(.seconds(30)) == [1, 2, 3, 4])
        #expect(try await values(.seconds(29)) == [2, 3, 4])
        #expect(try await values(.seconds(10)) == [3, 4])
        #expect(try await values(.seconds(9)) == [4])
    }

    @Test(
        "after the clock has jumped there and back, what was not dated before is dated by what is right",
        arguments: [tenYears, .zero - tenYears])
    func jump(_ jump: Duration) async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.advance(by: .seconds(10))
        time.setWall(Self.right + jump)
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        time.advance(by: .seconds(10))
        time.setWall(Self.right + .seconds(10))
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        #expect(try await offsets(store) == [offset - .seconds(-10)])
        let walls = try await history(store).map(\.time.wall)
        #expect(walls[0] == Self.right - .seconds(10))
        #expect(walls[2] == Self.right + .seconds(10))
    }

    @Test("a clock that is set a little, again and again, moves the dates along", arguments: [1, 99, 101, 5_000])
    func smallSteps(milliseconds: Int64) async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [])
        time.setWall(Self.right)
        let offset = offset
        _ = try await store.append(Sample.readings(2...2, at: time), lost: [])
        time.setWall(Self.right + .milliseconds(milliseconds))
        _ = try await store.append(Sample.readings(3...3, at: time), lost: [])
        let moved = try #require(try await offsets(store).first ?? nil) - offset
        #expect(moved == (milliseconds > 100 ? .milliseconds(milliseconds) : .zero))
    }

    @Test("the newest are given, oldest first, of one property or of all")
    func limits() async throws {
        time.setWall(Self.right)
        let store = try folder.open()
        for number in 1...5 {
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [])
            time.advance(by: .seconds(10))
        }
        _ = try await store.append(
            [Sample.event("pressed", at: time), Sample.result("a", .done, at: time)], lost: [])
        func values(_ property: String?, limit: Int = 100) async throws -> [Double?] {
            try await store.history(of: Sample.climate, property: property, since: nil, limit: limit).map {
                if case .observation(let record) = $0 { record.observation.number } else { nil }
            }
        }
        #expect(try await values("temperature") == [1, 2, 3, 4, 5])
        #expect(try await values("temperature", limit: 2) == [4, 5])
        #expect(try await values(nil, limit: 3) == [4, 5, nil])
        #expect(try await values(nil) == [1, 2, 3, 4, 5, nil])
        #expect(try await values("pressure") == [])
        let results = try await store.history(of: Sample.heater, property: nil, since: nil, limit: 10)
        #expect(results.count == 1)
    }
}
