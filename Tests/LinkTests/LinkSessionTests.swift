import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// A session with the router keeps its order, takes only what belongs to it, and ends with a reason.
@Suite struct LinkSessionTests {
    private typealias Action = LinkSession.Action

    // MARK: A good session

    @Test("Asked who it is, the device proves it: signed for this connection, this router and this boot") func proves()
        throws
    {
        var test = SessionUnderTest()
        let prove = try #require(try test.hear(Challenge(nonce: SessionUnderTest.nonce)).sent(Prove.self))
        let statement = SignedStatement(
            purpose: .prove, nonce: SessionUnderTest.nonce, routerKeyHash: SessionUnderTest.routerKeyHash,
            boot: SessionUnderTest.boot, device: SessionUnderTest.device)
        #expect(
            prove
                == Prove(
                    device: SessionUnderTest.device, key: SessionUnderTest.publicKey, boot: SessionUnderTest.boot,
                    monotonic: test.now, signature: SessionUnderTest.sign(statement.bytes), connects: 0))
    }

    @Test(
        "Welcomed, it is open and says what it is; it agrees with the router on what each has before it fetches anything"
    )
    func opens() throws {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        #expect(test.work() == nil)
        let receptions = [
            SessionUnderTest.reception(1...41, 50...60), SessionUnderTest.reception(1...7, of: .events, epoch: 6),
        ]
        #expect(
            test.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: receptions)) == [
                .open(.init(owner: "anna")), .send(Envelope(DescriptionMessage(SessionUnderTest.description))),
            ])
        #expect(test.work() == .agree(receptions))
        #expect(test.handle(.stored) == [])
        #expect(test.work() == nil)  // the store is asked once, and for nothing else until it has answered
        #expect(test.handle(.agreed(SessionUnderTest.nothingWaits)) == [])
        let load = try test.nextLoad()
        #expect(load == Uplink.Load(stream: .events, lane: .live, span: OutboxSpan(after: .start)))
    }

    @Test(
        "A router's log that has become shorter than what is remembered of it, or another one, is noticed",
        arguments: [(7, 0xAB, false), (8, 0xAA, false), (7, 0xAA, true), (6, 0xAB, true)] as [(UInt64, UInt8, Bool)])
    func cutLog(entry: UInt64, hash: UInt8, isCut: Bool) throws {
        var record = LinkRecord()
        record.auditHead = AuditHead(entry: 7, hash: [UInt8](repeating: 0xAB, count: AuditHead.hashSize))
        var test = SessionUnderTest(record: record)
        let prove = try #require(try test.hear(Challenge(nonce: SessionUnderTest.nonce)).sent(Prove.self))
        #expect(prove.auditHead == record.auditHead)
        let head = AuditHead(entry: entry, hash: [UInt8](repeating: hash, count: AuditHead.hashSize))
        let actions = test.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: [], auditHead: head))
        #expect(actions.first == .open(.init(owner: "anna", auditHead: head, isLogCut: isCut)))
    }

    @Test("A router that can't read what was observed ends the session, which says why; other things it may not know")
    func unreadable() throws {
        var test = SessionUnderTest.open()
        let heartbeat = Envelope(Heartbeat())
        #expect(test.hear(ControlError("no such thing", about: heartbeat)) == [])
        let batch = ObservationBatch(stream: .events, epoch: 1, boot: SessionUnderTest.boot, items: [])
        let actions = test.hear(ControlError("a status that nobody knows", about: Envelope(batch)))
        guard case .close(let problem)? = actions.first else { return #expect(Bool(false), "\(actions)") }
        #expect(problem?.description.contains("a status that nobody knows") == true)
    }

    @Test("What it is, is said at the beginning as it is then, and again whenever it changes") func describes() throws {
        var test = SessionUnderTest()
        var description = SessionUnderTest.description
        description.label = "Before"
        #expect(test.handle(.described(description)) == [])
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        let welcome = Welcome(owner: "anna", heartbeat: .seconds(20), streams: [])
        #expect(try test.hear(welcome).sent(DescriptionMessage.self)?.description.label == "Before")
        _ = test.work()
        description.label = "Between"
        #expect(
            try test.handle(.described(description)).sent(DescriptionMessage.self)?.description.label == "Between")
        #expect(test.handle(.agreed(SessionUnderTest.nothingWaits)) == [])
        description.label = "After"
        #expect(try test.handle(.described(description)).sent(DescriptionMessage.self)?.description.label == "After")
    }

    @Test("Before it is welcomed it says nothing of what it knows, and takes no orders") func silentBefore() {
        var test = SessionUnderTest()
        let call = Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))
        #expect(test.handle(.stored) == [])
        #expect(test.hear(call) == [])
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        #expect(test.handle(.stored) == [])
        #expect(test.hear(call) == [])
        #expect(test.work() == nil)
    }

    @Test("What the router acknowledges before it has welcomed the device is not forgotten") func earlyAcknowledgement()
    {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(.max))) == [])
        #expect(test.wait(LinkSession.trimDelay) == [])
        #expect(test.work() == nil)
        #expect(test.session.finish() == [])
    }

    @Test("A second challenge or welcome changes nothing") func onlyOnce() {
        var test = SessionUnderTest.open()
        #expect(test.hear(Challenge(nonce: SessionUnderTest.nonce)) == [])
        #expect(test.hear(Welcome(owner: "eve", heartbeat: .seconds(3_600), streams: [])) == [])
        #expect(test.session.end == test.now + .seconds(45))
        #expect(test.allWork().allSatisfy { if case .load = $0 { true } else { false } })
    }

    @Test("A command is handed on with its deadline on the device's own clock, who gave it, and its lease")
    func commands() {
        var test = SessionUnderTest.open()
        let deadline = test.now + .seconds(3)
        let call = Call(
            id: "c-1", component: "heater", action: "pulse", parameters: ["duration": .number(2)], deadline: deadline,
            by: "anna", lease: Lease(id: "l", duration: .seconds(30)))
        #expect(
            test.hear(call) == [
                .submit(
                    Command(
                        id: "c-1", component: "heater", action: "pulse", parameters: ["duration": .number(2)],
                        deadline: deadline, origin: .router(account: "anna"),
                        lease: Lease(id: "l", duration: .seconds(30))))
            ])
    }

    // MARK: The clock

    @Test("A heartbeat is answered with the device's own clock") func heartbeats() throws {
        var test = SessionUnderTest.open()
        for _ in 0..<5 {
            _ = test.wait(.seconds(20))
            #expect(try test.hear(Heartbeat()).sent(Heartbeat.self) == Heartbeat(monotonic: test.now))
        }
    }

    @Test("A router that has gone silent is given up within 50 seconds, and not before two heartbeats were missed")
    func silence() throws {
        var test = SessionUnderTest.open()
        let end = try #require(test.session.end)
        #expect(end > test.now + .seconds(40))
        #expect(end <= test.now + .seconds(50))
        #expect(test.wait(.seconds(40)) == [])
        let problem = test.wait(.seconds(10)).problem
        #expect(problem?.description == "the router has been silent for too long")
        #expect(problem?.code == .unreachable)
        #expect(problem?.isSilence == true)
    }

    @Test("Whatever is heard shows that the router is there") func anySignOfLife() {
        var test = SessionUnderTest.open()
        let signs: [[UInt8]] = [
            Envelope(Heartbeat()).encoded, Envelope(Acknowledgement(through: SessionUnderTest.position(1))).encoded,
            Envelope(ControlError("x")).encoded, [0xC1],
        ]
        for sign in signs {
            #expect(test.wait(.seconds(40)).problem == nil)
            _ = test.handle(.received(sign))
            #expect(test.wait(.seconds(40)).problem == nil)
            _ = test.hear(Heartbeat())
        }
    }

    @Test("A router that talks, but acknowledges nothing of what it was sent, is given up after two minutes")
    func stall() throws {
        var test = SessionUnderTest.open()
        try test.fetch(SessionUnderTest.batch(from: 1))
        for second in 1...6 {
            #expect(test.wait(.seconds(20) - .nanoseconds(second == 6 ? 1 : 0)) == [])
            _ = test.hear(Heartbeat())
        }
        #expect(test.session.end == test.now + .nanoseconds(1))
        let problem = test.wait(.nanoseconds(1)).problem
        #expect(problem?.description == "the router has not acknowledged anything for too long")
        #expect(problem?.isSilence == true)

        var slow = SessionUnderTest.open()
        for number in 0..<4 as Range<UInt64> { try slow.fetch(SessionUnderTest.batch(from: number * 2 + 1)) }
        for number in 1...4 as ClosedRange<UInt64> {
            for _ in 0..<3 {
                #expect(slow.wait(.seconds(39)) == [])
                _ = slow.hear(Heartbeat())
            }
            #expect(slow.hear(Acknowledgement(through: SessionUnderTest.position(number * 2))) == [])
        }
    }

    @Test("A router that never greets is given up after 15 seconds") func noChallenge() {
        var test = SessionUnderTest()
        #expect(test.session.end == test.now + .seconds(15))
        #expect(test.wait(.seconds(14)) == [])
        #expect(test.wait(.seconds(1)).problem?.description.contains("did not greet this device in time") == true)
    }

    @Test("A router that talks, but never lets the device in, is given up too") func endlessGreeting() {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        var problem: LinkProblem?
        for _ in 0..<12 where problem == nil {
            problem = test.wait(.seconds(5)).problem
            _ = test.hear(Heartbeat())
        }
        #expect(problem != nil)
    }

    @Test("A session that has ended is due for nothing, at whatever stage it was") func endedIsNeverDue() {
        let refusal = Failure(.notAuthenticated, "nobody knows this device")
        for isOpen in [false, true] {
            var test = isOpen ? SessionUnderTest.open() : SessionUnderTest()
            if !isOpen { _ = test.hear(Challenge(nonce: SessionUnderTest.nonce)) }
            #expect(test.hear(refusal.envelope(.deviceSession)).problem != nil)
            #expect(test.session.end == nil)
            #expect(test.wait(.seconds(1_000)) == [])
        }
    }

    @Test("The router's own heartbeat decides how long it may be silent", arguments: [1, 8, 20]) func pace(seconds: Int)
    {
        let test = SessionUnderTest.open(heartbeat: .seconds(seconds))
        #expect(test.session.end == test.now + .seconds(seconds) * 9 / 4)
    }

    // MARK: What goes wrong

    @Test("A router of another version is told from one that is gone") func versions() {
        var test = SessionUnderTest()
        let problem = test.hear(Challenge(versions: [2, 3], nonce: SessionUnderTest.nonce)).problem
        #expect(problem?.description.contains("speaks only version 2, 3") == true)
        #expect(problem?.description.contains("update this program") == true)
        var newer = SessionUnderTest()
        #expect(newer.hear(Challenge(versions: [1, 2], nonce: SessionUnderTest.nonce)).problem == nil)
    }

    @Test("What the router refuses ends the session with its words, its code and its wish to be left alone")
    func failures() {
        for isOpen in [false, true] {
            var test = isOpen ? SessionUnderTest.open() : SessionUnderTest()
            let failure = Failure(.notAuthenticated, "this device is not known here", retryAfter: .seconds(90))
            let actions = test.hear(failure.envelope(.deviceSession))
            #expect(actions == [.close(LinkProblem(failure))])
            #expect(actions.problem?.description == "the router says: this device is not known here")
            #expect(actions.problem?.code == .notAuthenticated)
            #expect(actions.problem?.retryAfter == .seconds(90))
            #expect(actions.problem?.isSilence == false)
        }
    }

    @Test("After its end a session does nothing any more") func closed() {
        var test = SessionUnderTest.open()
        _ = test.hear(Failure(.conflict, "another connection has taken over").envelope(.deviceSession))
        #expect(test.hear(Challenge(nonce: SessionUnderTest.nonce)) == [])
        #expect(test.hear(Call(id: "c", component: "heater", action: "on", deadline: test.now + .seconds(5))) == [])
        #expect(test.handle(.stored) == [])
        #expect(test.handle(.agreed(SessionUnderTest.nothingWaits)) == [])
        let load = Uplink.Load(stream: .telemetry, lane: .live, span: OutboxSpan(after: .start))
        #expect(test.handle(.loaded(load, SessionUnderTest.batch(from: 1))) == [])
        #expect(test.handle(.drain) == [])
        #expect(test.wait(.seconds(1_000)) == [])
        #expect(test.work() == nil)
        #expect(test.session.finish() == [])
    }

    @Test(
        "What nobody understands is answered and ends nothing",
        arguments: [
            Envelope(proto: .shell, type: "new", session: "s"),
            Envelope(proto: .deviceSession, type: "dance", body: [0x80]),
            Envelope(proto: .control, type: "ping"), Envelope(proto: .requests, type: "devices", body: [0x80]),
            Envelope(proto: ProtocolNumber(rawValue: 0x4DFF), type: "", body: [0xC1]),
            Envelope(
                Prove(
                    device: "greenhouse", key: [UInt8](repeating: 0, count: 32), boot: 1,
                    monotonic: MonotonicTime(nanoseconds: 0), signature: [UInt8](repeating: 0, count: 64))),
        ]) func unknown(envelope: Envelope) throws
    {
        for isOpen in [false, true] {
            var test = isOpen ? SessionUnderTest.open() : SessionUnderTest()
            let error = try #require(try test.hear(envelope).sent(ControlError.self))
            #expect(error == ControlError.unknown(envelope))
            #expect(!error.closes)
            #expect(error.messageProto == UInt64(envelope.proto.rawValue))
            #expect(error.messageType == envelope.type)
        }
    }

    @Test("An error in a protocol that is not ours ends nothing") func foreignErrors() {
        for proto in [ProtocolNumber.fileTransfer, .portForward, ProtocolNumber(rawValue: 0x4DFF)] {
            var test = SessionUnderTest.open()
            #expect(test.hear(Envelope(proto: proto, type: "error", body: [0x80])).problem == nil)
        }
    }

    @Test(
        "Bytes that are no message are answered and end nothing",
        arguments: [[], [0xC1], [0x80], [UInt8](repeating: 0x91, count: 5_000)] as [[UInt8]])
    func garbage(bytes: [UInt8]) throws {
        for isOpen in [false, true] {
            var test = isOpen ? SessionUnderTest.open() : SessionUnderTest()
            let error = try #require(try test.handle(.received(bytes)).sent(ControlError.self))
            #expect(error.error.contains("what arrived is no message"))
        }
    }

    @Test("A known message with a broken body is answered, and what it asks for is not done") func brokenBodies() throws
    {
        var greeting = SessionUnderTest()
        for kind in [Challenge.kind, Welcome.kind] {
            let broken = Envelope(proto: kind.proto, type: kind.type, body: [0x80])
            #expect(try greeting.hear(broken).sent(ControlError.self)?.messageType == kind.type)
        }
        var test = SessionUnderTest.open()
        for kind in [Acknowledgement.kind, Call.kind] {
            let broken = Envelope(proto: kind.proto, type: kind.type, body: [0x81, 0xA1])
            let actions = test.hear(broken)
            #expect(actions.count == 1)
            #expect(try actions.sent(ControlError.self)?.messageType == kind.type)
        }
    }

    @Test("An answer to an error would be one too many") func errorsAreNotAnswered() {
        for isOpen in [false, true] {
            var test = isOpen ? SessionUnderTest.open() : SessionUnderTest()
            #expect(test.hear(ControlError("no message 'x' is known here", closes: true)) == [])
        }
    }
}
