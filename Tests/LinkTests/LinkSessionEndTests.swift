import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// What the router has is forgotten, together and not at once; what it has something else for is numbered anew; and a
/// session that is to end sends what is left first.
@Suite struct LinkSessionEndTests {
    // MARK: Forgetting

    @Test("What is acknowledged is forgotten together, ten seconds later") func trims() throws {
        var test = SessionUnderTest.open()
        #expect(try test.deliver(1...2) == [])
        _ = test.allWork()
        #expect(test.work() == nil)
        #expect(test.session.workDeadline == test.now + LinkSession.trimDelay)
        #expect(test.wait(.seconds(6)) == [])
        #expect(try test.deliver(3...40) == [])
        _ = test.allWork()
        #expect(test.wait(.seconds(4)) == [])
        #expect(test.work() == .trim(SessionUnderTest.reception(1...40)))
        #expect(test.work() == nil)
        #expect(test.session.workDeadline == nil)
        #expect(test.wait(.seconds(10)) == [])
        #expect(test.work() == nil)
        #expect(test.session.finish() == [])
    }

    @Test("The store hears at once what has arrived, in case that it needs the room") func notes() throws {
        var test = SessionUnderTest.open()
        #expect(try test.deliver(1...2) == [])
        #expect(test.work() == .note(SessionUnderTest.reception(1...2)))
        #expect(try test.deliver(3...4) == [])
        #expect(
            test.allWork().filter { if case .note = $0 { true } else { false } } == [
                .note(SessionUnderTest.reception(3...4))
            ])
    }

    @Test("Ranges of one epoch are forgotten as one, whatever their order") func unions() throws {
        var test = SessionUnderTest.open()
        for numbers in [95...120, 1...10, 90...94, 11...12] as [ClosedRange<UInt64>] { try test.deliver(numbers) }
        _ = test.allWork()
        _ = test.wait(LinkSession.trimDelay)
        #expect(test.allWork() == [.trim(SessionUnderTest.reception(1...12, 90...120))])
    }

    @Test("What the router has and this session did not send is not forgotten: it may be something else") func foreign()
        throws
    {
        var test = SessionUnderTest.open()
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(1_000)))
        #expect(test.session.workDeadline == nil)
        try test.fetch(SessionUnderTest.batch(from: 11))
        _ = test.hear(Acknowledgement(SessionUnderTest.reception(1...11), batch: 1))
        _ = test.hear(Acknowledgement(SessionUnderTest.reception(1...1_000), batch: 1))
        #expect(test.session.finish() == [.trim(SessionUnderTest.reception(11...12))])
    }

    @Test("Each epoch of each stream is forgotten as far as it was acknowledged, one after the other") func each()
        throws
    {
        var test = SessionUnderTest.open()
        try test.deliver(1...2)
        try test.deliver(1...7, of: .events)
        try test.deliver(1...1, epoch: 6)
        _ = test.allWork()
        _ = test.wait(LinkSession.trimDelay)
        let work = test.allWork()
        let receptions = [
            SessionUnderTest.reception(1...2), SessionUnderTest.reception(1...7, of: .events),
            SessionUnderTest.reception(1...1, epoch: 6),
        ]
        #expect(work.count == 3)
        #expect(Set(work) == Set(receptions.map { .trim($0) }))
        #expect(test.session.workDeadline == nil)
    }

    @Test("Forgetting goes before fetching when its time has come") func trimsFirst() throws {
        var test = SessionUnderTest.open()
        try test.deliver(1...2)
        _ = test.wait(LinkSession.trimDelay)
        #expect(test.work() == .note(SessionUnderTest.reception(1...2)))
        #expect(test.work() == .trim(SessionUnderTest.reception(1...2)))
        _ = try test.nextLoad()
    }

    @Test("When the link ends, however it does, what was acknowledged is forgotten at once") func trimsAtTheEnd() throws
    {
        let failure = Failure(.busy, "replaced").envelope(.deviceSession)
        let ends: [(inout SessionUnderTest) -> [LinkSession.Action]] = [
            { _ in [] }, { $0.hear(failure) }, { $0.handle(.drain) }, { $0.wait(.seconds(5)) },
        ]
        for end in ends {
            var test = SessionUnderTest.open(heartbeat: .seconds(1))
            try test.deliver(1...2)
            try test.deliver(5...6)
            _ = end(&test)
            #expect(test.session.finish() == [.trim(SessionUnderTest.reception(1...2, 5...6))])
            #expect(test.session.finish() == [])
            #expect(test.work() == nil)
        }
    }

    // MARK: Clashes

    private func conflict(about position: StreamPosition?) -> Failure {
        Failure(.conflict, "number 3 has come before with another content", position: position)
    }

    @Test("The number that the router knows for something else is numbered anew, after what it has was forgotten")
    func clash() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(from: 1))
        try test.fetch(SessionUnderTest.batch(from: 3))
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        let failure = conflict(about: SessionUnderTest.position(4))
        #expect(test.hear(failure.envelope(.observations)) == [.close(LinkProblem(failure))])
        #expect(
            test.session.finish() == [
                .trim(SessionUnderTest.reception(1...2)), .renumber(SessionUnderTest.position(4)),
            ])
        #expect(test.session.finish() == [])
    }

    @Test("Where the router does not say which number it is, it is the first of the oldest batch without an answer")
    func clashWithoutNumber() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(.events, from: 1))
        try test.fetch(SessionUnderTest.batch(from: 11))
        _ = test.handle(.stored)
        try test.fetch(SessionUnderTest.batch(.events, from: 3))
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(2, .events)))
        _ = test.hear(conflict(about: nil).envelope(.observations))
        #expect(
            test.session.finish() == [
                .trim(SessionUnderTest.reception(1...2, of: .events)), .renumber(SessionUnderTest.position(11)),
            ])
    }

    @Test("A gap is numbered anew too, by its first number") func clashOfGap() throws {
        var test = SessionUnderTest.open()
        let gap = Gap(7...9, of: .telemetry, epoch: 5, reason: .diskTooSlow)
        try test.fetch(SessionUnderTest.batch(from: 10, gaps: [gap]))
        _ = test.hear(conflict(about: nil).envelope(.observations))
        #expect(test.session.finish() == [.renumber(SessionUnderTest.position(7))])
    }

    @Test("A clash of which no number is known changes none, nor does another refusal") func clashOfNothing() throws {
        var idle = SessionUnderTest.open()
        _ = idle.hear(conflict(about: nil).envelope(.deviceSession))
        #expect(idle.session.finish() == [])
        var greeting = SessionUnderTest()
        _ = greeting.hear(conflict(about: SessionUnderTest.position(4)).envelope(.deviceSession))
        #expect(greeting.session.finish() == [])
        var refused = SessionUnderTest.open()
        try refused.fetch(SessionUnderTest.batch(from: 1))
        _ = refused.hear(
            Failure(.busy, "later", position: SessionUnderTest.position(1)).envelope(.observations))
        #expect(refused.session.finish() == [])
    }

    // MARK: What can't be read

    @Test(
        "What was on its way when the router could not read a batch is doubted; nothing else is, nor for another word")
    func doubts() throws {
        let batch = Envelope(proto: .observations, type: ObservationBatch.kind.type)
        for (envelope, isDoubted) in [
            (batch, true), (Envelope(proto: .observations, type: DescriptionMessage.kind.type), false),
            (Envelope(proto: .commands, type: ObservationBatch.kind.type), false),
        ] {
            var test = SessionUnderTest.open()
            try test.deliver(1...2)
            _ = test.handle(.stored)
            try test.fetch(SessionUnderTest.batch(from: 3))
            _ = test.handle(.stored)
            try test.fetch(SessionUnderTest.batch(.events, from: 1))
            _ = test.hear(ControlError("what is that?", about: envelope))
            let work = test.session.finish()
            let sent = [SessionUnderTest.reception(3...4), SessionUnderTest.reception(1...2, of: .events)]
            #expect(work.contains(.doubt(sent)) == isDoubted, "\(envelope.type)")
            #expect(work.count == (isDoubted ? 2 : 1))
        }
    }

    @Test("Nothing is sent beside a batch that is doubted, and everything behind it when it has arrived")
    func besideDoubt() throws {
        var test = SessionUnderTest.open()
        var batch = SessionUnderTest.batch(from: 1, count: 1)
        batch.isDoubted = true
        _ = test.handle(.stored)
        try test.fetch(batch)
        _ = test.handle(.stored)
        #expect(test.work() == nil)
        #expect(test.session.workDeadline == nil)
        _ = test.hear(Acknowledgement(SessionUnderTest.reception(1...1), batch: 1))
        _ = try test.nextLoad()
    }

    @Test("A batch that is doubted waits until nothing else is on its way")
    func behindOthers() throws {
        var test = SessionUnderTest.open()
        _ = test.handle(.stored)
        try test.fetch(SessionUnderTest.batch(from: 1))
        var doubted = SessionUnderTest.batch(from: 3, count: 1)
        doubted.isDoubted = true
        #expect(try test.fetch(doubted) == [])
        #expect(test.work() == nil)
        _ = test.hear(Acknowledgement(SessionUnderTest.reception(1...2), batch: 1))
        #expect(try test.fetch(doubted).count == 1)
        _ = test.hear(ControlError("what is that?", about: Envelope(proto: .observations, type: "observations")))
        #expect(test.session.finish().contains(.doubt([SessionUnderTest.reception(3...3)])))
    }

    @Test("What can't be written down does not keep the rest from going up")
    func trimFails() throws {
        var test = SessionUnderTest.open()
        try test.deliver(1...2)
        _ = test.allWork()
        _ = test.wait(LinkSession.trimDelay)
        let trim = LinkSession.Work.trim(SessionUnderTest.reception(1...2))
        #expect(test.work() == trim)
        _ = test.handle(.failed(trim))
        _ = test.handle(.stored)
        _ = try test.nextLoad()
        _ = test.wait(LinkSession.storePause)
        #expect(test.work() == trim || test.allWork().contains(trim))
    }

    // MARK: Draining

    @Test("With nothing left it ends at once, whether it was open or not") func drainsNothing() {
        var open = SessionUnderTest.open()
        _ = open.allWork()
        #expect(open.handle(.drain) == [.close(nil)])
        var greeting = SessionUnderTest()
        #expect(greeting.handle(.drain) == [.close(nil)])
        var agreeing = SessionUnderTest()
        _ = agreeing.hear(Challenge(nonce: SessionUnderTest.nonce))
        _ = agreeing.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: []))
        #expect(agreeing.handle(.drain) == [.close(nil)])
        #expect(agreeing.work() == nil)
    }

    @Test("It ends when all that is new has been fetched and acknowledged") func drains() throws {
        var test = SessionUnderTest.open()
        let waiting = SessionUnderTest.batch(from: 1)
        try test.fetch(waiting)
        #expect(test.handle(.drain) == [])
        let rest = SessionUnderTest.batch(from: 3)
        #expect(try test.fetch(rest).sent(ObservationBatch.self)?.items.map(\.sequence) == [3, 4])
        let last = Uplink.Load(stream: .telemetry, lane: .live, span: OutboxSpan(after: rest.end))
        #expect(test.allWork() == [.load(last)])
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(3))) == [])
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(4))) == [.close(nil)])
        #expect(test.session.finish() == [.trim(SessionUnderTest.reception(1...4))])
    }

    @Test("It ends when the last look into the store finds nothing more") func drainsLast() throws {
        var test = SessionUnderTest.open()
        _ = test.allWork()
        _ = test.handle(.stored)
        #expect(test.handle(.drain) == [])
        let events = try test.nextLoad()
        #expect(test.handle(.loaded(events, nil)) == [])
        let telemetry = try test.nextLoad()
        #expect(test.handle(.stored) == [])  // the last thing that the recorder had
        #expect(test.handle(.loaded(telemetry, nil)) == [])
        let again = try test.nextLoad()
        #expect(test.handle(.loaded(again, nil)) == [])
        let last = try test.nextLoad()
        #expect(test.handle(.loaded(last, nil)) == [.close(nil)])
    }

    @Test("What has waited goes on waiting, but what of it is on its way arrives") func drainsNoBacklog() throws {
        let end = OutboxCursor(row: 1_000, gap: 0)
        var test = SessionUnderTest.open(outlooks: [.telemetry: OutboxOutlook(end: end)])
        try test.fetch(SessionUnderTest.batch(from: 1), .backlog)
        #expect(test.handle(.drain) == [])
        #expect(test.work() == nil)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(2))) == [.close(nil)])
    }

    @Test("Nothing more is waited for when all is answered, whatever the answers say") func drainsUnnamed() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(from: 1))
        _ = test.allWork()
        #expect(test.handle(.drain) == [])
        let nothing = StreamReception(stream: .telemetry, epoch: 5, received: SequenceRanges())
        #expect(test.hear(Acknowledgement(nothing, batch: 1)) == [.close(nil)])
        #expect(test.session.finish() == [])
    }

    @Test("While it drains it takes no more orders, and answers heartbeats") func drainsSilently() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(from: 1))
        _ = test.handle(.drain)
        #expect(test.hear(Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))) == [])
        let renewal = LeaseRenewal(
            component: "heater", lease: "l", duration: .seconds(10), deadline: test.now + .seconds(3))
        #expect(test.hear(Renew(id: "r", renewal)) == [])
        #expect(test.handle(.described(SessionUnderTest.description)) == [])
        #expect(try test.hear(Heartbeat()).sent(Heartbeat.self) == Heartbeat(monotonic: test.now))
    }

    @Test("A clash while it drains is mended like any other") func drainsIntoClash() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(from: 1))
        _ = test.handle(.drain)
        let failure = conflict(about: SessionUnderTest.position(2))
        #expect(test.hear(failure.envelope(.observations)) == [.close(LinkProblem(failure))])
        #expect(test.session.finish() == [.renumber(SessionUnderTest.position(2))])
    }
}
