import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// Whatever is stored goes up as it was stored, one batch after the other, and never holds up what is said meanwhile.
@Suite struct LinkSessionSendingTests {
    private typealias Action = LinkSession.Action

    @Test("A batch goes up as it was stored, and the next one is fetched behind it") func batches() throws {
        var test = SessionUnderTest.open()
        let gap = Gap(3...9, of: .telemetry, epoch: 5, reason: .storeFull)
        var batch = SessionUnderTest.batch(from: 1, count: 2, gaps: [gap])
        batch.clockOffset = .seconds(1_700_000_000)
        let actions = try test.fetch(batch)
        let sent = try #require(try actions.sent(ObservationBatch.self))
        #expect(sent.stream == .telemetry)
        #expect(sent.epoch == 5)
        #expect(sent.boot == 4)
        #expect(sent.items.map(\.sequence) == [1, 2])
        #expect(sent.items.map(\.observation) == batch.observations.map(\.observation))
        #expect(sent.gaps == [gap])
        #expect(sent.clockOffset == .seconds(1_700_000_000))
        #expect(actions == [.send(Envelope(sent))])
        #expect(test.load() == Uplink.Load(stream: .telemetry, lane: .live, span: OutboxSpan(after: batch.end)))
    }

    @Test("A gap without observations goes up too") func gapsAlone() throws {
        var test = SessionUnderTest.open()
        let gap = Gap(1...4, of: .events, epoch: 5, reason: .tooOld)
        let batch = SessionUnderTest.batch(.events, from: 1, count: 0, gaps: [gap])
        let sent = try #require(try test.fetch(batch).sent(ObservationBatch.self))
        #expect(sent.items.isEmpty)
        #expect(sent.gaps == [gap])
        #expect(sent.boot == SessionUnderTest.boot)
    }

    @Test("What has waited is fetched up to where it ended when the session began, what came later from there on")
    func spans() {
        let (events, telemetry) = (OutboxCursor(row: 7, gap: 1), OutboxCursor(row: 900, gap: 2))
        var test = SessionUnderTest.open(outlooks: [
            .events: OutboxOutlook(end: events), .telemetry: OutboxOutlook(end: telemetry),
        ])
        let loads = [
            Uplink.Load(stream: .events, lane: .live, span: OutboxSpan(after: events)),
            Uplink.Load(stream: .telemetry, lane: .live, span: OutboxSpan(after: telemetry)),
            Uplink.Load(stream: .events, lane: .backlog, span: OutboxSpan(after: .start, through: events)),
            Uplink.Load(stream: .telemetry, lane: .backlog, span: OutboxSpan(after: .start, through: telemetry)),
        ]
        #expect(test.allWork() == loads.map { .load($0) })
    }

