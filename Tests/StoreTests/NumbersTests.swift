import DeviceManager
import DeviceModel
import HALTestKit
import Testing

@testable import Store

/// Whatever is stored has a number that counts up in its stream, and comes out again as it went in.
@Suite(.timeLimit(.minutes(1))) struct NumbersTests {
    private let folder: StoreFolder
    private var time: ManualTime { folder.time }

    init() throws {
        folder = try StoreFolder()
    }

    @Test("numbers count up in each stream")
    func numbersCountUp() async throws {
        let store = try folder.open()
        let first = try await store.append(
            [Sample.reading(1, at: time), Sample.event("pressed", at: time), Sample.reading(2, at: time)], lost: [])
        #expect(first.map(\.position.sequence) == [1, 1, 2])
        #expect(first.map(\.position.stream) == [.telemetry, .events, .telemetry])
        let second = try await store.append([Sample.reading(3, at: time)], lost: [])
        #expect(second.first?.position.sequence == 3)
        #expect(second.first?.position.epoch == first.first?.position.epoch)
        #expect(first[0].position.epoch != first[1].position.epoch)
    }

    @Test("everything is there after a new start, whatever it is")
    func everythingIsThere() async throws {
        let contents: [Observation.Content] = [
            .reading(Reading(component: Sample.climate, property: "a", value: .boolean(false))),
            .reading(Reading(component: Sample.climate, property: "b", value: .integer(0))),
            .reading(Reading(component: Sample.climate, property: "c", value: .text(""))),
            .reading(Reading(component: Sample.climate, property: "d", value: .number(-0.5), quality: .stale)),
            .reading(
                Reading(component: Sample.climate, property: "e", value: nil, quality: .failed, reason: "gone")),
            .event(Event(component: Sample.climate, name: "pressed")),
            .result(CommandResult(of: Sample.command("x"), .refused, reason: "why")),
        ]
        let stored: [RecordedObservation]
        do {
            let store = try folder.open()
            stored = try await store.append(contents.map { Observation(time: time.timestamp, content: $0) }, lost: [])
            try await store.finish()
        }
        let store = try folder.open()
        let (telemetry, events) = (try await store.waiting(), try await store.waiting(in: .events))
        #expect(telemetry.observations + events.observations == stored)
        #expect(telemetry.gaps + events.gaps == [])
        let next = try await store.append([Sample.reading(1, at: time)], lost: [])
        #expect(next.first?.position.sequence == 6)
        #expect(next.first?.position.epoch == stored.first?.position.epoch)
    }

    @Test("a row is never given a second time, also when all that was there is gone")
    func rowsAreNeverGivenAgain() async throws {
        let store = try folder.open()
        let first = try #require(try await store.append([Sample.reading(1, at: time)], lost: []).first)
        let batch = try #require(try await store.batch(of: .telemetry, in: OutboxSpan(after: .start), limit: 10))
        try await store.acknowledge(StreamReception(.telemetry, first.position.epoch, 1...1))
        _ = try await store.append([Sample.reading(2, at: time)], lost: [])
        #expect(try await store.waiting(in: .telemetry, OutboxSpan(after: batch.end)).sequences == [2])
    }

    // MARK: Batches

    @Test("batches follow each other, and end where a boot ends")
    func batchesEndAtABoot() async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...5, at: time), lost: [])
        try await store.finish()
        let other = ManualTime(boot: 2)
        let later = try folder.open(time: other)
        _ = try await later.append(Sample.readings(6...6, at: other), lost: [])
        var (sizes, span): ([Int], OutboxSpan) = ([], OutboxSpan(after: .start))
        while let batch = try await later.batch(of: .telemetry, in: span, limit: 2) {
            sizes.append(batch.observations.count)
            #expect(Set(batch.observations.map(\.observation.time.boot)).count == 1)
            #expect(batch.isOfNewestEpoch)
            span.start = batch.end
        }
        #expect(sizes == [2, 2, 1, 1])
    }

    @Test("a batch ends where an epoch ends, and says whether that is the newest")
    func batchesEndAtAnEpoch() async throws {
        let store = try folder.open()
        let old = try await store.append(Sample.readings(1...4, at: time), lost: [])
        try await store.renumber(from: old[2].position)
        let first = try #require(try await store.batch(of: .telemetry, in: OutboxSpan(after: .start), limit: 10))
        #expect(first.observations == Array(old.prefix(2)))
        #expect(!first.isOfNewestEpoch)
        let second = try #require(
            try await store.batch(of: .telemetry, in: OutboxSpan(after: first.end), limit: 10))
        #expect(second.observations.map(\.observation.number) == [3, 4])
        #expect(second.isOfNewestEpoch)
        #expect(try await store.batch(of: .telemetry, in: OutboxSpan(after: second.end), limit: 10) == nil)
    }

    @Test("what is stored after the beginning of a session is behind the end of what waited then")
    func spans() async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...3, at: time), lost: [Sample.loss(2)])
        let end = try #require(try await store.agree(with: [])[.telemetry]).end
        _ = try await store.append(Sample.readings(4...5, at: time), lost: [Sample.loss(1)])
        let (backlog, live) = (OutboxSpan(after: .start, through: end), OutboxSpan(after: end))
        let (waited, new) = (
            try await store.waiting(in: .telemetry, backlog), try await store.waiting(in: .telemetry, live)
        )
        #expect(waited.sequences == [3, 4, 5])
        #expect(waited.gaps.map(\.numbers) == [1...2])
        #expect(new.sequences == [7, 8])
        #expect(new.gaps.map(\.numbers) == [6...6])
        #expect(try await store.waiting(in: .events, backlog) == Waiting())
    }

    @Test("what has the place of a batch is asked for once: its end is where the next one begins, in any size")
    func everySize() async throws {
        let store = try folder.open()
        for number in 1...20 {
            _ = try await store.append(Sample.readings(number...number, at: time), lost: [Sample.loss(1)])
        }
        for limit in [1, 3, 19, 20, 100] {
            let waiting = try await store.waiting(limit: limit)
            #expect(waiting.values == (1...20).map { Double($0) })
            #expect(waiting.gaps.map(\.first) == stride(from: 1, through: 39, by: 2).map { UInt64($0) })
        }
    }

    @Test("many gaps come in several batches, each of them once")
    func manyGaps() async throws {
        let store = try folder.open()
        for number in 0..<450 {
            // Of one reason they would be one gap.
            let reason: GapReason = number.isMultiple(of: 2) ? .diskFailed : .diskTooSlow
            _ = try await store.append([], lost: [Sample.loss(1, reason)])
        }
        let waiting = try await store.waiting()
        #expect(waiting.gaps.map(\.first) == Array(1...450))
        #expect(waiting.observations.isEmpty)
    }

    @Test("long texts end a batch early: whoever has something urgent to say waits behind little")
    func longTexts() async throws {
        let store = try folder.open()
        let long = Reading(
            component: Sample.climate, property: "note", value: .text(String(repeating: "x", count: 1_000)))
        let texts = (0..<100).map { _ in Observation(time: time.timestamp, content: .reading(long)) }
        _ = try await store.append(texts, lost: [])
        let batch = try await store.batch(of: .telemetry, in: OutboxSpan(after: .start), limit: 100)
        #expect(batch?.observations.count == 17)
        #expect(try await store.waiting().sequences == Array(1...100))
    }

    @Test("what only a later version understands does not hold up what comes behind it")
    func laterVersion() async throws {
        let store = try folder.open()
        _ = try await store.append(Sample.readings(1...5, at: time), lost: [])
        try folder.database().execute("UPDATE observations SET kind = 99 WHERE sequence <= 3")
        let batch = try await store.batch(of: .telemetry, in: OutboxSpan(after: .start), limit: 3)
        #expect(batch?.observations.map(\.position.sequence) == [4, 5])
    }

    @Test("gaps of an epoch before the present one are not passed over")
    func gapsOfTwoEpochs() async throws {
        let store = try folder.open()
        _ = try await store.append([], lost: [Sample.loss(3)])
        let position = StreamPosition(
            stream: .telemetry, epoch: try #require(try await store.waiting().gaps.first).epoch, sequence: 4)
        try await store.renumber(from: position)
        _ = try await store.append(Sample.readings(1...1, at: time), lost: [Sample.loss(5)])
        #expect(try await store.waiting().gaps.map(\.count) == [3, nil, 5])
    }
}
