import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// A renewal of a lease is handed on and answered by its own name, and never more than a few are going on.
@Suite struct LinkSessionLeaseTests {
    private func renew(_ id: String, at now: MonotonicTime, _ duration: Duration = .seconds(10)) -> Renew {
        Renew(
            id: id,
            LeaseRenewal(component: "heater", lease: "l", duration: duration, deadline: now + .seconds(3)))
    }

    @Test("A renewal is handed on as it came, and its end goes back under its name") func renewal() throws {
        var test = SessionUnderTest.open()
        for (id, duration) in [("r1", Duration.seconds(10)), ("r2", .zero)] {
            let message = renew(id, at: test.now, duration)
            #expect(test.hear(message) == [.renew(message.renewal, id: id)])
        }
        for (id, outcome) in [("r2", CommandOutcome(.done)), ("r1", CommandOutcome(.refused, "it is over"))] {
            let answer = try test.handle(.renewed(id: id, outcome)).sent(Renewed.self)
            #expect(answer == Renewed(id: id, outcome))
        }
    }

    @Test("Before it is welcomed the device renews nothing") func before() {
        var test = SessionUnderTest()
        #expect(test.hear(renew("r", at: test.now)) == [])
        _ = test.hear(Challenge(nonce: SessionUnderTest.nonce))
        #expect(test.hear(renew("r", at: test.now)) == [])
        _ = test.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: []))
        let message = renew("r", at: test.now)
        #expect(test.hear(message) == [.renew(message.renewal, id: "r")])
    }

    @Test("When sixteen are going on one more is not begun, and it is not called the end of a lease")
    func bound() throws {
        var test = SessionUnderTest.open()
        for number in 1...16 {
            let message = renew("\(number)", at: test.now)
            #expect(test.hear(message) == [.renew(message.renewal, id: "\(number)")])
        }
        let refusal = try #require(try test.hear(renew("17", at: test.now)).sent(Renewed.self))
        #expect(refusal.id == "17")
        #expect(refusal.outcome.status == .failed)
        #expect(refusal.outcome.reason?.contains("too many renewals") == true)
        // As soon as one has ended there is room again, for one.
        _ = test.handle(.renewed(id: "3", CommandOutcome(.done)))
        let message = renew("18", at: test.now)
        #expect(test.hear(message) == [.renew(message.renewal, id: "18")])
        #expect(try test.hear(renew("19", at: test.now)).sent(Renewed.self) != nil)
    }

    @Test("An answer that comes after the session's end goes nowhere") func after() {
        var test = SessionUnderTest.open()
        _ = test.hear(renew("r", at: test.now))
        _ = test.session.finish()
        #expect(test.handle(.renewed(id: "r", CommandOutcome(.done))) == [])
        #expect(test.hear(renew("r2", at: test.now)) == [])
    }

    @Test("A renewal with a broken body is answered, and nothing is renewed") func broken() throws {
        var test = SessionUnderTest.open()
        let actions = test.hear(Envelope(proto: .commands, type: "renew", body: [0x80]))
        #expect(actions.count == 1)
        #expect(try actions.sent(ControlError.self)?.messageType == "renew")
    }
}
