import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a command reaches its owner's device only, with a deadline on the device's own clock, and always comes to an
/// end that says what is known.
@Suite(.timeLimit(.minutes(1))) struct SwitchboardCallTests {
    private let point = MeetingPoint()
    private var board: Switchboard { point.board }

    // MARK: Down

    @Test("The device gets the command as it was given, with who gave it and a deadline on its own clock")
    func command() async throws {
        let notices = await point.connect(point.adas, clock: 500)
        let lease = Lease(id: "l1", duration: .seconds(10), isRenewed: true)
        let (_, task) = point.call(lease: lease)
        let call = try await MeetingPoint.call(in: notices)
        #expect(
            call
                == Call(
                    id: "c1", component: Sample.heater, action: "on", parameters: ["for": .number(3)],
                    deadline: MonotonicTime(nanoseconds: 510_000_000_000), by: "ada", lease: lease))
        task.cancel()
    }

    @Test("What the device says of its clock later moves the deadlines")
    func clock() async throws {
        let notices = await point.connect(point.adas, clock: 500)
        point.time.advance(by: .seconds(60))
        await board.hear(point.adas, clock: MonotonicTime(nanoseconds: 557_000_000_000), on: notices)  // it runs slow
        let (_, task) = point.call()
        #expect(try await MeetingPoint.call(in: notices).deadline == MonotonicTime(nanoseconds: 567_000_000_000))
        task.cancel()
    }

    @Test("No command is good for longer than a minute")
    func longestExpiry() async throws {
        let notices = await point.connect(point.adas, clock: 500)
        let (_, task) = point.call(expiry: .seconds(86_400))
        #expect(try await MeetingPoint.call(in: notices).deadline == MonotonicTime(nanoseconds: 560_000_000_000))
        task.cancel()
    }

    @Test("What the device itself says of a command counts before it is stored, and what another one says never does")
    func called() async throws {
        let notices = await point.connect(point.adas)
        let (end, task) = point.call()
        let call = try await MeetingPoint.call(in: notices)
        await point.board.called(Called(id: call.id, CommandOutcome(.failed)), by: point.bobs)
        await point.board.called(Called(id: "another", CommandOutcome(.failed)), by: point.adas)
        await point.board.called(Called(id: call.id, CommandOutcome(.done)), by: point.adas)
        #expect(try #require(await end.next()).status == .done)
        await task.value
    }

    @Test("A device that is not connected is unreachable, at once")
    func offline() async throws {
        let result = try #require(await point.call().end.next())
        #expect(result.status == .unreachable)
        #expect(result.reason == "the device is not connected")
        #expect(result.id == "c1")
        #expect(result.component == Sample.heater)
        #expect(result.action == "on")
    }

    @Test("Somebody else's device is no other than one that is not connected, and hears nothing")
    func foreign() async throws {
        let notices = await point.connect(point.bobs)
        let foreign = try #require(await point.call(device: 20).end.next())
        let absent = try #require(await point.call(device: 99).end.next())
        #expect(foreign == absent)
        #expect(foreign.status == .unreachable)
        #expect(notices.count == 0)
    }

    @Test("When too many commands wait for a device, one more is refused")
    func full() async throws {
        let notices = await point.connect(point.adas)
        for _ in 0..<64 { notices.send(.replaced) }
        let result = try #require(await point.call().end.next())
        #expect(result.status == .refused)
        #expect(result.reason?.contains("too many commands") == true)
        // It is not held against its id: there is room again.
        while notices.takeIfWaiting() != nil {}
        let (_, task) = point.call()
        #expect(try await MeetingPoint.call(in: notices).id == "c1")
        task.cancel()
    }

    @Test("While a command is being done, another of the same id is refused")
    func sameID() async throws {
        let notices = await point.connect(point.adas)
        let (_, task) = point.call()
        _ = try await MeetingPoint.call(in: notices)
        await point.time.untilSleepers()
        let second = try #require(await point.call().end.next())
        #expect(second.status == .refused)
        #expect(second.reason?.contains("being done already") == true)
        #expect(notices.count == 0)
        task.cancel()
    }

    // MARK: Up

    @Test("The device's result is the answer", arguments: [CommandStatus.done, .refused, .failed, .expired])
    func result(_ status: CommandStatus) async throws {
        let notices = await point.connect(point.adas)
        let (end, _) = point.call()
        _ = try await MeetingPoint.call(in: notices)
        await point.time.untilSleepers()
        await point.publish([Sample.result(1, "c1", status)], of: point.adas)
        let result = try #require(await end.next())
        #expect(result.status == status)
        #expect(result.id == "c1")
    }

    @Test("Each of many commands gets its own result, whatever the order of the answers")
    func many() async throws {
        let notices = await point.connect(point.adas)
        let ids = (0..<20).map { CommandID(stringLiteral: "c\($0)") }
        let calls = ids.map { point.call($0).end }
        for _ in ids { _ = try await MeetingPoint.call(in: notices) }
        await point.time.untilSleepers(20)
        var generator = SeededGenerator(seed: 7)
        for (number, id) in ids.shuffled(using: &generator).enumerated() {
            await point.publish([Sample.result(UInt64(number + 1), id)], of: point.adas)
        }
        for (id, end) in zip(ids, calls) { #expect(await end.next()?.id == id) }
    }

    @Test("Another device's word about a command is no answer")
    func foreignResult() async throws {
        let notices = await point.connect(point.adas)
        let (end, _) = point.call()
        _ = try await MeetingPoint.call(in: notices)
        await point.time.untilSleepers()
        await point.publish([Sample.result(1, "c1", .failed)], of: point.bobs)
        await point.publish([Sample.result(1, "c1", .done)], of: point.adas)
        #expect(await end.next()?.status == .done)
    }

    @Test("A result that comes at once is not lost")
    func resultAtOnce() async throws {
        let notices = await point.connect(point.adas)
        for number in 0..<200 {
            let id = CommandID(stringLiteral: "c\(number)")
            let (end, _) = point.call(id)
            _ = try await MeetingPoint.call(in: notices)
            await point.publish([Sample.result(UInt64(number + 1), id)], of: point.adas)
            try #require(await end.next()?.status == .done, "command \(number)")
        }
    }

    // MARK: Read late

    @Test("What is read after its deadline is expired, and the device hears nothing of it")
    func readLate() async throws {
        let notices = await point.connect(point.adas)
        let (end, _) = point.call("late", deadline: point.time.now)
        #expect(await end.next()?.status == .expired)
        let (past, _) = point.call("past", deadline: MonotonicTime(nanoseconds: .min))
        #expect(await past.next()?.status == .expired)
        #expect(notices.count == 0)
    }

    @Test("What is read late has only what is left of its time; a deadline gives none more than its expiry")
    func readInTime() async throws {
        let notices = await point.connect(point.adas)
        for (deadline, left) in [(Duration.seconds(2), Duration.seconds(2)), (.seconds(500), .seconds(10))] {
            let seconds = left.components.seconds
            _ = point.call(CommandID(stringLiteral: "c\(seconds)"), deadline: point.time.now + deadline)
            let call = try await MeetingPoint.call(in: notices)
            _ = point.call(CommandID(stringLiteral: "d\(seconds)"), expiry: left)
            #expect(try await MeetingPoint.call(in: notices).deadline == call.deadline)
        }
    }

    // MARK: No answer

    @Test("Without an answer the end is unknown, five seconds after the command has expired and not before")
    func timeout() async throws {
        let notices = await point.connect(point.adas)
        let (late, _) = point.call("late", expiry: .seconds(10))
        let (lost, _) = point.call("lost", expiry: .seconds(10))
        for _ in 0..<2 { _ = try await MeetingPoint.call(in: notices) }
        await point.time.untilSleepers(2)
        point.time.advance(by: .milliseconds(14_999))
        await point.publish([Sample.result(1, "late")], of: point.adas)
        #expect(await late.next()?.status == .done)
        point.time.advance(by: .milliseconds(1))
        let result = try #require(await lost.next())
        #expect(result.status == .unknown)
        #expect(result.reason?.contains("it may have been done") == true)
    }

    @Test("When the device's connection is lost, the end of what it was doing is unknown, at once")
    func lostConnection() async throws {
        let notices = await point.connect(point.adas)
        let others = await point.connect(point.bobs)
        let (end, _) = point.call()
        let (other, _) = point.call("c2", device: 20, owner: point.bob)
        _ = try await MeetingPoint.call(in: notices)
        _ = try await MeetingPoint.call(in: others)
        await point.time.untilSleepers(2)
        _ = await board.disconnect(point.adas, notices: notices)
        #expect(await end.next()?.status == .unknown)
        // Commands of other devices go on.
        await point.publish([Sample.result(1, "c2")], of: point.bobs)
        #expect(await other.next()?.status == .done)
    }

    @Test("A connection that is lost just as the command goes out ends it, too")
    func lostAtOnce() async throws {
        for number in 0..<200 {
            let notices = await point.connect(point.adas)
            let (end, _) = point.call(CommandID(stringLiteral: "c\(number)"))
            _ = try await MeetingPoint.call(in: notices)
            _ = await board.disconnect(point.adas, notices: notices)
            try #require(await end.next()?.status == .unknown, "command \(number)")
        }
    }

    @Test("A result that comes on the device's next connection is still the answer")
    func nextConnection() async throws {
        let first = await point.connect(point.adas)
        let (end, _) = point.call()
        _ = try await MeetingPoint.call(in: first)
        await point.time.untilSleepers()
        _ = await point.connect(point.adas)
        #expect(await !board.disconnect(point.adas, notices: first))
        await point.publish([Sample.result(1, "c1")], of: point.adas)
        #expect(await end.next()?.status == .done)
    }

    @Test("What a lost connection was told is not told to the next one, which begins with what is asked then")
    func notReplayed() async throws {
        let first = await point.connect(point.adas)
        let (end, _) = point.call("lost")
        #expect(try await MeetingPoint.call(in: first).id == "lost")
        await point.time.untilSleepers()
        _ = await board.disconnect(point.adas, notices: first)
        #expect(await end.next()?.status == .unknown)
        let next = await point.connect(point.adas)
        #expect(next.count == 0)
        let (_, task) = point.call("fresh")
        #expect(try await MeetingPoint.call(in: next).id == "fresh")
        #expect(next.count == 0)
        task.cancel()
    }

    @Test("What a connection has not read when it is replaced is not handed on to the one that replaces it")
    func notHandedOn() async throws {
        let first = await point.connect(point.adas)
        let (_, unread) = point.call("unread")
        await point.time.untilSleepers()
        #expect(first.count == 1)
        let next = await point.connect(point.adas)
        #expect(next.count == 0)
        let (_, task) = point.call("fresh")
        #expect(try await MeetingPoint.call(in: next).id == "fresh")
        #expect(next.count == 0)
        for task in [unread, task] { task.cancel() }
    }

    @Test("A command whose asker has gone leaves nothing behind: its id is free, and a late result harms nobody")
    func askerGone() async throws {
        let notices = await point.connect(point.adas)
        let (end, task) = point.call()
        _ = try await MeetingPoint.call(in: notices)
        await point.time.untilSleepers()
        task.cancel()
        #expect(await end.next() != nil)
        await point.publish([Sample.result(1, "c1")], of: point.adas)
        let (again, second) = point.call()
        _ = try await MeetingPoint.call(in: notices)
        await point.time.untilSleepers()
        second.cancel()
        #expect(await again.next()?.status == .unknown)
    }

    @Test("A command whose asker is gone before it goes out comes to an end like any other")
    func askerGoneBefore() async throws {
        let notices = await point.connect(point.adas)
        for number in 0..<200 {
            let (end, task) = point.call(CommandID(stringLiteral: "c\(number)"))
            task.cancel()
            try #require(await end.next() != nil, "command \(number)")
            while notices.takeIfWaiting() != nil {}
        }
    }
}
