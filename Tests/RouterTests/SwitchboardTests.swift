import DeviceModel
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: whoever watches hears at once of their own devices and of nobody else's, and nobody who is slow holds up the
/// others.
@Suite(.timeLimit(.minutes(1))) struct SwitchboardTests {
    private let point = MeetingPoint()
    private var board: Switchboard { point.board }

    private func isReplaced(_ notices: MeetingPoint.Notices) -> Bool {
        if case .replaced = notices.takeIfWaiting() { true } else { false }
    }

    // MARK: Presence

    @Test("A device is there from its proof to the end of its connection, for its owner only")
    func presence() async {
        #expect(await board.presence(of: 10, owner: point.ada) == nil)
        let notices = await point.connect(point.adas)
        #expect(await board.presence(of: 10, owner: point.ada) == point.time.wall)
        #expect(await board.presence(of: 10, owner: point.bob) == nil)
        #expect(await board.disconnect(point.adas, notices: notices))
        #expect(await board.presence(of: 10, owner: point.ada) == nil)
    }

    @Test("What is heard of a device is remembered with its time")
    func lastHeard() async {
        let notices = await point.connect(point.adas)
        point.time.advance(by: .seconds(20))
        #expect(await board.presence(of: 10, owner: point.ada) == point.time.wall - .seconds(20))
        await board.hear(point.adas, clock: nil, on: MeetingPoint.notices())  // of a connection that was replaced
        #expect(await board.presence(of: 10, owner: point.ada) == point.time.wall - .seconds(20))
        await board.hear(point.adas, clock: nil, on: notices)
        #expect(await board.presence(of: 10, owner: point.ada) == point.time.wall)
    }

    @Test("A second connection of a device takes the first one's place, which is told so")
    func replaced() async {
        let first = await point.connect(point.adas)
        let second = await point.connect(point.adas)
        #expect(isReplaced(first))
        #expect(second.count == 0)
        // The first one's end does not make the device absent.
        #expect(await !board.disconnect(point.adas, notices: first))
        #expect(await board.presence(of: 10, owner: point.ada) != nil)
        #expect(await board.disconnect(point.adas, notices: second))
    }

    @Test("A command waits until a device was looked at once more, and finds the alarm that there is by then")
    func confirmed() async throws {
        let notices = MeetingPoint.notices()
        await board.connect(point.adas, notices: notices, clock: MonotonicTime(nanoseconds: 0), boot: 1)
        let (early, task) = point.call()
        var doubted = point.adas
        doubted.alarm = "two of it"
        await board.confirm(doubted, notices: MeetingPoint.notices())  // another connection's word
        #expect(notices.takeIfWaiting() == nil)
        await board.confirm(doubted, notices: notices)
        #expect(await early.next()?.reason?.contains("two of it") == true)
        await task.value
        #expect(notices.takeIfWaiting() == nil)
    }

    @Test("A command that waits for a device that goes again is told that it is gone", arguments: [true, false])
    func neverConfirmed(isReplaced: Bool) async throws {
        let notices = MeetingPoint.notices()
        await board.connect(point.adas, notices: notices, clock: MonotonicTime(nanoseconds: 0), boot: 1)
        let (end, task) = point.call()
        while await !board.isAwaited(10) {
            try Task.checkCancellation()
            await Task.yield()
        }
        if isReplaced { await board.replace(10) } else { _ = await board.disconnect(point.adas, notices: notices) }
        #expect(await end.next()?.status == .unreachable)
        await task.value
    }

    @Test("What was decided while it was looked at counts, and not what was read before")
    func decidedMeanwhile() async {
        let notices = MeetingPoint.notices()
        let (_, arrivals) = await board.watch(point.ada)
        await board.connect(point.adas, notices: notices, clock: MonotonicTime(nanoseconds: 0), boot: 1)
        await board.withhold(point.adas, because: "two of it")
        await board.confirm(point.adas, notices: notices)
        var alarms: [String?] = []
        while case .device(let news) = arrivals.takeIfWaiting() { alarms.append(news.alarm) }
        #expect(alarms == [nil, "two of it"])
        let (refused, task) = point.call()
        #expect(await refused.next()?.status == .refused)
        await task.value
    }

    // MARK: Watching

    @Test("Whoever watches hears that a device comes and goes")
    func comesAndGoes() async {
        let (_, arrivals) = await board.watch(point.ada)
        let notices = await point.connect(point.adas)
        point.time.advance(by: .seconds(5))
        _ = await board.disconnect(point.adas, notices: notices)
        let start = point.time.wall - .seconds(5)
        #expect(
            arrivals.takeIfWaiting()
                == .device(DeviceSummary(device: "greenhouse", isOnline: true, lastSeen: start)))
        #expect(
            arrivals.takeIfWaiting()
                == .device(DeviceSummary(device: "greenhouse", isOnline: false, lastSeen: point.time.wall)))
        #expect(arrivals.takeIfWaiting() == nil)
    }

    @Test("That nothing is commanded, or that a device is wanted no more, is told also when it goes")
    func goesInDoubt() async {
        let (_, arrivals) = await board.watch(point.ada)
        let notices = await point.connect(point.adas)
        await board.withhold(point.adas, because: "two of it")
        await board.revoke(10, owner: point.ada)
        _ = await board.disconnect(point.adas, notices: notices)
        var expected = DeviceSummary(device: "greenhouse", isOnline: true, lastSeen: point.time.wall)
        #expect(arrivals.takeIfWaiting() == .device(expected))
        expected.alarm = "two of it"
        #expect(arrivals.takeIfWaiting() == .device(expected))
        (expected.isOnline, expected.isRevoked) = (false, true)
        #expect(arrivals.takeIfWaiting() == .device(expected))
    }

    @Test("Everything that is new reaches every watcher, in its order, with the quantity that the device describes")
    func fanOut() async {
        let watchers = [await board.watch(point.ada).arrivals, await board.watch(point.ada).arrivals]
        let gap = Gap(3...9, of: .telemetry, epoch: Sample.epoch, reason: .storeFull)
        let event = Sample.item(2, .event(Event(component: Sample.climate, name: "pressed")))
        await point.publish(
            [Sample.reading(1), event], gaps: [gap], of: point.adas, Sample.description("greenhouse"))
        for arrivals in watchers {
            let reading = Sample.reading(1).observation
            #expect(
                arrivals.takeIfWaiting()
                    == .observation(
                        ReportedObservation(
                            device: "greenhouse", time: Sample.wall(1), content: reading.content,
                            quantity: .temperature,
                            position: StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 1))))
            #expect(
                arrivals.takeIfWaiting()
                    == .observation(
                        ReportedObservation(
                            device: "greenhouse", time: Sample.wall(2), content: event.observation.content,
                            position: StreamPosition(stream: .telemetry, epoch: Sample.epoch, sequence: 2))))
            #expect(arrivals.takeIfWaiting() == .gap(ReportedGap(device: "greenhouse", gap: gap)))
            #expect(arrivals.takeIfWaiting() == nil)
        }
    }

    @Test("Nobody hears of anybody else's devices, whatever their names")
    func isolation() async {
        let (_, adas) = await board.watch(point.ada)
        let (_, bobs) = await board.watch(point.bob)
        let notices = await point.connect(point.bobs)
        await point.publish([Sample.reading(1)], of: point.bobs)
        _ = await board.disconnect(point.bobs, notices: notices)
        #expect(adas.count == 0)
        #expect(bobs.count == 3)
    }

    @Test("A watcher who does not read loses the oldest news beyond 1024, and holds up nobody")
    func slowWatcher() async {
        let (_, slow) = await board.watch(point.ada)
        let (_, quick) = await board.watch(point.ada)
        for number: UInt64 in 1...1_100 {
            await point.publish([Sample.reading(number)], of: point.adas)
            guard case .observation(let report) = quick.takeIfWaiting() else {
                Issue.record("number \(number) did not come")
                return
            }
            #expect(report.position?.sequence == number)
        }
        #expect(slow.count == 1_024)
        guard case .observation(let oldest) = slow.takeIfWaiting() else {
            Issue.record("the slow watcher has nothing")
            return
        }
        #expect(oldest.position?.sequence == 77)
    }

    @Test("Who does not watch any more hears nothing any more; who still does, does")
    func endWatch() async {
        let (id, ended) = await board.watch(point.ada)
        let (_, other) = await board.watch(point.ada)
        await board.endWatch(point.ada, id: id)
        await point.publish([Sample.reading(1)], of: point.adas)
        #expect(ended.count == 0)
        #expect(await ended.next() == nil)
        #expect(other.count == 1)
    }

    @Test("Nobody ends anybody else's watch")
    func foreignEndWatch() async {
        let (id, arrivals) = await board.watch(point.ada)
        await board.endWatch(point.bob, id: id)
        await point.publish([Sample.reading(1)], of: point.adas)
        #expect(arrivals.count == 1)
    }

    @Test("Whoever watches is told when more is missing of a device than they knew, for their own devices only")
    func losses() async {
        let (_, adas) = await board.watch(point.ada)
        let (_, bobs) = await board.watch(point.bob)
        let losses = DeviceLosses(missing: 4, unknown: 1, conflicts: 2)
        await board.warn(of: losses, point.adas)
        let news = DeviceSummary(
            device: "greenhouse", isOnline: false, lastSeen: point.time.wall, losses: losses)
        #expect(adas.takeIfWaiting() == .device(news))
        #expect(bobs.count == 0)
    }

    // MARK: Waiting to be accepted

    @Test("A device that waits is told when it is accepted, and no other")
    func accept() async {
        let (first, second) = (MeetingPoint.notices(), MeetingPoint.notices())
        await board.wait(key: Sample.key(1), notices: first)
        await board.wait(key: Sample.key(2), notices: second)
        await board.accept(key: Sample.key(1), by: point.ada)
        guard case .accepted(let owner) = first.takeIfWaiting() else {
            Issue.record("the device was not told")
            return
        }
        #expect(owner == point.ada)
        #expect(second.count == 0)
    }

    @Test("A device that hung up is not told; one that came back is, whenever its old connection ends")
    func stopWaiting() async {
        let (old, new) = (MeetingPoint.notices(), MeetingPoint.notices())
        await board.wait(key: Sample.key(1), notices: old)
        await board.wait(key: Sample.key(1), notices: new)
        await board.stopWaiting(key: Sample.key(1), notices: old)
        await board.accept(key: Sample.key(1), by: point.ada)
        #expect(old.count == 0)
        #expect(new.count == 1)
        await board.stopWaiting(key: Sample.key(1), notices: new)
        await board.accept(key: Sample.key(1), by: point.ada)
        #expect(new.count == 1)
    }
}
