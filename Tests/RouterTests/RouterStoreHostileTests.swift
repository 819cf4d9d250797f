import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whatever a device says, others do not wait for it, nothing grows without bound, and nothing of it is taken for
/// something else.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreHostileTests {
    private let store: RouterStore

    init() throws {
        store = try RouterStore(inMemoryAt: ManualTime())
    }

    private func gap(_ numbers: ClosedRange<UInt64>, count: UInt64?, _ reason: GapReason = .storeFull) -> Gap {
        Gap(
            stream: .telemetry, epoch: Sample.epoch, first: numbers.lowerBound, last: numbers.upperBound, count: count,
            reason: reason)
    }

    @Test("A batch of more than the bound is refused as too large, and nothing of it is stored")
    func tooLarge() async throws {
        let device = try await store.newDevice()
        let bound = UInt64(ObservationBatch.bound)
        _ = try await store.ingest(Sample.batch(Sample.readings(1...bound)), from: device)
        let gaps = [gap(bound + 1...bound + 1, count: 1)]
        let error = await #expect(throws: RouterProblem.self) {
            try await store.ingest(Sample.batch(gaps: gaps, observed: Array(bound + 2...2 * bound + 1)), from: device)
        }
        #expect(error?.code == .tooLarge)
        #expect(try await store.count("observations") == Int(bound))
    }

    @Test("A reading among the events, and an event among the readings, is refused")
    func otherStream() async throws {
        let device = try await store.newDevice()
        let batches = [Sample.batch(Sample.readings(1...2), stream: .events), Sample.batch([Sample.event(1)])]
        for batch in batches {
            let error = await #expect(throws: RouterProblem.self) { try await store.ingest(batch, from: device) }
            #expect(error?.code == .badRequest)
        }
        #expect(try await store.count("observations") == 0)
    }

    @Test("Gaps of one batch that stand for nobody knows what may not share a number, and the lowest of them is told")
    func overlapping() async throws {
        let device = try await store.newDevice()
        #expect(
            try await store.clash(Sample.batch(gaps: [gap(2...9, count: nil), gap(5...5, count: 1)]), from: device) == 2
        )
        #expect(
            try await store.clash(Sample.batch(gaps: [gap(1...3, count: 3), gap(3...3, count: nil)]), from: device) == 3
        )
        #expect(
            try await store.clash(
                Sample.batch(gaps: [gap(1...20, count: 20), gap(4...5, count: 2), gap(9...9, count: nil)]), from: device
            ) == 9)
        // The same one twice is one.
        let same = gap(4...4, count: nil)
        #expect(
            try await store.clash(
                Sample.batch(gaps: [gap(1...3, count: 3), same, same, gap(5...9, count: 5)]), from: device) == nil)
        #expect(try await store.clash(Sample.batch(gaps: [same]), from: device) == nil)
    }

    @Test("What comes before a batch that is refused is stored, that one and what comes behind it is not")
    func middle() async throws {
        let device = try await store.newDevice()
        _ = try await store.ingest(Sample.batch(Sample.readings(3...3)), from: device)
        let other = Sample.batch([Sample.reading(2), Sample.reading(3, .number(99))])
        let (ingested, refusal) = try await store.ingest(
            [Sample.batch(Sample.readings(1...1)), other, Sample.batch(Sample.readings(4...4))], from: device)
        #expect(ingested.map(\.reception) == [Sample.reception(through: 1)])
        #expect((refusal as? NumberConflict)?.position.sequence == 3)
        #expect(try await store.count("observations") == 2)
        #expect(try await store.count("conflicts") == 1)
    }

    @Test("Numbers of what was never stored on the device are never those of observations")
    func neverStored() async throws {
        let device = try await store.newDevice()
        #expect(try await store.clash(Sample.batch(gaps: [gap(1...4, count: 4, .diskFailed)]), from: device) == nil)
        #expect(try await store.clash(Sample.batch(Sample.readings(3...3)), from: device) == 3)
        #expect(try await store.clash(Sample.batch(Sample.readings(5...7)), from: device) == nil)
        #expect(try await store.clash(Sample.batch(gaps: [gap(6...9, count: 4, .diskTooSlow)]), from: device) == 6)
        // One that grew meanwhile is told again, whole.
        #expect(
            try await store.clash(
                Sample.batch(gaps: [gap(1...4, count: 4, .diskFailed), gap(8...9, count: 2, .diskFailed)]), from: device
            )
                == nil)
        #expect(try await store.clash(Sample.batch(gaps: [gap(8...12, count: 5, .diskFailed)]), from: device) == nil)
    }

    @Test("Numbers of a gap with another count than it has numbers stand for something, and for no observation")
    func otherCount() async throws {
        let device = try await store.newDevice()
        #expect(try await store.clash(Sample.batch(gaps: [gap(3...10, count: 5)]), from: device) == nil)
        #expect(try await store.clash(Sample.batch(Sample.readings(4...4)), from: device) == 4)
    }

    @Test("A zero byte in a name or in a reason is the same thing when it comes again")
    func zeroBytes() async throws {
        let device = try await store.newDevice()
        var batch = Sample.batch([Sample.reading(1, of: "a\0b")], gaps: [])
        batch.gaps = [gap(2...2, count: nil, GapReason(rawValue: "x\0y"))]
        let events = Sample.batch(
            [
                Sample.item(1, .event(Event(component: Sample.climate, name: "p\0q"))),
                Sample.item(
                    2,
                    .result(
                        CommandResult(id: "1", component: Sample.heater, action: "o\0n", status: .done, reason: nil))),
            ], stream: .events)
        for _ in 0..<2 {
            #expect(try await store.clash(batch, from: device) == nil)
            #expect(try await store.clash(events, from: device) == nil)
        }
        #expect(try await store.count("observations") == 3)
    }

    @Test("Batches without numbers leave nothing behind, and of each device only the newest boots are remembered")
    func tables() async throws {
        let device = try await store.newDevice()
        for number in 0..<RouterStore.bootBound + 5 {
            let bytes = withUnsafeBytes(of: UInt64(number)) { Array($0) }
            let boot = try #require(BootID(bytes: bytes + bytes))
            let batch = Sample.batch([], epoch: UInt64(number) + 1, boot: boot, offset: .seconds(1_000))
            _ = try await store.ingest(batch, from: device)
        }
        #expect(try await store.count("streams") == 0)
        #expect(try await store.count("clocks") == RouterStore.bootBound)
    }

    @Test("What was observed without a clock is dated in parts, between which others have their turn")
    func parts() async throws {
        let device = try await store.newDevice()
        let count = UInt64(RouterStore.datedAtATime) + 500
        for start in stride(from: 1, through: count, by: 3_500) {
            let items = (start...start + 3_499).map { Sample.undatedReading($0) }
            _ = try await store.ingest(Sample.batch(items), from: device)
        }
        _ = try await store.ingest(Sample.batch([], offset: Sample.offset), from: device)
        func undated() async throws -> Int {
            try await store.history(
                device.owner, device.row, Sample.climate, property: "temperature", since: nil, limit: 20_000
            ).compactMap(\.record).count { !$0.observation.time.isSynchronised }
        }
        #expect(try await undated() == 500)
        #expect(try await store.dateMore(of: device))
        #expect(try await undated() == 0)
        #expect(try await !store.dateMore(of: device))
    }
}
