import Client
import DeviceModel
import TestSupport
import Testing

/// An output stays held for exactly as long as its holder wants and its device answers; whatever happens, the hold comes
/// to an end that is true.
@Suite struct HoldTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var now = start
    private var hold = Hold(at: start)

    private mutating func handle(_ event: Hold.Event, after wait: Duration = .zero) -> [Hold.Action] {
        now = now + wait
        return hold.handle(event, at: now)
    }

    /// Lets the next deadline come.
    private mutating func tick() -> [Hold.Action] {
        now = hold.deadline
        return hold.handle(.tick, at: now)
    }

    private static func renewal(_ attempt: Int, expiry: Duration = .seconds(3)) -> Hold.Action {
        .renew(attempt: attempt, .seconds(10), expiry: expiry)
    }

    private static func end(_ attempt: Int, expiry: Duration = .seconds(3)) -> Hold.Action {
        .renew(attempt: attempt, .zero, expiry: expiry)
    }

    // MARK: Holding

    @Test("The lease is renewed every three seconds, however long the answers take")
    mutating func renews() {
        #expect(hold.deadline == Self.start + .seconds(3))
        for attempt in 1...100 {
            #expect(tick() == [Self.renewal(attempt)])
            #expect(now == Self.start + .seconds(3 * attempt))
            #expect(handle(.renewed(attempt: attempt), after: .milliseconds(attempt * 20)) == [])
        }
    }

    @Test("Nothing is asked before its time")
    mutating func early() {
        #expect(handle(.tick, after: .milliseconds(2_999)) == [])
        #expect(handle(.tick, after: .milliseconds(1)) == [Self.renewal(1)])
        #expect(handle(.tick, after: .milliseconds(2_999)) == [])
    }

    // MARK: Letting go

    @Test("Who lets go ends the lease at once, and it is over when the device says so")
    mutating func release() {
        #expect(handle(.release, after: .milliseconds(200)) == [Self.end(1)])
        #expect(handle(.renewed(attempt: 1)) == [.abandon(attempt: 1), .end(.released)])
        #expect(handle(.tick, after: .seconds(60)) == [])
        #expect(handle(.release) == [])
    }

    @Test("Who lets go while a renewal is on its way ends the lease after it")
    mutating func releaseMeanwhile() {
        #expect(tick() == [Self.renewal(1)])
        #expect(handle(.release, after: .milliseconds(50)) == [])
        #expect(handle(.renewed(attempt: 1), after: .milliseconds(50)) == [Self.end(2)])
        #expect(handle(.renewed(attempt: 2)) == [.abandon(attempt: 2), .end(.released)])
    }

    @Test("Who lets go while the device cannot be reached is heard at the next try, and that is now")
    mutating func releaseWhileLost() {
        _ = tick()
        #expect(handle(.lost(attempt: 1, reason: "gone")) == [.tell(.lost(reason: "gone"))])
        #expect(handle(.release, after: .milliseconds(100)) == [Self.end(2)])
        #expect(handle(.lost(attempt: 2, reason: "still gone")) == [])
        #expect(tick() == [Self.end(3)])
        #expect(handle(.renewed(attempt: 3)) == [.abandon(attempt: 3), .end(.released)])
    }

    @Test("Who lets go twice does not wait for the device, and is not told that it has answered")
    mutating func releaseTwice() {
        _ = handle(.release)
        #expect(
            handle(.release) == [
                .abandon(attempt: 1), .end(.lost(reason: "the device has not confirmed the end")),
            ])
    }

    // MARK: What goes wrong

    @Test("A refusal ends the hold with its reason, also where the holder is letting go", arguments: [false, true])
    mutating func refused(_ isReleasing: Bool) {
        let refusal = Hold.Refusal(.conflict, "bob has switched it off")
        _ = isReleasing ? handle(.release) : tick()
        #expect(handle(.refused(attempt: 1, refusal)) == [.abandon(attempt: 1), .end(.refused(refusal))])
    }

    @Test("A renewal without an answer is given up after three seconds, told once, and tried again half a second later")
    mutating func noAnswer() {
        #expect(tick() == [Self.renewal(1)])
        #expect(tick() == [.abandon(attempt: 1), .tell(.lost(reason: "no answer comes"))])
        #expect(now == Self.start + .seconds(6))
        #expect(tick() == [Self.renewal(2)])
        #expect(now == Self.start + .milliseconds(6_500))
        #expect(handle(.renewed(attempt: 2)) == [.tell(.back)])
        // It has a whole lease again, and a whole interval.
        #expect(hold.deadline == Self.start + .milliseconds(9_500))
        #expect(tick() == [Self.renewal(3)])
        #expect(handle(.renewed(attempt: 3)) == [])
    }

    @Test("The answer to an attempt that was given up counts for nothing")
    mutating func lateAnswer() {
        _ = tick()
        _ = tick()
        #expect(handle(.renewed(attempt: 1)) == [])
        #expect(handle(.refused(attempt: 1, Hold.Refusal(.conflict, "over"))) == [])
        #expect(tick() == [Self.renewal(2)])
        #expect(handle(.renewed(attempt: 1)) == [])
        #expect(handle(.lost(attempt: 1, reason: "gone")) == [])
        #expect(handle(.renewed(attempt: 2)) == [.tell(.back)])
    }

    @Test("A device that stays away is given up when the last confirmed lease has ended, and not before")
    mutating func staysAway() {
        _ = tick()
        _ = handle(.renewed(attempt: 1), after: .milliseconds(100))
        let confirmed = now
        var attempt = 1
        var actions: [Hold.Action] = []
        while !actions.contains(where: { if case .end = $0 { true } else { false } }) {
            actions = tick()
            #expect(now <= confirmed + .seconds(10))
            for action in actions {
                switch action {
                case .renew(let number, let duration, let expiry):
                    attempt = number
                    #expect(duration == .seconds(10))
                    // Nothing that is sent may be done later than the end that is told.
                    #expect(now + expiry <= confirmed + .seconds(10))
                    _ = handle(.lost(attempt: number, reason: "gone \(number)"), after: .milliseconds(10))
                case .tell: Issue.record("told twice")
                case .abandon: Issue.record("given up before its time")
                case .end(let end): #expect(end == .lost(reason: "gone \(attempt)"))
                }
            }
        }
        #expect(now == confirmed + .seconds(10))
        #expect(attempt > 10)
    }

    @Test("An attempt that still hangs when the lease has ended does not put the end off")
    mutating func hangsToTheEnd() {
        var expiries: [Duration] = []
        var last: [Hold.Action] = []
        while now < Self.start + .seconds(10) {
            last = tick()
            for case .renew(_, _, let expiry) in last { expiries.append(expiry) }
        }
        #expect(now == Self.start + .seconds(10))
        #expect(last.last == .end(.lost(reason: "no answer comes")))
        #expect(expiries == [.seconds(3), .seconds(3)])
    }

    @Test(
        "Whatever happens, a hold that is not confirmed ends in time, and never tells of an end twice",
        arguments: 1...200)
    mutating func anything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var confirmed = now
        var attempt = 0
        var ends = 0
        for _ in 0..<300 {
            let event: Hold.Event =
                switch Int.random(in: 0...20, using: &generator) {
                case 0...8: .tick
                case 9...12: .renewed(attempt: Int.random(in: max(0, attempt - 1)...attempt, using: &generator))
                case 13...18: .lost(attempt: attempt, reason: "gone")
                case 19: .release
                default: .refused(attempt: attempt - 1, Hold.Refusal(.conflict, "over"))
                }
            let wait = min(hold.deadline - now, .milliseconds(Int.random(in: 0...4_000, using: &generator)))
            let isOver = ends > 0
            if case .renewed(attempt) = event, !isOver { confirmed = now + wait }
            for action in handle(event, after: isOver ? .zero : wait) {
                #expect(!isOver)
                if case .renew(let number, _, _) = action { attempt = number }
                if case .end = action { ends += 1 }
            }
            if ends == 0 { #expect(now <= confirmed + .seconds(10)) }
        }
        #expect(ends <= 1)
    }
}
