import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: before a device has proved who it is nothing of it is taken, afterwards everything that makes no sense is
/// answered with an error and never with the end of the connection.
@Suite struct DeviceSessionTests {
    private static let nonce = [UInt8](repeating: 9, count: Challenge.nonceSize)
    private static let signature = [UInt8](repeating: 1, count: 64)
    private static let prove = Prove(
        device: "greenhouse", key: Sample.key(1), boot: 1, monotonic: MonotonicTime(nanoseconds: 5),
        signature: signature)
    private static let enroll = Enroll(
        device: "greenhouse", key: Sample.key(1), boot: 1, claim: "SECRET", signature: signature)
    private static let batch = Sample.batch([Sample.reading(1)])
    private static let reception = Sample.reception(through: 4, [6...9])
    private static let call = Call(
        id: "c1", component: Sample.heater, action: "on", deadline: MonotonicTime(nanoseconds: 9))

    private let now = MonotonicTime(nanoseconds: 1_000_000_000)
    private var session: DeviceSession

    init() {
        session = DeviceSession(nonce: Self.nonce, heartbeat: .seconds(20), now: now)
    }

    private mutating func receive(_ message: some Message) -> [DeviceSession.Action] {
        session.handle(.received(Envelope(message).encoded), at: now)
    }

    /// A session of a device that has proved who it is.
    private mutating func open() {
        _ = receive(Self.prove)
        _ = session.handle(.proved(owner: "ada", receptions: []), at: now)
    }

    /// The one error that is sent, if that is all that is done.
    private func error(_ actions: [DeviceSession.Action]) throws -> ControlError? {
        guard actions.count == 1, case .send(let envelope) = actions[0], envelope.kind == ControlError.kind else {
            return nil
        }
        return try envelope.decode(ControlError.self)
    }

    // MARK: Getting in

    @Test("First of all the device is given something to sign")
    mutating func challenge() {
        #expect(session.handle(.begin, at: now) == [.send(Envelope(Challenge(nonce: Self.nonce)))])
        #expect(session.nonce == Self.nonce)
    }

