import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// What is new goes before what has waited, events before readings, no faster than is allowed, and each batch makes room
/// for the next one only when the router has answered it.
@Suite struct UplinkTests {
    // MARK: Order

    @Test("What is new goes before what has waited, and events before readings") func order() {
        let test = UplinkUnderTest()
        let end = UplinkUnderTest.end
        #expect(
            test.loads() == [
                Uplink.Load(stream: .events, lane: .live, span: OutboxSpan(after: end)),
                Uplink.Load(stream: .telemetry, lane: .live, span: OutboxSpan(after: end)),
                Uplink.Load(stream: .events, lane: .backlog, span: OutboxSpan(after: .start, through: end)),
                Uplink.Load(stream: .telemetry, lane: .backlog, span: OutboxSpan(after: .start, through: end)),
            ])
        #expect(test.loads() == [])
        test.uplink.stored()
        #expect(test.loads().map(\.lane) == [.live, .live])
    }

    @Test("What comes while a backlog goes up goes between two of its batches") func between() {
        let test = UplinkUnderTest()
        let batch = SessionUnderTest.batch(from: 1)
        #expect(test.fetch(batch, .backlog))
        test.uplink.stored()
        #expect(test.fetch(SessionUnderTest.batch(.events, from: 1)))
        #expect(test.fetch(SessionUnderTest.batch(from: 101)))
        let rest = OutboxSpan(after: batch.end, through: UplinkUnderTest.end)
        #expect(test.loads().last == Uplink.Load(stream: .telemetry, lane: .backlog, span: rest))
    }

    @Test("Before device and router have agreed nothing is fetched") func beforeAgreement() {
        var uplink = Uplink(backlogRate: 100, now: UplinkUnderTest.start)
        uplink.stored()
        #expect(uplink.next(at: UplinkUnderTest.start) == nil)
        #expect(uplink.deadline == nil)
    }

    @Test("One thing is fetched at a time, and what is stored meanwhile is looked for afterwards") func oneLoad() throws
    {
        let test = UplinkUnderTest()
        let load = try #require(test.load())
        test.uplink.stored()
        test.acknowledge(1...1_000)
        #expect(test.load() == nil)
        test.now = test.now + .seconds(60)
        #expect(test.load() == nil)
        #expect(test.give(nil, for: load) == nil)
        #expect(test.load() == load)
    }

    // MARK: Older epochs

    @Test("Of a stream that still has an older epoch nothing new goes until what has waited reaches the newest")
    func olderEpochs() {
        let test = UplinkUnderTest(older: [.telemetry])
        #expect(test.fetch(SessionUnderTest.batch(.events, from: 1)))
        #expect(test.fetch(SessionUnderTest.batch(from: 1, epoch: 3, isOfNewestEpoch: false), .backlog))
        test.uplink.stored()
        #expect(!test.next().contains(.telemetry, .live))
        #expect(test.fetch(SessionUnderTest.batch(from: 3, epoch: 4, isOfNewestEpoch: false), .backlog))
        #expect(!test.next().contains(.telemetry, .live))
        #expect(test.fetch(SessionUnderTest.batch(from: 1, epoch: 5), .backlog))
        #expect(test.fetch(SessionUnderTest.batch(from: 200, epoch: 5)))
    }

    @Test("Where nothing of the newest epoch has waited, the end of the backlog is enough") func olderEpochsAlone() {
        let test = UplinkUnderTest(older: [.telemetry])
        #expect(test.fetch(SessionUnderTest.batch(from: 1, epoch: 3, isOfNewestEpoch: false), .backlog))
        test.uplink.stored()
        // The events are looked for, then the end of what has waited, and only then what is new.
        #expect(
            test.loads().map { [$0.stream.rawValue, "\($0.lane)"] } == [
                ["events", "live"], ["telemetry", "backlog"], ["telemetry", "live"],
            ])
    }

    @Test("The events do not wait for the readings' older epochs, nor the readings for the events'")
    func holdsOnlyItsOwn() {
        let test = UplinkUnderTest(older: [.events])
        #expect(test.fetch(SessionUnderTest.batch(from: 200)))
        #expect(test.fetch(SessionUnderTest.batch(.events, from: 1, epoch: 3, isOfNewestEpoch: false), .backlog))
        test.uplink.stored()
        #expect(test.fetch(SessionUnderTest.batch(from: 202)))
    }

    // MARK: The window

    @Test("Four batches of each lane of each stream are on their way, and no more") func window() {
        for stream in StreamName.allCases {
            for lane in Uplink.Lane.allCases {
                let test = UplinkUnderTest()
                for number in 0..<4 as Range<UInt64> {
                    #expect(test.fetch(SessionUnderTest.batch(stream, from: number * 2 + 1), lane))
                }
                #expect(!test.fetch(SessionUnderTest.batch(stream, from: 9), lane))
            }
        }
    }

    @Test("A lane that is full holds up no other") func ownWindows() {
        let test = UplinkUnderTest()
        let lanes: [(StreamName, Uplink.Lane)] = [
            (.telemetry, .backlog), (.events, .backlog), (.telemetry, .live), (.events, .live),
        ]
        for (stream, lane) in lanes {
            test.uplink.begin([
                .events: OutboxOutlook(end: UplinkUnderTest.end), .telemetry: OutboxOutlook(end: UplinkUnderTest.end),
            ])
            var count: UInt64 = 0
            while test.fetch(SessionUnderTest.batch(stream, from: count * 2 + 1), lane) { count += 1 }
            #expect(count == 4, "\(stream) \(lane)")
        }
    }

    @Test("A batch makes room when the router has answered it, in whatever order the answers come") func answers() {
        let test = UplinkUnderTest()
        for number in 0..<4 as Range<UInt64> { test.fetch(SessionUnderTest.batch(from: number * 2 + 1)) }
        #expect(test.sent.map(\.number) == [1, 2, 3, 4])
        for (answered, numbers) in [(3, 5...6), (1, 1...6), (4, 1...8)] as [(UInt64, ClosedRange<UInt64>)] {
            test.acknowledge(numbers, batch: answered)
            #expect(test.fetch(SessionUnderTest.batch(from: UInt64(test.sent.count) * 2 + 1)))
            #expect(!test.fetch(SessionUnderTest.batch(from: 1_000)))
        }
        #expect(test.sent.map(\.number) == Array(1...7))
    }

    @Test("Where the router does not say which batch it answers, it is the oldest of that epoch and stream")
    func answersInOrder() {
        let test = UplinkUnderTest()
        test.fetch(SessionUnderTest.batch(.events, from: 1))
        for number in 0..<4 as Range<UInt64> { test.fetch(SessionUnderTest.batch(from: number * 2 + 1)) }
        #expect(test.acknowledge(1...2) == SessionUnderTest.reception(1...2))
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(1, .events))
        #expect(test.acknowledge(1...2, of: .events) == SessionUnderTest.reception(1...2, of: .events))
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(3))
        #expect(test.acknowledge(1...4) == SessionUnderTest.reception(3...4))
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(5))
    }

    @Test("No room is made by a word about no batch, about one that was answered, or about another epoch or stream")
    func noAnswer() {
        let test = UplinkUnderTest()
        for number in 0..<4 as Range<UInt64> { test.fetch(SessionUnderTest.batch(from: number * 2 + 1)) }
        test.acknowledge(1...2, batch: 1)
        test.fetch(SessionUnderTest.batch(from: 9))
        for batch in [0, 1, 6, .max] as [UInt64] { test.acknowledge(1...100, batch: batch) }
        test.acknowledge(1...100, epoch: 6)
        test.acknowledge(1...100, of: .events)
        #expect(!test.fetch(SessionUnderTest.batch(from: 11)))
    }

    @Test("What need not be kept any more is what was sent in this session, answered and named, and is told once")
    func arrived() {
        let test = UplinkUnderTest()
        let gap = Gap(3...9, of: .telemetry, epoch: 5, reason: .storeFull)
        test.fetch(SessionUnderTest.batch(.events, from: 1))
        test.fetch(SessionUnderTest.batch(from: 1, gaps: [gap]))
        test.fetch(SessionUnderTest.batch(from: 10))
        test.fetch(SessionUnderTest.batch(from: 20))
        // A router that knows more than it was sent may know other things under those numbers.
        #expect(test.acknowledge(1...100, epoch: 6, batch: 99) == nil)
        #expect(test.acknowledge(1...5, 30...100, batch: 2) == SessionUnderTest.reception(1...5))
        // What is on its way is not answered yet, and may be found to be something else.
        #expect(test.acknowledge(1...100, batch: 2) == SessionUnderTest.reception(6...9))
        #expect(test.acknowledge(1...100, batch: 2) == nil)
        #expect(test.acknowledge(21...21, batch: 4) == SessionUnderTest.reception(21...21))
        #expect(test.acknowledge(1...20, batch: 3) == SessionUnderTest.reception(10...11, 20...20))
        #expect(test.acknowledge(1...100, of: .events) == SessionUnderTest.reception(1...2, of: .events))
        #expect(test.acknowledge(1...100, batch: 4) == nil)
    }

    @Test("The router answers the oldest batch next, whatever lane it is of") func oldest() {
        let test = UplinkUnderTest()
        #expect(test.uplink.oldestInFlight == nil)
        test.fetch(SessionUnderTest.batch(.events, from: 8))
        let gap = Gap(95...100, of: .telemetry, epoch: 5, reason: .storeFull)
        test.fetch(SessionUnderTest.batch(from: 101, gaps: [gap]))
        test.fetch(SessionUnderTest.batch(from: 1), .backlog)
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(8, .events))
        test.acknowledge(8...9, of: .events)
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(95))
        test.acknowledge(95...102, batch: 2)
        #expect(test.uplink.oldestInFlight == SessionUnderTest.position(1))
        test.acknowledge(1...2, batch: 3)
        #expect(test.uplink.oldestInFlight == nil)
    }

    // MARK: The end

    @Test("It is drained when all that is new is at the router, whatever still waits") func drained() throws {
        let test = UplinkUnderTest()
        #expect(!test.uplink.isDrained)  // nobody has looked yet whether there is anything new
        let load = try #require(test.load())
        #expect(!test.uplink.isDrained)
        test.give(nil, for: load)
        test.fetch(SessionUnderTest.batch(from: 1))
        #expect(!test.uplink.isDrained)
        test.acknowledge(1...2)
        #expect(!test.uplink.isDrained)  // there may be more of it
        let last = try #require(test.load())
        #expect(last.lane == .live)
        #expect(!test.uplink.isDrained)  // it is being looked for
        test.give(nil, for: last)
        #expect(test.uplink.isDrained)
        test.uplink.stored()
        #expect(!test.uplink.isDrained)
    }

    @Test("While it drains nothing that has waited is fetched") func draining() {
        let test = UplinkUnderTest()
        #expect(test.loads(isDraining: true).map(\.lane) == [.live, .live])
        #expect(test.uplink.isDrained)
        #expect(test.loads().map(\.lane) == [.backlog, .backlog])
    }
}

extension Uplink.Load? {
    fileprivate func contains(_ stream: StreamName, _ lane: Uplink.Lane) -> Bool {
        self?.stream == stream && self?.lane == lane
    }
}
