import DeviceModel
import HALTestKit
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import DeviceManager

/// Promise: the agent says that it lives only when each of its vital parts has made progress since it last said so.
@Suite(.timeLimit(.minutes(1))) struct WatchdogTests {
    // MARK: The value

    @Test("All parts are asked at once; ready is said when the last of them has answered, and only then")
    func ready() {
        var watchdog = Watchdog(["outputs", "store"])
        #expect(watchdog.begin() == [.ask("outputs"), .ask("store")])
        #expect(watchdog.handle(.progress("store")) == [])
        #expect(watchdog.handle(.progress("outputs")) == [.ready])
        // Ready is said once, in whatever order the parts answer later.
        #expect(watchdog.handle(.tick) == [.alive, .ask("outputs"), .ask("store")])
        #expect(watchdog.handle(.progress("outputs")) == [])
        #expect(watchdog.handle(.progress("store")) == [])
    }

    @Test("A part that does not answer is named at each tick, is not asked twice, and nothing is said to anybody")
    func stuck() {
        var watchdog = Watchdog(["outputs", "commands", "store"])
        _ = watchdog.begin()
        #expect(watchdog.handle(.progress("commands")) == [])
        for _ in 0..<3 { #expect(watchdog.handle(.tick) == [.stuck(["outputs", "store"])]) }
        #expect(watchdog.handle(.progress("outputs")) == [])
        #expect(watchdog.handle(.tick) == [.stuck(["store"])])
        // It was only late: with the next tick the agent lives again, and all are asked anew.
        #expect(watchdog.handle(.progress("store")) == [.ready])
        #expect(watchdog.handle(.tick) == [.alive, .ask("outputs"), .ask("commands"), .ask("store")])
        #expect(watchdog.handle(.tick) == [.stuck(["commands", "outputs", "store"])])
    }

    // MARK: The service

    @Test("Three signs of life come in each period, each after a word of every part")
    func alive() async throws {
        let watch = Watch(period: .seconds(30), ["outputs", "store"])
        try await watch.run {
            for name in ["outputs", "store"] { await watch.answer(name) }
            for _ in 0..<6 {
                await watch.tick()
                for name in ["store", "outputs"] { await watch.answer(name) }
            }
        }
        #expect(watch.said == [.ready] + Array(repeating: .alive, count: 6) + [.stopping])
        #expect(watch.log.isEmpty)
        // Ten seconds each: a third of the period.
        #expect(watch.time.now == Watch.start + .seconds(60))
    }

    @Test("A part that hangs: no sign of life, and one line in the log with its name, until it goes on")
    func hangs() async throws {
        let watch = Watch(period: .seconds(30), ["outputs", "store"])
        try await watch.run {
            for name in ["outputs", "store"] { await watch.answer(name) }
            await watch.tick()
            await watch.answer("outputs")
            for _ in 0..<5 { await watch.tick() }
            #expect(watch.said == [.ready, .alive])
            #expect(watch.log == ["no sign of life from: store"])
            await watch.answer("store")
            await watch.tick()
            #expect(watch.said == [.ready, .alive, .alive])
        }
        #expect(watch.log == ["no sign of life from: store", "all parts live again"])
    }

    @Test("A part that never answers keeps the agent from being ready, but not from stopping in order")
    func neverReady() async throws {
        let watch = Watch(period: .seconds(3), ["outputs", "store"])
        try await watch.run {
            await watch.answer("outputs")
            for _ in 0..<3 { await watch.tick() }
        }
        #expect(watch.said == [.stopping])
        #expect(watch.log == ["no sign of life from: store"])
    }

    @Test("A supervisor without a watchdog hears that the agent is ready and that it stops, and nothing between")
    func noWatchdog() async throws {
        let watch = Watch(period: nil, ["outputs"])
        try await watch.run {
            await watch.answer("outputs", isTimed: false)
            await watch.untilSaid(1)
            watch.time.advance(by: .seconds(3_600))
        }
        #expect(watch.said == [.ready, .stopping])
    }
}

/// A watchdog service, who it tells, the parts that it asks, and its clock.
private final class Watch: Supervisor {
    static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    let watchdogPeriod: Duration?
    let time = ManualTime(start: start)
    private let parts: [String: Part]
    private let names: [String]
    private let news = Mutex<[SupervisorNews]>([])
    private let hearing = Mailbox<Void>(bound: 64, policy: .refuseNewest)
    /// The reasons in what is logged, and messages without one.
    private let lines = LogLines { event in event.metadata?["reason"].map { "\($0)" } ?? "\(event.message)" }
    /// One for each time that the service has done all there was to do, and waits.
    private let rests = Mailbox<Void>(bound: 64, policy: .refuseNewest)

    init(period: Duration?, _ names: [String]) {
        watchdogPeriod = period
        self.names = names
        parts = names.reduce(into: [:]) { $0[$1] = Part() }
    }

    /// What the supervisor was told.
    var said: [SupervisorNews] { news.withLock(\.self) }
    /// Reasons and ends that were logged.
    var log: [String] { lines.all }

    func tell(_ news: SupervisorNews) {
        self.news.withLock { $0.append(news) }
        hearing.send(())
    }

    /// Waits until the supervisor was told so many things more.
    func untilSaid(_ count: Int) async {
        for _ in 0..<count { _ = await hearing.next() }
    }

    /// A part answers, and the service has heard it.
    func answer(_ name: String, isTimed: Bool = true) async {
        await parts[name]?.answer()
        if isTimed { _ = await rests.next() }
    }

    /// A third of the period passes, and the service has done what is due.
    func tick() async {
        time.advance(by: (watchdogPeriod ?? .zero) / 3)
        _ = await rests.next()
    }

    /// Runs the service; parts that have not answered then do so when it is over.
    func run(_ body: () async throws -> Void) async throws {
        let service = WatchdogService(
            vitals: names.map { name in Vital(name) { [part = parts[name]] in await part?.beat() } }, supervisor: self,
            time: RestingTime(time: time, rests: rests), logger: Logger(label: "test") { [lines] _ in lines })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await group.run() }
        if watchdogPeriod != nil { _ = await rests.next() }  // all parts have been asked
        try await body()
        await group.triggerGracefulShutdown()
        try await running.value
        for part in parts.values { part.letGo() }
    }
}

/// A part of the agent that answers when a test lets it, and that no cancellation reaches.
private final class Part: Sendable {
    private let questions = Mutex<[CheckedContinuation<Void, Never>]>([])
    private let asked = Mailbox<Void>(bound: 8, policy: .refuseNewest)

    func beat() async {
        await withCheckedContinuation { question in
            questions.withLock { $0.append(question) }
            asked.send(())
        }
    }

    /// Waits until it is asked, and answers.
    func answer() async {
        _ = await asked.next()
        letGo()
    }

    func letGo() {
        let waiting = questions.withLock { questions in
            defer { questions = [] }
            return questions
        }
        for question in waiting { question.resume() }
    }
}

/// A clock turned by hand that tells when somebody begins to wait.
private struct RestingTime: TimeSource {
    let time: ManualTime
    let rests: Mailbox<Void>

    var now: MonotonicTime { time.now }
    var wall: WallTime { time.wall }
    var isWallSynchronised: Bool { time.isWallSynchronised }
    var boot: BootID { time.boot }

    func sleep(until deadline: MonotonicTime) async throws {
        rests.send(())
        try await time.sleep(until: deadline)
    }
}
