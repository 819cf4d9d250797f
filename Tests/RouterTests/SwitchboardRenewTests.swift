import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a renewal reaches its owner's device only, with a deadline on the device's own clock, and always comes to an
/// end that says what is known.
@Suite(.timeLimit(.minutes(1))) struct SwitchboardRenewTests {
    private let point = MeetingPoint()
    private var board: Switchboard { point.board }

    @Test(
        "The device is asked as the holder asked, with a deadline on its own clock",
        arguments: [Duration.seconds(10), .zero])
    func down(_ duration: Duration) async throws {
        let notices = await point.connect(point.adas, clock: 500)
        let (_, task) = point.renew(duration)
        let renew = try await MeetingPoint.renew(in: notices)
        #expect(
            renew.renewal
                == LeaseRenewal(
                    component: Sample.heater, lease: "l1", duration: duration,
                    deadline: MonotonicTime(nanoseconds: 503_000_000_000)))
        task.cancel()
    }

    @Test("No renewal is good for longer than a minute")
    func longestExpiry() async throws {
        let notices = await point.connect(point.adas, clock: 500)
        let (_, task) = point.renew(expiry: .seconds(86_400))
        let renew = try await MeetingPoint.renew(in: notices)
        #expect(renew.renewal.deadline == MonotonicTime(nanoseconds: 560_000_000_000))
        task.cancel()
    }

    @Test(
        "The device's answer is the answer",
        arguments: [CommandOutcome(.done), CommandOutcome(.refused, "it was switched off"), CommandOutcome(.expired)])
    func answer(_ outcome: CommandOutcome) async throws {
        let notices = await point.connect(point.adas)
        let (end, _) = point.renew()
        let renew = try await MeetingPoint.renew(in: notices)
        await board.renewed(Renewed(id: renew.id, outcome), by: point.adas)
        #expect(await end.next() == outcome)
    }

    @Test("Each of many renewals gets its own answer, whatever the order, and under a name of its own")
    func many() async throws {
        let notices = await point.connect(point.adas)
        let ends = (0..<20).map { number in point.renew(.seconds(10 + number)).end }
        var asked: [Renew] = []
        for _ in ends { asked.append(try await MeetingPoint.renew(in: notices)) }
        #expect(Set(asked.map(\.id)).count == 20)
        var generator = SeededGenerator(seed: 7)
        for renew in asked.shuffled(using: &generator) {
            let words = "\(renew.renewal.duration)"
            await board.renewed(Renewed(id: renew.id, CommandOutcome(.refused, words)), by: point.adas)
        }
        for (number, end) in ends.enumerated() {
            #expect(await end.next()?.reason == "\(Duration.seconds(10 + number))")
        }
    }

    @Test("Somebody else's device is no other than one that is not connected, and hears nothing")
    func foreign() async throws {
        let notices = await point.connect(point.bobs)
        let foreign = try #require(await point.renew(device: 20).end.next())
        let absent = try #require(await point.renew(device: 99).end.next())
        let own = try #require(await point.renew().end.next())
        #expect(foreign == absent)
        #expect(foreign == own)
        #expect(foreign == CommandOutcome(.unreachable, "the device is not connected"))
        #expect(notices.count == 0)
    }

    @Test("Another device's word about a renewal is no answer, and a word about none harms nobody")
    func foreignAnswer() async throws {
        let notices = await point.connect(point.adas)
        let (end, _) = point.renew()
        let renew = try await MeetingPoint.renew(in: notices)
        await board.renewed(Renewed(id: renew.id, CommandOutcome(.refused)), by: point.bobs)
        await board.renewed(Renewed(id: "another", CommandOutcome(.refused)), by: point.adas)
        await board.renewed(Renewed(id: renew.id, CommandOutcome(.done)), by: point.adas)
        #expect(await end.next() == CommandOutcome(.done))
    }

    @Test("When too much waits for a device the renewal has not reached it")
    func full() async throws {
        let notices = await point.connect(point.adas)
        for _ in 0..<64 { notices.send(.replaced) }
        let outcome = try #require(await point.renew().end.next())
        #expect(outcome.status == .unreachable)
        #expect(outcome.reason == "too many commands are waiting for this device; try again in a moment")
    }

    @Test("Without an answer the end is unknown, five seconds after the renewal has expired and not before")
    func timeout() async throws {
        let notices = await point.connect(point.adas)
        let (late, _) = point.renew()
        let first = try await MeetingPoint.renew(in: notices)
        let (lost, _) = point.renew()
        let second = try await MeetingPoint.renew(in: notices)
        await point.time.untilSleepers(2)
        point.time.advance(by: .milliseconds(7_999))
        await board.renewed(Renewed(id: first.id, CommandOutcome(.done)), by: point.adas)
        #expect(await late.next() == CommandOutcome(.done))
        point.time.advance(by: .milliseconds(1))
        let outcome = try #require(await lost.next())
        #expect(outcome == CommandOutcome(.unknown))
        #expect(Failure(renewal: outcome)?.message.contains("may have been renewed") == true)
        // An answer that comes too late is nobody's.
        await board.renewed(Renewed(id: second.id, CommandOutcome(.done)), by: point.adas)
    }

    @Test("What is read after its deadline is expired, and the device hears nothing of it")
    func readLate() async throws {
        let notices = await point.connect(point.adas)
        for deadline in [point.time.now, MonotonicTime(nanoseconds: .min)] {
            let outcome = try #require(await point.renew(deadline: deadline).end.next())
            #expect(outcome == CommandOutcome(.expired))
            #expect(Failure(renewal: outcome)?.message.contains("came too late") == true)
        }
        #expect(notices.count == 0)
    }

    /// Ada and Bob have each asked their device, and have no answer yet.
    ///
    /// - Returns: What Ada's device is told, where the two answers arrive, and what Bob's device was asked.
    private func bothAsked() async throws -> (
        notices: Mailbox<Switchboard.Notice>, ada: Mailbox<CommandOutcome>, bob: Mailbox<CommandOutcome>, bobs: Renew
    ) {
        let notices = await point.connect(point.adas)
        let others = await point.connect(point.bobs)
        let (ada, _) = point.renew()
        let (bob, _) = point.renew(device: 20, owner: point.bob)
        _ = try await MeetingPoint.renew(in: notices)
        let bobs = try await MeetingPoint.renew(in: others)
        await point.time.untilSleepers(2)
        return (notices, ada, bob, bobs)
    }

    @Test("When the device comes on a new connection, the end of what it was asked on the old one is unknown, at once")
    func newConnection() async throws {
        let (_, end, other, theirs) = try await bothAsked()
        let next = await point.connect(point.adas)
        #expect(await end.next() == CommandOutcome(.unknown))
        // The new connection has names of its own, and so has everybody else's.
        let (again, _) = point.renew()
        let renew = try await MeetingPoint.renew(in: next)
        await board.renewed(Renewed(id: renew.id, CommandOutcome(.done)), by: point.adas)
        #expect(await again.next() == CommandOutcome(.done))
        await board.renewed(Renewed(id: theirs.id, CommandOutcome(.done)), by: point.bobs)
        #expect(await other.next() == CommandOutcome(.done))
    }

    @Test("When the device's connection is lost, the end of what it was asked is unknown, at once")
    func lostConnection() async throws {
        let (notices, end, other, theirs) = try await bothAsked()
        _ = await board.disconnect(point.adas, notices: notices)
        #expect(await end.next()?.status == .unknown)
        await board.renewed(Renewed(id: theirs.id, CommandOutcome(.done)), by: point.bobs)
        #expect(await other.next() == CommandOutcome(.done))
    }
}
