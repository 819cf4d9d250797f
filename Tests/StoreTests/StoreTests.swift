import DeviceManager
import DeviceModel
import Dispatch
import HALTestKit
import Store
import Synchronization
import TestSupport
import Testing

/// Things to store.
enum Sample {
    static let climate: ComponentID = "climate"
    static let heater: ComponentID = "heater"

    static func reading(_ value: Double, at time: any TimeSource) -> Observation {
        Observation(
            time: time.timestamp,
            content: .reading(Reading(component: climate, property: "temperature", value: .number(value))))
    }

    static func event(_ name: String, at time: any TimeSource) -> Observation {
        Observation(time: time.timestamp, content: .event(Event(component: climate, name: name)))
    }

    static func command(_ id: String) -> Command {
        Command(
            id: CommandID(stringLiteral: id), component: heater, action: "on",
            deadline: MonotonicTime(nanoseconds: .max),
            origin: .router(account: "anna"))
    }

    static func result(_ id: String, _ status: CommandStatus, at time: any TimeSource) -> Observation {
        Observation(time: time.timestamp, content: .result(CommandResult(of: command(id), status)))
    }
}

@Suite(.timeLimit(.minutes(1))) struct StoreTests {
    private let time = ManualTime()
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func open(
        size: Int = 67_108_864, age: Duration = .seconds(86_400), namesGaps: Bool = true, time: ManualTime? = nil
    ) throws -> Store {
        let bounds = Store.Bounds(size: size, age: age, namesGaps: namesGaps)
        return try Store(path: folder.file("store.db"), bounds: bounds, time: time ?? self.time)
    }

    @Test func numbersCountUpInEachStream() async throws {
        let store = try open()
        let first = try await store.append(
            [Sample.reading(1, at: time), Sample.event("pressed", at: time), Sample.reading(2, at: time)], lost: [:])
        #expect(first.map(\.position.sequence) == [1, 1, 2])
        #expect(first.map(\.position.stream) == [.telemetry, .events, .telemetry])
        let second = try await store.append([Sample.reading(3, at: time)], lost: [:])
        #expect(second.first?.position.sequence == 3)
        #expect(second.first?.position.epoch == first.first?.position.epoch)
    }

    @Test func everythingIsThereAfterANewStart() async throws {
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
            let store = try open()
            stored = try await store.append(contents.map { Observation(time: time.timestamp, content: $0) }, lost: [:])
        }
        let store = try open()
        let telemetry = try #require(try await store.batch(of: .telemetry, after: nil, limit: 100))
        let events = try #require(try await store.batch(of: .events, after: nil, limit: 100))
        #expect(telemetry.observations + events.observations == stored)
        let next = try await store.append([Sample.reading(1, at: time)], lost: [:])
        #expect(next.first?.position.sequence == 6)
    }

    @Test func batchesFollowEachOtherAndEndAtABoot() async throws {
        let store = try open()
        _ = try await store.append((1...5).map { Sample.reading(Double($0), at: time) }, lost: [:])
        let other = ManualTime(boot: 2)
        let later = try open(time: other)
        _ = try await later.append([Sample.reading(6, at: other)], lost: [:])
        var sizes: [Int] = []
        var cursor: OutboxCursor?
        while let batch = try await later.batch(of: .telemetry, after: cursor, limit: 2) {
            sizes.append(batch.observations.count)
            #expect(Set(batch.observations.map(\.observation.time.boot)).count == 1)
            cursor = batch.end
        }
        #expect(sizes == [2, 2, 1, 1])
    }

    @Test func whatIsAcknowledgedGoes() async throws {
        let store = try open()
        let stored = try await store.append((1...5).map { Sample.reading(Double($0), at: time) }, lost: [:])
        var position = try #require(stored.first?.position)
        position.sequence = 3
        try await store.acknowledge(through: position)
        #expect(await store.status().kept == 2)
        // Another epoch's numbers mean nothing here.
        position.epoch ^= 1
        position.sequence = 5
        try await store.acknowledge(through: position)
        #expect(await store.status().kept == 2)
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        #expect(batch.observations.map(\.position.sequence) == [4, 5])
    }

    @Test func rowsAreNeverNumberedAgain() async throws {
        let store = try open()
        let first = try await store.append([Sample.reading(1, at: time)], lost: [:])
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        try await store.acknowledge(through: try #require(first.first).position)
        _ = try await store.append([Sample.reading(2, at: time)], lost: [:])
        let next = try #require(try await store.batch(of: .telemetry, after: batch.end, limit: 10))
        #expect(next.observations.map(\.position.sequence) == [2])
    }

    @Test func whatWasLostBeforeItCameHereIsAGap() async throws {
        let store = try open()
        _ = try await store.append([Sample.reading(1, at: time)], lost: [:])
        let stored = try await store.append([Sample.reading(2, at: time)], lost: [.telemetry: 3])
        #expect(stored.first?.position.sequence == 5)
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        #expect(batch.gaps.map(\.first) == [2])
        #expect(batch.gaps.map(\.last) == [4])
        #expect(batch.last == 5)
        try await store.acknowledge(
            through: StreamPosition(stream: .telemetry, epoch: batch.epoch, sequence: batch.last))
        #expect(try await store.batch(of: .telemetry, after: nil, limit: 10) == nil)
    }

    @Test func aFullStoreDropsTheOldestReadingsAndNamesThem() async throws {
        let store = try open(size: 1_048_576)
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [:])
        for _ in 0..<200 {
            _ = try await store.append((0..<100).map { Sample.reading(Double($0), at: time) }, lost: [:])
        }
        let status = await store.status()
        #expect(status.kept < 20_000)
        #expect(status.bytes < 2_500_000)
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 100))
        let gap = try #require(batch.gaps.first)
        #expect(batch.gaps.count == 1)
        #expect(gap.first == 1)
        #expect(gap.last + 1 == batch.observations.first?.position.sequence)
        #expect(gap.reason == "store_full")
        // Events stay.
        #expect(try await store.batch(of: .events, after: nil, limit: 10)?.observations.count == 1)
    }

    @Test("what was dated by a clock that was not set is not too old")
    func beforeTheClockWasSet() async throws {
        time.setWall(WallTime(nanoseconds: 0), isSynchronised: false)
        let store = try open(age: .seconds(60))
        _ = try await store.append([Sample.reading(1, at: time)], lost: [:])
        time.setWall(WallTime(nanoseconds: 1_795_000_000_000_000_000))
        _ = try await store.append([Sample.reading(2, at: time)], lost: [:])
        #expect(await store.status().kept == 2)
        time.advance(by: .seconds(120))
        _ = try await store.append([Sample.reading(3, at: time)], lost: [:])
        #expect(await store.status().kept == 2)  // the first, of which nobody knows the age, and the last
    }

    @Test func whatIsTooOldGoes() async throws {
        let store = try open(age: .seconds(60), namesGaps: false)
        _ = try await store.append([Sample.reading(1, at: time)], lost: [:])
        time.advance(by: .seconds(120))
        _ = try await store.append([Sample.reading(2, at: time)], lost: [:])
        #expect(await store.status().kept == 1)
        #expect(try await store.batch(of: .telemetry, after: nil, limit: 10)?.gaps.isEmpty == true)
    }

    @Test func aRouterThatIsAheadBeginsANewEpoch() async throws {
        let store = try open()
        let old = try #require(try await store.append([Sample.reading(1, at: time)], lost: [:]).first)
        // What this run has stored may have numbers that the router knows for something else.
        try await store.reconcile([StreamPosition(stream: .telemetry, epoch: old.position.epoch, sequence: 500)])
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        #expect(batch.epoch != old.position.epoch)
        #expect(batch.observations.map(\.position.sequence) == [1])
        let next = try #require(try await store.append([Sample.reading(2, at: time)], lost: [:]).first)
        #expect(next.position.epoch == batch.epoch)
        #expect(next.position.sequence == 2)
    }

    @Test func aRouterThatKnowsAnEpochThatWeDoNotBeginsANewOneToo() async throws {
        let store = try open()
        let old = try #require(try await store.append([Sample.reading(1, at: time)], lost: [:]).first)
        try await store.reconcile([StreamPosition(stream: .telemetry, epoch: old.position.epoch &+ 1, sequence: 1)])
        let next = try #require(try await store.append([Sample.reading(2, at: time)], lost: [:]).first)
        #expect(next.position.epoch != old.position.epoch)
    }

    @Test func aRouterThatIsNotAheadChangesNothing() async throws {
        let store = try open()
        let old = try #require(try await store.append([Sample.reading(1, at: time)], lost: [:]).first)
        try await store.reconcile([old.position])
        let next = try #require(try await store.append([Sample.reading(2, at: time)], lost: [:]).first)
        #expect(next.position.epoch == old.position.epoch)
        #expect(next.position.sequence == 2)
    }

    @Test("what a router had acknowledged and has lost is named in a gap, so that what follows can pass")
    func aRouterThatLostItsDatabase() async throws {
        let store = try open()
        for value in 1...5 { _ = try await store.append([Sample.reading(Double(value), at: time)], lost: [:]) }
        let epoch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 1)).epoch
        try await store.acknowledge(through: StreamPosition(stream: .telemetry, epoch: epoch, sequence: 3))
        try await store.reconcile([StreamPosition(stream: .telemetry, epoch: epoch, sequence: 3)])
        #expect(try await store.batch(of: .telemetry, after: nil, limit: 10)?.gaps == [])
        try await store.reconcile([StreamPosition(stream: .telemetry, epoch: epoch, sequence: 1)])
        let partly = Gap(stream: .telemetry, epoch: epoch, first: 2, last: 3, reason: "router_lost")
        #expect(try await store.batch(of: .telemetry, after: nil, limit: 10)?.gaps == [partly])
        try await store.reconcile([])
        let batch = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        #expect(batch.gaps.map(\.first).min() == 1)
        #expect(batch.observations.map(\.position.sequence) == [4, 5])
        try await store.acknowledge(through: StreamPosition(stream: .telemetry, epoch: epoch, sequence: 5))
        try await store.reconcile([])
        let all = try #require(try await store.batch(of: .telemetry, after: nil, limit: 10))
        #expect(all.gaps.map(\.first) == [1])
        #expect(all.last == 5)
    }

    @Test func historyIsTheNewestOldestFirst() async throws {
        let store = try open()
        for value in 1...5 {
            _ = try await store.append([Sample.reading(Double(value), at: time)], lost: [:])
            time.advance(by: .seconds(10))
        }
        _ = try await store.append([Sample.event("pressed", at: time)], lost: [:])
        func values(_ property: String?, since: Duration? = nil, limit: Int = 100) async throws -> [Value?] {
            let start = since.map { time.wall - $0 }
            return try await store.history(of: Sample.climate, property: property, since: start, limit: limit).map {
                if case .reading(let reading) = $0.observation.content { reading.value } else { nil }
            }
        }
        #expect(try await values("temperature") == [1, 2, 3, 4, 5].map { .number($0) })
        #expect(try await values("temperature", limit: 2) == [.number(4), .number(5)])
        #expect(try await values("temperature", since: .seconds(25)) == [.number(4), .number(5)])
        #expect(try await values(nil).count == 6)
        #expect(try await values("pressure").isEmpty)
    }

    @Test func commandsAreClaimedOnce() async throws {
        let store = try open()
        #expect(try await store.claim(Sample.command("a")))
        #expect(try await !store.claim(Sample.command("a")))
        #expect(try await open().claim(Sample.command("a")) == false)
    }

    @Test("The newest commands are remembered, also when the clock is set back to long before the others")
    func newestCommands() async throws {
        let store = try open()
        func finish(_ ids: some Sequence<String>) async throws {
            let ids = Array(ids)
            for id in ids { #expect(try await store.claim(Sample.command(id))) }
            _ = try await store.append(ids.map { Sample.result($0, .done, at: time) }, lost: [:])
        }
        try await finish((0..<1_000).map { "old\($0)" })
        time.setWall(WallTime(nanoseconds: 0))
        try await finish(["new"])
        try await finish(["newer", "newest"])
        for id in ["new", "newer", "newest"] { #expect(try await !store.claim(Sample.command(id))) }
        #expect(try await store.claim(Sample.command("old0")))
    }

    @Test func aCommandWithoutAnEndWasInterrupted() async throws {
        do {
            let store = try open()
            for id in ["a", "b", "c"] { _ = try await store.claim(Sample.command(id)) }
            _ = try await store.append([Sample.result("a", .done, at: time)], lost: [:])
            // A refusal says nothing about a command of the same id that was begun.
            _ = try await store.append([Sample.result("b", .refused, at: time)], lost: [:])
        }
        let store = try open()
        let interrupted = try await store.interrupted()
        #expect(interrupted.map(\.id.rawValue).sorted() == ["b", "c"])
        #expect(interrupted.allSatisfy { $0.status == .interrupted })
        let results = interrupted.map { Observation(time: time.timestamp, content: .result($0)) }
        _ = try await store.append(results, lost: [:])
        #expect(try await store.interrupted().isEmpty)
    }

    @Test("A database that somebody is just closing is waited for")
    func waitsForWhoeverCloses() throws {
        for _ in 0..<200 {
            let before = Mutex<Store?>(try open())
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    before.withLock { $0 = nil }
                } else {
                    #expect(throws: Never.self) { try open() }
                }
            }
        }
    }

    @Test func aFileThatIsNoDatabaseSaysSo() throws {
        try folder.write("store.db", "this is no database, but a text of some length that says so")
        #expect { try open() } throws: { "\($0)".contains("is damaged") }
    }

    @Test func aFolderThatDoesNotExistSaysSo() throws {
        let bounds = Store.Bounds(size: 1, age: .seconds(1), namesGaps: false)
        #expect { try Store(path: "/nonexistent/store.db", bounds: bounds, time: time) } throws: {
            "\($0)".contains("cannot be opened")
        }
    }

    /// /dev/full's kind of trouble: the database may not grow.
    @Test func aFullDiskIsAnErrorAndCostsNothing() async throws {
        let store = try open()
        _ = try await store.append([Sample.reading(1, at: time)], lost: [:])
        try await store.limitPages(to: 0)
        let many = (0..<2_000).map { Sample.reading(Double($0), at: time) }
        await #expect {
            _ = try await store.append(many, lost: [:])
        } throws: {
            "\($0)".contains("is full") && ($0 as? StoreError)?.code == .systemFailure
        }
        #expect(await store.status().kept == 1)
        #expect(await store.status().problem?.contains("free some space") == true)
        try await store.limitPages(to: 1_000_000)
        let stored = try await store.append([Sample.reading(2, at: time)], lost: [:])
        #expect(stored.first?.position.sequence == 2)
        #expect(await store.status().problem == nil)
    }
}
