import DeviceManager
import DeviceModel
import TestSupport
import Testing

@testable import Link

/// What has waited goes up exactly as fast as is allowed; what is new is not slowed down by it; and a router that takes
/// everything and has nothing is found out.
@Suite struct UplinkPaceTests {
    /// A batch of so many, behind those that have gone before.
    private func batch(after sent: UInt64, _ count: UInt64 = 100) -> OutboxBatch {
        SessionUnderTest.batch(from: sent + 1, count: count)
    }

    // MARK: The rate

    @Test(
        "No batch of the backlog goes before there is room for it in a second's worth and the rate, and none later",
        arguments: [1, 50, 100, 250, 1_000, 10_000], [1, 7, 100] as [UInt64])
    func rate(rate: Int, size: UInt64) throws {
        let test = UplinkUnderTest(rate: rate)
        // So much that even the fastest have to wait, in batches that don't make a long test of it.
        let size = max(size, UInt64(rate / 500))
        var sent: UInt64 = 0
        var tooEarly: [UInt64] = []
        while sent < 300 * size {
            while test.fetch(batch(after: sent, size), .backlog) {
                let elapsed = (test.now - UplinkUnderTest.start).seconds
                if Double(sent) >= Double(rate) * (1 + elapsed) + 0.001 { tooEarly.append(sent) }
                sent += size
                test.acknowledge(1...sent)
            }
            // One more may go when a whole one has been made up for, to the nanosecond.
            let deadline = try #require(test.uplink.deadline)
            let missing = Double(sent) + 1 - Double(rate)
            #expect(abs((deadline - UplinkUnderTest.start).seconds - missing / Double(rate)) < 0.000_001)
            test.now = deadline - .seconds(1 / Double(rate)) - .microseconds(1)
            #expect(test.load() == nil)
            test.now = deadline
        }
        #expect(tooEarly.isEmpty)
    }

    @Test("A link that was idle for an hour may make up for a second of it") func burst() {
        let test = UplinkUnderTest(rate: 250)
        _ = test.loads()
        test.now = test.now + .seconds(3_600)
        #expect(test.load() == nil)
        test.uplink.begin([.telemetry: OutboxOutlook(end: UplinkUnderTest.end)])
        var sent: UInt64 = 0
        while test.fetch(batch(after: sent), .backlog) {
            sent += 100
            test.acknowledge(1...sent)
        }
        #expect(sent == 300)  // the third batch begins within the 250 and ends beyond
    }

    @Test("Gaps count like observations, those that were waited for and those that came with them") func gaps() throws {
        let test = UplinkUnderTest(rate: 100)
        let gaps = (0..<200 as Range<UInt64>).map {
            Gap($0 * 10 + 1_000...$0 * 10 + 1_005, of: .telemetry, epoch: 5, reason: .thinnedOut)
        }
        #expect(test.fetch(SessionUnderTest.batch(from: 1, count: 100, gaps: gaps), .backlog))
        // 300 went where 100 may: two seconds, and one more.
        let deadline = try #require(test.uplink.deadline)
        #expect(abs((deadline - test.now).seconds - 2.01) < 0.000_001)
    }

    @Test("What is new is not held up by what has waited, and takes nothing away from it") func liveIsFree() {
        let test = UplinkUnderTest(rate: 100)
        #expect(test.fetch(batch(after: 0), .backlog))
        #expect(!test.fetch(batch(after: 100), .backlog))
        let deadline = test.uplink.deadline
        test.uplink.stored()
        var sent: UInt64 = 1_000
        for _ in 0..<20 {
            #expect(test.fetch(batch(after: sent)))
            sent += 100
            test.acknowledge(1_001...sent)
        }
        #expect(test.uplink.deadline == deadline)
    }

    @Test("There is a time to wait for only while it is the rate that holds up the backlog") func deadline() {
        let test = UplinkUnderTest(rate: 100)
        #expect(test.uplink.deadline == nil)
        #expect(test.fetch(batch(after: 0), .backlog))
        #expect(test.uplink.deadline != nil)
        test.now = test.now + .seconds(1)
        #expect(test.loads().map(\.lane) == [.backlog])
        #expect(test.uplink.deadline == nil)  // that was the end of it

        let full = UplinkUnderTest(rate: 400)
        for number in 0..<4 as Range<UInt64> { #expect(full.fetch(batch(after: number * 100), .backlog)) }
        #expect(full.loads() == [])
        #expect(full.uplink.deadline == nil)  // an acknowledgement is what it waits for
        full.acknowledge(1...100)
        #expect(full.uplink.deadline == full.now + .microseconds(2_500))
    }

    // MARK: What goes wrong

    @Test("What the store could not give is asked for again") func failed() throws {
        let test = UplinkUnderTest(older: [.events, .telemetry])
        #expect(test.fetch(SessionUnderTest.batch(from: 1, epoch: 3, isOfNewestEpoch: false), .backlog))
        let load = try #require(test.load())
        #expect(load.lane == .backlog)
        test.uplink.failed(load)
        #expect(test.load() == load)
        test.uplink.failed(load)
        #expect(test.loads().first == load)
    }

    @Test("A router that acknowledges nothing for two minutes has stalled, unless it owes nothing") func stall() {
        let test = UplinkUnderTest()
        #expect(test.uplink.stallDeadline == nil)
        test.now = test.now + .seconds(1_000)
        #expect(test.fetch(batch(after: 0)))
        let first = test.now
        #expect(test.uplink.stallDeadline == first + .seconds(120))
        test.now = test.now + .seconds(60)
        #expect(test.fetch(batch(after: 100)))
        #expect(test.uplink.stallDeadline == first + .seconds(120))  // sending more is no sign of life
        test.acknowledge(1...50, batch: 99)
        #expect(test.uplink.stallDeadline == first + .seconds(120))  // nor is a word about something else
        test.acknowledge(1...200, batch: 2)
        #expect(test.uplink.stallDeadline == test.now + .seconds(120))
        test.acknowledge(1...200, batch: 1)
        #expect(test.uplink.stallDeadline == nil)
    }
}
