import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: gaps name exactly what is missing: nothing that is here, nothing twice, and nothing any more that came late.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreGapsTests {
    private let time = ManualTime()
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: time)
    }

    private func counted(_ numbers: ClosedRange<UInt64>, _ reason: GapReason = .storeFull) -> Gap {
        Gap(
            numbers, of: .telemetry, epoch: Sample.epoch, reason: reason, since: Sample.wall(numbers.lowerBound),
            until: Sample.wall(numbers.upperBound))
    }

    /// The gaps that are stored.
    private func gaps(of device: RouterStore.Device) async throws -> [Gap] {
        let place = RouterStore.Place(device: device.row, stream: .telemetry, epoch: Sample.epoch)
        return try await store.database.read { db in
            try RouterStore.gaps(db, place, RouterStore.GapSelection(behind: 0), limit: 1_000)
        }
    }

    // MARK: What is missing

    @Test("A gap comes back as it was named: how much, why, and from when until when")
    func whole() async throws {
        let device = try await store.newDevice()
        let named = [
            counted(1...4, .thinnedOut),
            Sample.unknownGap(5...5, since: Sample.wall(4), until: Sample.wall(9)), Sample.unknownGap(6...6),
            Gap(stream: .telemetry, epoch: Sample.epoch, first: 7, last: 7, count: 400, reason: .diskTooSlow),
        ]
        #expect(try await store.ingest(Sample.batch(gaps: named), from: device).gaps == named)
        #expect(try await gaps(of: device) == named)
    }

    @Test("A gap that names what is here is cut down to what is really missing, and told as such")
    func cut() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([3, 4, 8].map { Sample.reading($0) }), from: device)
        var (first, second, third) = (counted(2...9), counted(2...9), counted(2...9))
        (first.last, first.count) = (2, 1)
        (second.first, second.last, second.count) = (5, 7, 3)
        (third.first, third.count) = (9, 1)
        let ingested = try await store.ingest(Sample.batch(gaps: [counted(2...9)]), from: device)
        #expect(ingested.gaps == [first, second, third])
        #expect(try await gaps(of: device) == [first, second, third])
        #expect(ingested.reception == Sample.reception(through: 0, [2...9]))
    }

    @Test("A gap that names observations of its own batch is cut down to the others")
    func cutWithin() async throws {
        let device = try await store.newDevice()
        let ingested = try await store.ingest(Sample.batch(gaps: [counted(1...4)], observed: [1, 3]), from: device)
        #expect(ingested.new.map(\.position.sequence) == [1, 3])
        #expect(ingested.gaps.map(\.numbers) == [2...2, 4...4])
        #expect(ingested.gaps.map(\.count) == [1, 1])
    }

    @Test("A gap all of whose numbers are here names nothing")
    func nothingMissing() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...5)), from: device)
        #expect(try await store.ingest(Sample.batch(gaps: [counted(2...4)]), from: device).gaps.isEmpty)
        #expect(try await store.count("gaps") == 0)
    }

    @Test("A count that can't be divided is not known of the pieces")
    func odd() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(gaps: [counted(12...12)]), from: device)
        var odd = counted(11...13)
        odd.count = 500
        let ingested = try await store.ingest(Sample.batch(gaps: [odd]), from: device)
        #expect(ingested.gaps.map(\.numbers) == [11...11, 13...13])
        #expect(ingested.gaps.allSatisfy { $0.count == nil })
    }

    // MARK: Again, and longer

    @Test("The same gap again is nothing new")
    func again() async throws {
        let device = try await store.newDevice()
        let batch = Sample.batch(gaps: [counted(2...9), Sample.unknownGap(12...12)])
        #expect(try await store.ingest(batch, from: device).gaps.count == 2)
        #expect(try await store.ingest(batch, from: device).gaps.isEmpty)
        #expect(try await store.count("gaps") == 2)
        // Also where it comes again for another reason: what was said first counts.
        #expect(try await store.ingest(Sample.batch(gaps: [counted(3...4, .routerLost)]), from: device).gaps.isEmpty)
        #expect(try await gaps(of: device).map(\.reason) == [.storeFull, .uncleanStop])
    }

    @Test("Of a gap that has grown only the rest is new, on either side")
    func longer() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(gaps: [counted(5...6)]), from: device)
        let ingested = try await store.ingest(Sample.batch(gaps: [counted(3...9)]), from: device)
        #expect(ingested.gaps.map(\.numbers) == [3...4, 7...9])
        #expect(try await gaps(of: device).map(\.numbers) == [3...4, 5...6, 7...9])
        #expect(try await store.losses(of: device.owner)[device.row] == DeviceLosses(missing: 7))
    }

    @Test("Gaps of one batch that overlap name each number once")
    func overlapping() async throws {
        let device = try await store.newDevice()
        let ingested = try await store.ingest(Sample.batch(gaps: [counted(1...5), counted(4...8)]), from: device)
        #expect(ingested.gaps.map(\.numbers) == [1...5, 6...8])
        #expect(ingested.reception == Sample.reception(through: 8))
    }

    // MARK: Late

    @Test(
        "An observation that comes after its number was named as missing is stored, and the gap shrinks",
        arguments: [
            (5, [6...9]), (7, [5...6, 8...9]), (9, [5...8]),
        ] as [(UInt64, [ClosedRange<UInt64>])])
    func late(_ number: UInt64, _ left: [ClosedRange<UInt64>]) async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(gaps: [counted(5...9)]), from: device)
        let ingested = try await store.ingest(Sample.batch([Sample.reading(number)]), from: device)
        #expect(ingested.new.map(\.position.sequence) == [number])
        #expect(ingested.reception == Sample.reception(through: 0, [5...9]))
        let gaps = try await gaps(of: device)
        #expect(gaps.map(\.numbers) == left)
        #expect(gaps.map(\.count) == left.map { $0.upperBound - $0.lowerBound + 1 })
        #expect(gaps.allSatisfy { $0.reason == .storeFull && $0.since == Sample.wall(5) })
        // It is here now: a gap that names it again has no say.
        #expect(try await store.ingest(Sample.batch(gaps: [counted(5...9)]), from: device).gaps.isEmpty)
    }

    @Test("When all that a gap has named has come, it is gone")
    func allLate() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(gaps: [counted(1...3), counted(4...4)]), from: device)
        _ = try await store.ingest(Sample.batch(Sample.readings(1...4)), from: device)
        #expect(try await store.count("gaps") == 0)
        #expect(try await store.losses(of: device.owner).isEmpty)
    }

    // MARK: Losses

    @Test("What is missing is summed up for each device, what nobody could count apart")
    func losses() async throws {
        let (first, second) = (try await store.newDevice(), try await store.newDevice("attic", key: 2))
        let none = try await store.newDevice("cellar", key: 3)
        _ = try await store.ingest(Sample.batch(gaps: [counted(1...10), Sample.unknownGap(11...11)]), from: first)
        _ = try await store.ingest(Sample.batch(gaps: [counted(20...24), Sample.unknownGap(30...39)]), from: first)
        _ = try await store.ingest(Sample.batch([], stream: .events, gaps: [1...2]), from: first)
        _ = try await store.ingest(Sample.batch(gaps: [counted(1...1)]), from: second)
        let losses = try await store.losses(of: first.owner)
        #expect(
            losses == [first.row: DeviceLosses(missing: 17, unknown: 2), second.row: DeviceLosses(missing: 1)])
        #expect(losses[none.row] == nil)
        #expect(try await store.losses(of: first.owner, device: second.row) == [second.row: losses[second.row]])
    }

    @Test("Somebody else's losses are not told, and what goes with a device is not counted any more")
    func othersLosses() async throws {
        let device = try await store.newDevice()
        let bob = try await store.addOwner("bob")
        _ = try await store.ingest(Sample.batch(gaps: [counted(1...10)]), from: device)
        #expect(try await store.losses(of: bob).isEmpty)
        #expect(try await store.losses(of: bob, device: device.row).isEmpty)
        #expect(try await store.removeAccount("ada"))
        #expect(try await store.count("gaps") == 0)
        #expect(try await store.count("received") == 0)
    }

    @Test("Counts that no store could hold end nothing")
    func absurdCounts() async throws {
        let device = try await store.newDevice()
        let gaps = (1...3).map { number in
            Gap(
                stream: .telemetry, epoch: Sample.epoch, first: number, last: number, count: .max, reason: .storeFull)
        }
        _ = try await store.ingest(Sample.batch(gaps: gaps), from: device)
        #expect(try await store.losses(of: device.owner)[device.row]?.missing == UInt64(Int64.max))
    }

    // MARK: The same number with another content

    @Test("A number that comes again with another content is counted, each time, and shown with its device")
    func conflicts() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...2)), from: device)
        for number: UInt64 in [1, 2, 2] {
            time.advance(by: .seconds(1))
            let other = Sample.batch([Sample.reading(number, .text("another"))])
            await #expect(throws: NumberConflict.self) { try await store.ingest(other, from: device) }
        }
        #expect(try await store.losses(of: device.owner)[device.row] == DeviceLosses(conflicts: 3))
        let twice = try await store.database.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT lastSeen - firstSeen FROM conflicts WHERE sequence = 2 AND times = 2")
        }
        #expect(twice == [1_000_000_000])
    }

    @Test("A number that stands for what nobody knows is taken: neither an observation nor another gap can have it")
    func taken() async throws {
        let device = try await store.newDevice()
        let unknown = Sample.unknownGap(3...3, until: Sample.wall(3))
        _ = try await store.ingest(Sample.batch(gaps: [unknown, counted(5...6)], observed: [1, 2]), from: device)
        #expect(try await store.clash(Sample.batch(gaps: [unknown]), from: device) == nil)
        #expect(try await store.clash(Sample.batch(Sample.readings(2...4)), from: device) == 3)
        let others = [
            Sample.unknownGap(3...3, until: Sample.wall(4)), Sample.unknownGap(2...2), Sample.unknownGap(5...5),
        ]
        for other in others {
            #expect(try await store.clash(Sample.batch(gaps: [other]), from: device) == other.first)
        }
        // What is known to be missing there is not new, but no mistake either.
        #expect(try await store.clash(Sample.batch(gaps: [counted(3...4)]), from: device) == nil)
        #expect(try await gaps(of: device).map(\.numbers) == [3...3, 4...4, 5...6])
        #expect(try await store.count("observations") == 2)
        #expect(try await store.losses(of: device.owner)[device.row]?.conflicts == 4)
    }

    @Test("Of several numbers that are taken the lowest is named")
    func lowest() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(1...6)), from: device)
        let gaps = [Sample.unknownGap(5...5), Sample.unknownGap(3...3)]
        #expect(try await store.clash(Sample.batch(gaps: gaps, observed: [1, 6, 7]), from: device) == 3)
        var wrong = Sample.batch(gaps: gaps)
        wrong.items = [Sample.reading(2, .text("another"))]
        #expect(try await store.clash(wrong, from: device) == 2)
        #expect(try await store.receptions(of: device) == [Sample.reception(through: 6)])
    }

    @Test("A device that is not known any more makes no alarm")
    func removed() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch([Sample.reading(1)]), from: device)
        #expect(try await store.removeAccount("ada"))
        let position = StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 1)
        try await store.note(NumberConflict(device: device.name, position: position), of: device)
        #expect(try await store.count("conflicts") == 0)
    }
}
