import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import DeviceManager

private let climate: ComponentID = "climate"

private func reading(_ value: Double?, _ quality: Quality = .good, reason: String? = nil) -> Reading {
    Reading(
        component: climate, property: "temperature", value: value.map(Value.number), quality: quality, reason: reason)
}

@Suite struct ReportFilterTests {
    /// Which of these readings, made after so many seconds, pass.
    private func passed(_ settings: ReportFilter.Settings, _ readings: [(Int, Reading)]) -> [Int] {
        var filter = ReportFilter(settings)
        return readings.filter { filter.passes($0.1, at: MonotonicTime(nanoseconds: 0) + .seconds($0.0)) }.map(\.0)
    }

    @Test func withoutADeadBandEverythingPasses() {
        #expect(passed(.init(), [(0, reading(1)), (1, reading(1)), (2, reading(1))]) == [0, 1, 2])
    }

    @Test func withinTheDeadBandNothingPassesUntilItIsDue() {
        let readings = [
            (0, reading(20)), (1, reading(20.4)), (2, reading(19.6)), (3, reading(20.5)), (62, reading(20.5)),
            (63, reading(20.5)),
        ]
        #expect(passed(.init(deadBand: 0.5, atLeast: .seconds(60)), readings) == [0, 3, 63])
    }

    @Test func aSlowDriftPassesInTheEnd() {
        let drift = (0..<100).map { ($0, reading(Double($0) * 0.1)) }
        #expect(passed(.init(deadBand: 1, atLeast: nil), drift).count == 10)
    }

    @Test func aFailureIsNewsOnce() {
        let readings = [
            (0, reading(20)), (1, reading(nil, .failed, reason: "gone")), (2, reading(nil, .failed, reason: "gone")),
            (3, reading(nil, .failed, reason: "stuck")), (4, reading(20)),
        ]
        #expect(passed(.init(), readings) == [0, 1, 3, 4])
    }

    @Test func whatIsNoNumberPassesWhenItChanges() {
        func door(_ isOpen: Bool) -> Reading { Reading(component: climate, property: "open", value: .boolean(isOpen)) }
        #expect(
            passed(.init(deadBand: 0, atLeast: nil), [(0, door(false)), (1, door(false)), (2, door(true))]) == [0, 2])
    }
}

@Suite struct CommitBatcherTests {
    private let time = ManualTime()

    private func observation(_ content: Observation.Content) -> Observation {
        Observation(time: time.timestamp, content: content)
    }

    @Test func readingsWaitForEachOther() {
        var batcher = CommitBatcher(interval: .seconds(1))
        _ = batcher.add(observation(.reading(reading(1))), at: time.now)
        #expect(batcher.due(at: time.now).isEmpty)
        #expect(batcher.deadline == time.now + .seconds(1))
        _ = batcher.add(observation(.reading(reading(2))), at: time.now + .milliseconds(900))
        #expect(batcher.due(at: time.now + .seconds(1)).count == 2)
        batcher.stored()
        #expect(batcher.deadline == nil)
    }

    @Test func anEventDoesNotWait() {
        var batcher = CommitBatcher(interval: .seconds(60))
        _ = batcher.add(observation(.reading(reading(1))), at: time.now)
        _ = batcher.add(observation(.event(Event(component: climate, name: "pressed"))), at: time.now)
        #expect(batcher.due(at: time.now).count == 2)
    }

    @Test func aHundredDoNotWait() {
        var batcher = CommitBatcher(interval: .seconds(60))
        for value in 0..<100 { _ = batcher.add(observation(.reading(reading(Double(value)))), at: time.now) }
        #expect(batcher.due(at: time.now).count == 100)
    }

    @Test func afterAFailureItWaitsAndDropsTheOldestReadings() {
        var batcher = CommitBatcher(interval: .seconds(1))
        _ = batcher.add(observation(.event(Event(component: climate, name: "first"))), at: time.now)
        batcher.failed(retryAt: time.now + .seconds(5))
        #expect(batcher.due(at: time.now + .seconds(4)).isEmpty)
        var dropped = 0
        for value in 0..<CommitBatcher.bound {
            if let gone = batcher.add(observation(.reading(reading(Double(value)))), at: time.now) {
                #expect(gone.stream == .telemetry)
                dropped += 1
            }
        }
        #expect(dropped == 1)
        let due = batcher.due(at: time.now + .seconds(5))
        #expect(due.count == CommitBatcher.bound)
        #expect(due.first?.stream == .events)
    }
}

@Suite struct BackoffTests {
    @Test func pausesDoubleUpToTheBound() {
        var backoff = Backoff(first: .seconds(1), cap: .seconds(30), jitter: .none)
        var generator = SystemRandomNumberGenerator()
        let pauses = (0..<7).map { _ in backoff.failed(using: &generator) }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        backoff.succeeded()
        #expect(backoff.failed(using: &generator) == .seconds(1))
    }

    @Test func fullJitterStaysWithinTheBounds() {
        var backoff = Backoff(first: .seconds(1), cap: .seconds(60), jitter: .full)
        var generator = SystemRandomNumberGenerator()
        var longest = Duration.zero
        for failure in 0..<10_000 {
            let pause = backoff.failed(using: &generator)
            #expect(pause >= .zero && pause <= min(.seconds(60), .seconds(1 << min(failure, 6))))
            longest = max(longest, pause)
        }
        #expect(longest > .seconds(50))
    }
}

