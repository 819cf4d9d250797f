import DeviceManager
import DeviceModel
import TestSupport
import Testing

@testable import Link

/// The link is tried for ever: soon, then rarely, never all devices at once, never while the router wants to be left
/// alone, and nothing that happens in any order breaks that.
@Suite struct LinkMachineTests {
    private typealias Action = LinkMachine.Action
    private typealias Event = LinkMachine.Event

    private static let ended = Event.ended(LinkEnd())

    // MARK: Every event in every state

    /// A machine in a state, what each event does there, and when the clock is due.
    private struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var history: [Event]
        /// What happens but nothing comes of it is not mentioned.
        var answers: [Event: [Action]]
        /// What a tick does when the clock is due; nil: it never is.
        var due: (after: ClosedRange<Duration>, does: [Action])?
    }

    private static let rows = [
        Row(
            testDescription: "not begun", history: [],
            answers: [.start: [.tell(.connecting), .dial], .stop: [.tell(.closed)]]),
        Row(
            testDescription: "trying", history: [.start],
            answers: [.opened: [.tell(.connected)], ended: [.tell(.reconnecting)], .stop: [.hangUp]]),
        Row(
            testDescription: "connected", history: [.start, .opened],
            answers: [
                .lost: [.tell(.reconnecting)], ended: [.tell(.reconnecting)], .stop: [.tell(.draining), .drain],
            ]),
        Row(
            testDescription: "tidying up", history: [.start, .opened, .lost],
            answers: [ended: [.tell(.reconnecting)], .stop: [.hangUp]]),
        Row(
            testDescription: "waiting for the next try", history: [.start, ended],
            answers: [.networkCameBack: [.dial], .stop: [.tell(.closed)]], due: (.zero ... .seconds(1), [.dial])),
        Row(
            testDescription: "trying again", history: [.start, ended, .networkCameBack],
            answers: [.opened: [.tell(.connected)], ended: [.tell(.reconnecting)], .stop: [.hangUp]]),
        Row(
            testDescription: "sending what is left", history: [.start, .opened, .stop],
            answers: [ended: [.tell(.closed)]], due: (.seconds(3) ... .seconds(3), [.hangUp])),
        Row(
            testDescription: "ending a try", history: [.start, .stop], answers: [ended: [.tell(.closed)]]),
        Row(testDescription: "closed", history: [.start, .opened, .stop, ended], answers: [:]),
    ]

    @Test("In every state every event does what belongs to it, and nothing else", arguments: rows)
    private func everyEvent(row: Row) {
        for event in [.start, .opened, .lost, Self.ended, .networkCameBack, .stop, .tick] as [Event] {
            var test = MachineUnderTest(after: row.history)
            #expect(test.handle(event) == row.answers[event, default: []], "\(event)")
        }
        var test = MachineUnderTest(after: row.history)
        #expect((test.deadline == nil) == (row.due == nil))
        guard let due = row.due, let deadline = test.deadline else { return }
        #expect(due.after.contains(deadline - test.now))
        test.now = deadline - .nanoseconds(1)
        #expect(test.handle(.tick) == [])
        test.now = deadline
        #expect(test.handle(.tick) == due.does)
        #expect(test.deadline == nil)
    }

    // MARK: Pauses

    @Test("After a loss it is tried again within a second, and later and later up to a minute, spread by chance")
    func pauses() {
        var shares: [Double] = []
        for seed in 0..<200 as Range<UInt64> {
            var test = MachineUnderTest(seed: seed, after: [.start])
            for failure in 0..<12 {
                _ = test.handle(Self.ended)
                #expect(test.machine.failures == failure + 1)
                let (pause, longest) = (test.pause, Duration.seconds(min(60, 1 << failure)))
                #expect(pause >= .zero && pause <= longest)
                shares.append(pause / longest)
                test.waitForItsTurn()
            }
        }
        // All of the range is used, everywhere alike.
        for tenth in 0..<10 {
            let count = shares.count { $0 >= Double(tenth) / 10 && $0 < Double(tenth + 1) / 10 }
            #expect(abs(Double(count) / Double(shares.count) - 0.1) < 0.03)
        }
    }

    @Test("Only a link that was stable for a minute makes the pauses small again", arguments: [0, 59, 60, 3_600])
    func stability(seconds: Int) {
        var test = MachineUnderTest(after: [.start])
        for _ in 0..<5 {
            _ = test.handle(Self.ended)
            test.waitForItsTurn()
        }
        _ = test.handle(.opened)
        test.now = test.now + .seconds(seconds)
        _ = test.handle(Self.ended)
        #expect(test.machine.failures == (seconds < 60 ? 6 : 1))
        #expect(test.pause <= .seconds(seconds < 60 ? 32 : 1))
    }

    @Test("A try that takes for ever is no stable link") func longTry() {
        var test = MachineUnderTest(after: [.start])
        for _ in 0..<3 {
            test.now = test.now + .seconds(600)
            _ = test.handle(Self.ended)
            test.waitForItsTurn()
        }
        #expect(test.machine.failures == 3)
    }

    @Test("A device that is not enrolled looks every five seconds whether it is by now, and has failed at nothing")
    func notEnrolled() {
        var test = MachineUnderTest(after: [.start])
        for _ in 0..<20 {
            #expect(test.handle(.ended(LinkEnd(isNotEnrolled: true))) == [.tell(.reconnecting)])
            #expect(test.pause == .seconds(5))
            #expect(test.machine.failures == 0)
            test.waitForItsTurn()
        }
    }

    @Test("A router that wants to be left alone is left alone for as long, also when the network comes back")
    func retryAfter() {
        var test = MachineUnderTest(after: [.start])
        let asked = test.now
        _ = test.handle(.ended(LinkEnd(retryAfter: .seconds(300))))
        #expect(test.pause == .seconds(300))
        for seconds in [0, 100, 299] {
            test.now = asked + .seconds(seconds)
            #expect(test.handle(.networkCameBack) == [])
            #expect(test.deadline == asked + .seconds(300))
        }
        test.now = asked + .seconds(300)
        #expect(test.handle(.tick) == [.dial])
        // What it said once does not count for ever.
        _ = test.handle(Self.ended)
        #expect(test.pause <= .seconds(2))
    }

    @Test("Where the pause is longer than the router wants to be left alone, a new network is tried as soon as it may")
    func retryAfterIsOver() {
        var test = MachineUnderTest(seed: 1, after: [.start])
        while test.pause <= .seconds(20) {
            test.waitForItsTurn()
            _ = test.handle(.ended(LinkEnd(retryAfter: .seconds(10))))
        }
        let ended = test.now
        test.now = ended + .seconds(2)
        #expect(test.handle(.networkCameBack) == [])
        #expect(test.deadline == ended + .seconds(10))
        test.now = ended + .seconds(10)
        #expect(test.handle(.tick) == [.dial])
    }

    // MARK: The network comes back

    @Test("While it waits, a network that comes back is tried at once") func networkWhileWaiting() {
        var test = MachineUnderTest.withLongPause(seed: 3)
        test.now = test.now + .seconds(7)
        #expect(test.handle(.networkCameBack) == [.dial])
        #expect(test.handle(.networkCameBack) == [])
    }

    @Test("A network that comes back during a try is tried at once when that fails, and once")
    func networkWhileTrying() {
        var test = MachineUnderTest.withLongPause(seed: 3)
        test.waitForItsTurn()
        #expect(test.handle(.networkCameBack) == [])
        test.now = test.now + .seconds(2)
        #expect(test.handle(Self.ended) == [.tell(.reconnecting)])
        #expect(test.deadline == test.now)
        #expect(test.handle(.tick) == [.dial])
        #expect(test.handle(Self.ended) == [.tell(.reconnecting)])
        #expect(test.handle(.tick) == [])
    }

    @Test("After the one try that a network is worth it is as rare again as before") func networkOnce() {
        var pauses: [Duration] = []
        for seed in 0..<50 as Range<UInt64> {
            var test = MachineUnderTest.withLongPause(seed: seed)
            test.waitForItsTurn()
            _ = test.handle(.networkCameBack)
            _ = test.handle(Self.ended)
            #expect(test.handle(.tick) == [.dial])
            _ = test.handle(Self.ended)
            pauses.append(test.pause)
        }
        #expect(pauses.count { $0 > .seconds(15) } > 20)
    }

    @Test("A network that came back during a try that succeeded is no reason to try, nor is one that comes back later")
    func networkWhileConnected() {
        for seed in 0..<50 as Range<UInt64> {
            var test = MachineUnderTest.withLongPause(seed: seed)
            test.waitForItsTurn()
            _ = test.handle(.networkCameBack)
            #expect(test.handle(.opened) == [.tell(.connected)])
            #expect(test.handle(.networkCameBack) == [])
            #expect(test.handle(Self.ended) == [.tell(.reconnecting)])
            #expect(test.handle(.tick) == [])
        }
    }

    @Test(
        "However often the network comes back, it is worth one try in five seconds", arguments: [10, 100, 700, 6_000])
    func networkComesAndGoes(milliseconds: Int) {
        for seed in 0..<20 as Range<UInt64> {
            var test = MachineUnderTest.withLongPause(seed: seed)
            let start = test.now
            var turn = test.deadline ?? start
            var atOnce: [MonotonicTime] = []
            while test.now - start < .seconds(60) {
                let next = test.now + .milliseconds(milliseconds)
                var actions = test.handle(.networkCameBack)
                while let deadline = test.deadline, deadline <= next, actions.isEmpty {
                    test.now = deadline
                    actions = test.handle(.tick)
                }
                if actions == [.dial] {
                    if test.now < turn { atOnce.append(test.now) }
                    _ = test.handle(Self.ended)
                    turn = test.deadline ?? test.now
                }
                test.now = next
            }
            #expect(zip(atOnce, atOnce.dropFirst()).allSatisfy { $1 - $0 >= .seconds(5) })
            #expect(atOnce.count >= 4)
        }
    }

    // MARK: The end

    @Test("What is left is sent when the agent stops, for three seconds at most") func draining() {
        var test = MachineUnderTest(after: [.start, .opened])
        #expect(test.handle(.stop) == [.tell(.draining), .drain])
        #expect(test.deadline == test.now + .seconds(3))
        test.now = test.now + .milliseconds(2_999)
        for event in [.tick, .networkCameBack, .stop, .opened, .start] as [Event] { #expect(test.handle(event) == []) }
        test.now = test.now + .milliseconds(1)
        #expect(test.handle(.tick) == [.hangUp])
        #expect(test.deadline == nil)
        #expect(!test.machine.isClosed)
        #expect(test.handle(Self.ended) == [.tell(.closed)])
        #expect(test.machine.isClosed)
    }

    @Test("A try is ended at once when the agent stops, also when it succeeds just then") func stopWhileTrying() {
        var test = MachineUnderTest(after: [.start])
        #expect(test.handle(.stop) == [.hangUp])
        #expect(test.handle(.opened) == [])
        #expect(!test.machine.isClosed)
        #expect(test.handle(Self.ended) == [.tell(.closed)])
        #expect(test.machine.isClosed)
    }

    // MARK: Anything

    /// What may be told after what.
    private static let order: [LinkState?: Set<LinkState>] = [
        nil: [.connecting, .closed], .connecting: [.connected, .reconnecting, .closed],
        .connected: [.reconnecting, .draining], .reconnecting: [.reconnecting, .connected, .closed],
        .draining: [.closed], .closed: [],
    ]

    @Test("Whatever happens, in whatever order: never two tries at once, no state out of order, no deadline missed")
    func anything() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var test = MachineUnderTest(seed: seed &+ 1_000)
            var told: LinkState?
            var isTrying = false
            var problems: [String] = []
            for _ in 0..<200 {
                let event = Self.event(using: &generator)
                test.now = test.now + .milliseconds(Int64.random(in: 0...20_000, using: &generator))
                if case .ended = event { isTrying = false }
                for action in test.handle(event) {
                    switch action {
                    case .tell(let state):
                        let mayBe = Self.order[told, default: []].contains(state)
                        if !mayBe { problems.append("\(told?.rawValue ?? "nothing"), then \(state)") }
                        told = state
                    case .dial:
                        if isTrying || told == .closed { problems.append("a try too many") }
                        isTrying = true
                    case .drain, .hangUp: if !isTrying { problems.append("nothing to end") }
                    }
                }
                if event == .tick, let deadline = test.deadline, deadline <= test.now { problems.append("missed") }
                if test.machine.isClosed != (told == .closed) { problems.append("closed, and not told, or otherwise") }
            }
            #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
        }
    }

    @Test("Without an agent that stops, the link is tried for ever") func forEver() {
        for seed in 0..<100 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var test = MachineUnderTest(seed: seed, after: [.start])
            var tries = 1
            while tries < 100 {
                if Bool.random(using: &generator) { _ = test.handle(.opened) }
                test.now = test.now + .seconds(Int64.random(in: 0...100, using: &generator))
                _ = test.handle(Self.end(using: &generator))
                if Bool.random(using: &generator) { _ = test.handle(.networkCameBack) }
                guard let deadline = test.deadline else {
                    tries += 1  // the network was tried at once
                    continue
                }
                test.now = max(test.now, deadline)
                #expect(test.handle(.tick) == [.dial])
                tries += 1
            }
        }
    }

    private static func event(using generator: inout SeededGenerator) -> Event {
        switch Int.random(in: 0..<40, using: &generator) {
        case 0 where Bool.random(using: &generator): .stop
        case 1..<5: .start
        case 5..<12: .opened
        case 12..<20: end(using: &generator)
        case 20..<26: .networkCameBack
        default: .tick
        }
    }

    private static func end(using generator: inout SeededGenerator) -> Event {
        let seconds = Int64.random(in: 0...30, using: &generator)
        return .ended(
            LinkEnd(
                retryAfter: Bool.random(using: &generator) ? .seconds(seconds) : nil,
                isNotEnrolled: Int.random(in: 0..<5, using: &generator) == 0))
    }
}

/// A machine with a clock that a test turns, and pauses that are the same each time.
private struct MachineUnderTest {
    var machine = LinkMachine()
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var generator: SeededGenerator

    init(seed: UInt64 = 0, after history: [LinkMachine.Event] = []) {
        generator = SeededGenerator(seed: seed)
        for event in history { _ = handle(event) }
    }

    /// A machine that waits for more than 20 seconds, after many failures.
    static func withLongPause(seed: UInt64) -> Self {
        var test = Self(seed: seed, after: [.start])
        repeat {
            test.waitForItsTurn()
            _ = test.handle(.ended(LinkEnd()))
        } while test.pause <= .seconds(20)
        return test
    }

    mutating func handle(_ event: LinkMachine.Event) -> [LinkMachine.Action] {
        machine.handle(event, at: now, using: &generator)
    }

    var deadline: MonotonicTime? { machine.deadline }

    /// How long it waits from now on.
    var pause: Duration { machine.deadline.map { $0 - now } ?? .zero }

    /// Lets the pause pass, where there is one.
    mutating func waitForItsTurn() {
        guard let deadline else { return }
        now = max(now, deadline)
        _ = handle(.tick)
    }
}