    @Test("A proof of identity is checked; when it is good the session is open, with what the router has")
    mutating func proof() {
        #expect(receive(Self.prove) == [.prove(Self.prove)])
        let welcome = Welcome(owner: "ada", heartbeat: .seconds(20), streams: [Self.reception])
        #expect(
            session.handle(.proved(owner: "ada", receptions: [Self.reception]), at: now) == [.send(Envelope(welcome))])
        #expect(receive(Self.batch) == [.ingest(Self.batch)])
    }

    @Test("A device that is let in for the first time is told so, and has to come again with its proof")
    mutating func enrolment() {
        #expect(receive(Self.enroll) == [.enroll(Self.enroll)])
        #expect(
            session.handle(.enrolled(owner: "ada"), at: now) == [.send(Envelope(Enrolled(owner: "ada"))), .close])
        #expect(receive(Self.batch).isEmpty)
    }

    @Test("A device that has to wait for its owner is told its fingerprint, and then that it is in")
    mutating func waiting() {
        _ = receive(Self.enroll)
        #expect(
            session.handle(.waiting(fingerprint: "1f3a 90c2"), at: now)
                == [.send(Envelope(EnrolmentPending(fingerprint: "1f3a 90c2")))])
        #expect(
            session.handle(.enrolled(owner: "ada"), at: now) == [.send(Envelope(Enrolled(owner: "ada"))), .close])
    }

    @Test("A device that is not let in is told why, and that is the end")
    mutating func rejected() {
        _ = receive(Self.prove)
        let failure = Failure(.notAuthenticated, "the signature is not right")
        #expect(
            session.handle(.rejected(failure), at: now) == [.send(failure.envelope(.deviceSession)), .close])
        #expect(receive(Self.prove).isEmpty)
        #expect(session.handle(.proved(owner: "ada", receptions: []), at: now).isEmpty)
        #expect(session.handle(.tick, at: now + .seconds(60)).isEmpty)
    }

    @Test("Another version of the protocol is refused with the one that is spoken", arguments: [0, 2, 99])
    func version(_ version: Int) throws {
        for isProof in [true, false] {
            var session = DeviceSession(nonce: Self.nonce, heartbeat: .seconds(20), now: now)
            var (prove, enroll) = (Self.prove, Self.enroll)
            (prove.version, enroll.version) = (version, version)
            let bytes = isProof ? Envelope(prove).encoded : Envelope(enroll).encoded
            let actions = session.handle(.received(bytes), at: now)
            guard actions.count == 2, case .send(let envelope) = actions[0], actions[1] == .close else {
                Issue.record("\(actions)")
                return
            }
            let failure = try Failure(in: envelope)
            #expect(failure.code == .unsupported)
            #expect(failure.message == "this router speaks version 1 of the protocol, not \(version)")
        }
    }

    // MARK: Before the proof

    @Test("Before its proof nothing of a device is taken, and the proof may still come")
    mutating func beforeProof() throws {
        for envelope in [Envelope(Self.batch), Envelope(DescriptionMessage(Sample.description("greenhouse")))] {
            let actions = session.handle(.received(envelope.encoded), at: now)
            let error = try #require(try error(actions))
            #expect(error.error == "'\(envelope.type)' makes no sense at this point of the session")
            #expect(!error.closes)
            #expect(error.messageType == envelope.type)
            #expect(error.messageProto == UInt64(envelope.proto.rawValue))
        }
        #expect(receive(Heartbeat(monotonic: now)).isEmpty)
        #expect(receive(Self.prove) == [.prove(Self.prove)])
    }

    @Test("While its proof is being checked, and while it waits, nothing of a device is taken either")
    mutating func whileChecking() throws {
        _ = receive(Self.enroll)
        for _ in 0..<2 {
            #expect(try error(receive(Self.batch)) != nil)
            #expect(try error(receive(Self.prove)) != nil)
            #expect(try error(receive(Self.enroll)) != nil)
            #expect(receive(Heartbeat(monotonic: now)).isEmpty)
            _ = session.handle(.waiting(fingerprint: "1f3a"), at: now)
        }
    }

    @Test("No command goes to a device that is not in")
    mutating func callBeforeProof() {
        #expect(session.handle(.call(Self.call), at: now).isEmpty)
        _ = receive(Self.prove)
        #expect(session.handle(.call(Self.call), at: now).isEmpty)
        _ = session.handle(.proved(owner: "ada", receptions: []), at: now)
        #expect(session.handle(.call(Self.call), at: now) == [.send(Envelope(Self.call))])
    }

    @Test("No renewal goes to a device that is not in, and no answer comes from it")
    mutating func renewBeforeProof() throws {
        let renew = Renew(
            id: "r1", LeaseRenewal(component: Sample.heater, lease: "l1", duration: .zero, deadline: now))
        let answer = Renewed(id: "r1", CommandOutcome(.done))
        for _ in 0..<2 {
            #expect(session.handle(.renew(renew), at: now).isEmpty)
            #expect(try error(receive(answer))?.messageType == "renewed")
            _ = receive(Self.prove)
        }
        _ = session.handle(.proved(owner: "ada", receptions: []), at: now)
        #expect(session.handle(.renew(renew), at: now) == [.send(Envelope(renew))])
        #expect(receive(answer) == [.renewed(answer)])
    }

    @Test("What became of a command is heard from a device that is in, and from no other")
    mutating func calledBeforeProof() throws {
        let answer = Called(id: "c1", CommandOutcome(.done))
        for _ in 0..<2 {
            #expect(try error(receive(answer))?.messageType == "called")
            _ = receive(Self.prove)
        }
        _ = session.handle(.proved(owner: "ada", receptions: []), at: now)
        #expect(receive(answer) == [.called(answer)])
    }

    @Test("Whatever bytes come before the proof, nothing but errors goes out")
    mutating func noise() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3_000 {
            let count = Int.random(in: 0...60, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(try error(session.handle(.received(bytes), at: now)) != nil, "\(bytes)")
        }
        #expect(receive(Self.prove) == [.prove(Self.prove)])
    }

    // MARK: Being in

    @Test("A device that is in is heard: its description, its observations, its clock")
    mutating func isHeard() {
        open()
        let description = Sample.description("greenhouse")
        #expect(receive(DescriptionMessage(description)) == [.describe(description)])
        #expect(receive(Self.batch) == [.ingest(Self.batch)])
        #expect(receive(Heartbeat(monotonic: now)) == [.hear(now)])
        #expect(receive(Heartbeat()) == [.hear(nil)])
    }

    @Test("Observations are acknowledged when they are stored, not when they come")
    mutating func acknowledgement() {
        open()
        let actions = receive(Self.batch)
        #expect(!actions.contains { if case .send = $0 { true } else { false } })
        #expect(
            session.handle(.stored(Self.reception), at: now)
                == [.send(Envelope(Acknowledgement(Self.reception)))])
    }

    @Test("A second proof makes no sense, and ends nothing")
    mutating func secondProof() throws {
        open()
        for envelope in [Envelope(Self.prove), Envelope(Self.enroll)] {
            #expect(try error(session.handle(.received(envelope.encoded), at: now))?.messageType == envelope.type)
        }
        #expect(receive(Self.batch) == [.ingest(Self.batch)])
    }

    @Test("Protocols and types that nobody knows are answered with an error that names them, and end nothing")
    mutating func unknown() throws {
        open()
        let strangers = [
            Envelope(proto: .shell, type: "new", session: "s1"),
            Envelope(proto: ProtocolNumber(rawValue: 0x7777), type: ""),
            Envelope(proto: .observations, type: "song"), Envelope(proto: .deviceSession, type: "welcome"),
            Envelope(proto: .requests, type: "devices", session: "2"), Envelope(proto: .accounts, type: "login"),
        ]
        for envelope in strangers {
            let error = try #require(try error(session.handle(.received(envelope.encoded), at: now)), "\(envelope)")
            #expect(error.messageProto == UInt64(envelope.proto.rawValue))
            #expect(error.messageType == envelope.type)
            #expect(error.messageID == (envelope.session.isEmpty ? nil : envelope.session))
            #expect(!error.closes)
        }
        #expect(receive(Self.batch) == [.ingest(Self.batch)])
    }

    @Test("A message whose body is damaged is answered with an error that names it, and ends nothing")
    mutating func damagedBody() throws {
        open()
        for type in ["observations", "description"] {
            let envelope = Envelope(proto: .observations, type: type, body: [0x81])
            let error = try #require(try error(session.handle(.received(envelope.encoded), at: now)))
            #expect(error.messageType == type)
            #expect(error.error.hasPrefix("\(type): "))
        }
        #expect(try error(session.handle(.received([0xC1, 0, 1]), at: now))?.error.contains("no message") == true)
        #expect(receive(Self.batch) == [.ingest(Self.batch)])
    }

    @Test("An error is not answered with an error")
    mutating func errorForError() {
        #expect(receive(ControlError("what?")).isEmpty)
        open()
        #expect(receive(ControlError("what?")).isEmpty)
    }
}