@Suite(.timeLimit(.minutes(1))) struct ObservationHubTests {
    private let time = ManualTime()
    private let device = DeviceDescription(
        id: "greenhouse", software: "test",
        components: [
            ComponentDescription(
                id: climate, model: "bmp280",
                properties: [
                    PropertyDescription(
                        "temperature", "t", type: .number, quantity: .temperature, range: 200...400,
                        staleAfter: .seconds(6))
                ])
        ])

    private func hub() -> ObservationHub { ObservationHub(device: device, filters: [:], time: time) }

    private func only(_ hub: ObservationHub) throws -> (Reading, ReportedObservation) {
        let report = try #require(hub.read(Address()).first)
        guard case .reading(let reading) = report.content else { throw CancellationError() }
        return (reading, report)
    }

    @Test func theNewestReadingIsKept() throws {
        let hub = hub()
        #expect(hub.read(Address()).isEmpty)
        hub.observe(at: time.now, .reading(reading(290)))
        hub.observe(at: time.now, .reading(reading(291)))
        let (newest, report) = try only(hub)
        #expect(newest.value == .number(291))
        #expect(report.quantity == .temperature)
        #expect(report.position == nil)
        #expect(hub.read(Address(component: climate, property: "temperature")).count == 1)
        #expect(hub.read(Address(component: ComponentID(rawValue: "x"))).isEmpty)
    }

    @Test func anOldReadingIsStale() throws {
        let hub = hub()
        hub.observe(at: time.now, .reading(reading(290)))
        time.advance(by: .seconds(7))
        let (newest, _) = try only(hub)
        #expect(newest.quality == .stale)
        #expect(newest.value == .number(290))
        #expect(newest.reason == "not measured for 7s")
    }

    @Test func aFailedReadingKeepsTheLastValue() throws {
        let hub = hub()
        hub.observe(at: time.now, .reading(reading(290)))
        hub.observe(at: time.now, .reading(reading(nil, .failed, reason: "gone")))
        let (newest, _) = try only(hub)
        #expect(newest.quality == .failed)
        #expect(newest.value == .number(290))
    }

    @Test(arguments: [10.0, 1_000, .infinity, .nan]) func whatIsOutOfRangeIsNoGoodReading(value: Double) throws {
        let hub = hub()
        hub.observe(at: time.now, .reading(reading(value)))
        let (newest, _) = try only(hub)
        #expect(newest.quality == .failed)
        #expect(newest.reason?.contains("out of range") == true)
    }

    @Test func whatTheDiskDoesNotTakeIsCounted() {
        let hub = hub()
        for value in 0..<1_030 { hub.observe(at: time.now, .reading(reading(290 + Double(value) * 0.001))) }
        #expect(hub.lostSinceStart == 6)
        let loss = Loss(stream: .telemetry, reason: .diskTooSlow, count: 6, since: time.wall, until: time.wall)
        let taken = hub.takeLosses()
        #expect(taken == [loss])
        #expect(hub.takeLosses() == [])
        // They could not be named: they are still there, with what is lost meanwhile.
        hub.giveBack(taken)
        let (before, event) = (time.wall, Event(component: climate, name: "x"))
        time.advance(by: .seconds(5))
        hub.lose(Observation(time: time.timestamp, content: .reading(reading(290))), .diskTooSlow)
        hub.lose(Observation(time: time.timestamp, content: .event(event)), .diskFailed)
        #expect(
            Set(hub.takeLosses()) == [
                Loss(stream: .telemetry, reason: .diskTooSlow, count: 7, since: before, until: time.wall),
                Loss(stream: .events, reason: .diskFailed, count: 1, since: time.wall, until: time.wall),
            ])
        #expect(hub.lostSinceStart == 8)
    }

    @Test func eventsGoOnlyWhereNoReadingIsLeft() {
        let hub = hub()
        hub.observe(at: time.now, .event(Event(component: climate, name: "pressed")))
        for value in 0..<1_030 { hub.observe(at: time.now, .reading(reading(290 + Double(value) * 0.001))) }
        #expect(hub.takeLosses().map(\.stream) == [.telemetry])
        #expect(hub.recordables.takeIfWaiting()?.stream == .events)
    }

    @Test func whatWasLostWithoutAClockHasNoTimes() {
        let hub = hub()
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        hub.lose(Observation(time: time.timestamp, content: .reading(reading(290))), .diskTooSlow)
        #expect(hub.takeLosses() == [Loss(stream: .telemetry, reason: .diskTooSlow, count: 1, since: nil, until: nil)])
    }

    @Test("A text is at most as long as every message has room for, in whatever script")
    func longTexts() throws {
        let hub = hub()
        // One letter for people, 4000 bytes for a message.
        let long = "e" + String(repeating: "\u{0301}", count: 2_000)
        let result = CommandResult(id: "1", component: climate, action: long, status: .refused, reason: long)
        hub.observe(at: time.now, .result(result))
        guard case .result(let stored)? = hub.recordables.takeIfWaiting()?.content else {
            return #expect(Bool(false), "nothing is to be stored")
        }
        for text in [stored.action, try #require(stored.reason)] {
            #expect((900...1_003).contains(text.utf8.count))
            #expect(text.hasSuffix("…"))
        }
    }

    @Test func watchersSeeWhatIsStored() async {
        let hub = hub()
        let (arrivals, end) = hub.watch(bound: 4)
        let position = StreamPosition(stream: .telemetry, epoch: 1, sequence: 5)
        let observation = Observation(time: time.timestamp, content: .reading(reading(290)))
        hub.observe(at: time.now, .reading(reading(290)))
        hub.publish([RecordedObservation(position: position, observation: observation)])
        #expect(await arrivals.next()?.position == position)
        #expect(hub.read(Address()).first?.position == position)
        end()
        hub.publish([RecordedObservation(position: position, observation: observation)])
        #expect(await arrivals.next() == nil)
    }
}