    @Test("The store is asked for one thing at a time") func oneByOne() throws {
        var test = SessionUnderTest.open()
        let load = try test.nextLoad()
        #expect(test.handle(.stored) == [])
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(1))) == [])
        #expect(test.work() == nil)
        #expect(test.handle(.loaded(load, nil)) == [])
        #expect(test.load() != nil)
    }

    @Test("When all is sent nothing is fetched until something new is stored") func untilStored() {
        var test = SessionUnderTest.open()
        _ = test.allWork()
        #expect(test.wait(.seconds(1)) == [])
        #expect(test.work() == nil)
        #expect(test.session.workDeadline == nil)
        #expect(test.handle(.stored) == [])
        let loads = [StreamName.events, .telemetry].map {
            LinkSession.Work.load(Uplink.Load(stream: $0, lane: .live, span: OutboxSpan(after: .start)))
        }
        #expect(test.allWork() == loads)
    }

    @Test("What is stored while the last of the old is fetched is not overlooked") func storedMeanwhile() throws {
        var test = SessionUnderTest.open()
        let load = try test.nextLoad()
        #expect(test.handle(.stored) == [])
        #expect(test.handle(.loaded(load, nil)) == [])
        #expect(test.load() == load)
    }

    @Test("What was not acknowledged is fetched again by the next session, from the beginning") func sentAgain() throws
    {
        let batch = SessionUnderTest.batch(from: 1)
        let waiting = [StreamName.telemetry: OutboxOutlook(end: batch.end)]
        var first = SessionUnderTest.open(outlooks: waiting)
        let sent = try first.fetch(batch, .backlog)
        #expect(first.session.finish() == [])
        var second = SessionUnderTest.open(outlooks: waiting)
        #expect(try second.fetch(batch, .backlog) == sent)
    }

    @Test("A backlog that has to wait for its turn says when that is") func pace() throws {
        var test = SessionUnderTest.open(
            outlooks: [.telemetry: OutboxOutlook(end: OutboxCursor(row: 1_000, gap: 0))], backlogRate: 50)
        try test.fetch(SessionUnderTest.batch(from: 1, count: 100), .backlog)
        #expect(test.work() == nil)
        // 50 went too many; one more may go when 51 have been made up for.
        #expect(test.session.workDeadline == test.now + .milliseconds(1_020))
        _ = test.wait(.milliseconds(1_000))
        #expect(test.work() == nil)
        _ = test.wait(.milliseconds(20))
        #expect(test.load()?.lane == .backlog)
    }

    // MARK: A store that fails

    @Test("A store that fails is left alone for five seconds and asked again, and is no reason to hang up")
    func storeFails() throws {
        var test = SessionUnderTest.open()
        let load = try test.nextLoad()
        #expect(test.handle(.failed(.load(load))) == [])
        for _ in 0..<3 {
            #expect(test.session.workDeadline == test.now + LinkSession.storePause)
            #expect(test.wait(.milliseconds(4_999)) == [])
            #expect(test.handle(.stored) == [])
            #expect(test.work() == nil)
            #expect(try test.hear(Heartbeat()).sent(Heartbeat.self) == Heartbeat(monotonic: test.now))
            let call = Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))
            #expect(test.hear(call) == [.submit(call.command)])
            #expect(test.wait(.milliseconds(1)) == [])
            #expect(test.work() == .load(load))
            #expect(test.handle(.failed(.load(load))) == [])
        }
        _ = test.wait(LinkSession.storePause)
        try test.fetch(SessionUnderTest.batch(from: 1))
        #expect(test.session.workDeadline == nil)
    }

    @Test(
        "Where they could not agree because the store failed, they do as soon as it can; commands are taken meanwhile")
    func agreementFails() throws {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        let receptions = [SessionUnderTest.reception(1...41)]
        _ = test.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: receptions))
        for _ in 0..<3 {
            #expect(test.work() == .agree(receptions))
            #expect(test.work() == nil)
            #expect(test.handle(.failed(.agree(receptions))) == [])
            #expect(test.work() == nil)
            let call = Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))
            #expect(test.hear(call) == [.submit(call.command)])
            #expect(test.session.workDeadline == test.now + LinkSession.storePause)
            _ = test.wait(LinkSession.storePause)
        }
        #expect(test.work() == .agree(receptions))
        #expect(test.handle(.agreed(SessionUnderTest.nothingWaits)) == [])
        _ = try test.nextLoad()
    }

    @Test("What could not be forgotten is forgotten as soon as the store works, and never read again meanwhile")
    func trimFails() throws {
        var test = SessionUnderTest.open()
        try test.deliver(1...2)
        _ = test.allWork()
        _ = test.wait(LinkSession.trimDelay)
        let trim = LinkSession.Work.trim(SessionUnderTest.reception(1...2))
        #expect(test.work() == trim)
        #expect(test.handle(.failed(trim)) == [])
        #expect(test.work() == nil)
        // What can't be written may still be read.
        _ = test.handle(.stored)
        _ = try test.nextLoad()
        _ = test.wait(LinkSession.storePause)
        #expect(test.work() == trim)
        #expect(test.session.finish() == [])
    }

    // MARK: In the middle of bulk

    @Test("Heartbeats, commands and renewals are dealt with at once while batches are fetched, sent and awaited")
    func control() throws {
        var test = SessionUnderTest.open()
        func talk() throws {
            #expect(try test.hear(Heartbeat()).sent(Heartbeat.self) == Heartbeat(monotonic: test.now))
            let call = Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))
            #expect(test.hear(call) == [.submit(call.command)])
            let renewal = LeaseRenewal(
                component: "heater", lease: "l", duration: .seconds(10), deadline: test.now + .seconds(3))
            #expect(test.hear(Renew(id: "r", renewal)) == [.renew(renewal, id: "r")])
            let outcome = CommandOutcome(.done)
            #expect(test.handle(.renewed(id: "r", outcome)) == [.send(Envelope(Renewed(id: "r", outcome)))])
        }
        let load = try test.nextLoad()
        try talk()  // the store has not answered
        _ = test.handle(.loaded(load, SessionUnderTest.batch(load.stream, from: 1)))
        try talk()  // nothing is acknowledged
        for number in 1..<4 as Range<UInt64> {
            try test.fetch(SessionUnderTest.batch(load.stream, from: number * 2 + 1))
        }
        try talk()  // no more may be on their way
        _ = test.allWork()
        #expect(test.work() == nil)
        try talk()
    }

    @Test("While device and router agree commands are taken, heartbeats are answered, and nothing else is said")
    func controlWhileAgreeing() throws {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        _ = test.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: []))
        _ = test.work()
        #expect(try test.hear(Heartbeat()).sent(Heartbeat.self) == Heartbeat(monotonic: test.now))
        let call = Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))
        #expect(test.hear(call) == [.submit(call.command)])
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(9))) == [])
        #expect(test.work() == nil)
        #expect(test.session.finish() == [])
    }
}
