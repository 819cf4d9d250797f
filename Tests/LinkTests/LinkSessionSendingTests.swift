import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// Whatever is stored goes up in its order, a few batches at a time, and stays stored until the router has it.
@Suite struct LinkSessionSendingTests {
    private typealias Action = LinkSession.Action

    @Test("A batch goes up as it was stored, and the next one is fetched behind it") func batches() throws {
        var test = SessionUnderTest.open()
        let gap = Gap(stream: .telemetry, epoch: 5, first: 3, last: 9, reason: "store_full")
        let batch = SessionUnderTest.batch(from: 1, count: 2, gaps: [gap])
        let actions = test.handle(.loaded(.telemetry, batch))
        let sent = try #require(try actions.sent(ObservationBatch.self))
        #expect(sent.stream == .telemetry)
        #expect(sent.epoch == 5)
        #expect(sent.boot == 4)
        #expect(sent.items.map(\.sequence) == [1, 2])
        #expect(sent.items.map(\.observation) == batch.observations.map(\.observation))
        #expect(sent.gaps == [gap])
        #expect(actions.loads == [.load(.telemetry, after: batch.end)])
        #expect(actions.first == .send(Envelope(sent)))
    }

    @Test("A gap without observations goes up too") func gapsAlone() throws {
        var test = SessionUnderTest.open()
        let gap = Gap(stream: .events, epoch: 5, first: 1, last: 4, reason: "too_old")
        let batch = SessionUnderTest.batch(.events, from: 1, count: 0, gaps: [gap])
        let sent = try #require(try test.handle(.loaded(.events, batch)).sent(ObservationBatch.self))
        #expect(sent.items.isEmpty)
        #expect(sent.gaps == [gap])
        #expect(sent.boot == SessionUnderTest.boot)
    }

    @Test("When all is sent nothing is fetched until something new is stored") func untilStored() {
        var test = SessionUnderTest.open()
        #expect(test.handle(.loaded(.telemetry, nil)) == [])
        #expect(test.handle(.loaded(.events, nil)) == [])
        #expect(test.wait(.seconds(1)) == [])
        #expect(test.handle(.stored) == [.load(.telemetry, after: nil), .load(.events, after: nil)])
    }

    @Test("What is stored while the last of the old is fetched is not overlooked") func storedMeanwhile() {
        var test = SessionUnderTest.open()
        #expect(test.handle(.stored) == [])  // both streams are being fetched
        #expect(test.handle(.loaded(.telemetry, nil)) == [.load(.telemetry, after: nil)])
        #expect(test.handle(.loaded(.telemetry, nil)) == [])
        #expect(test.handle(.loaded(.events, nil)) == [.load(.events, after: nil)])
    }

    @Test("No more than four batches of a stream are on their way; the other stream has its own four") func window() {
        var test = SessionUnderTest.open()
        for number in 0..<4 as Range<UInt64> {
            let actions = test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: number * 2 + 1)))
            #expect(actions.loads.count == (number < 3 ? 1 : 0))
        }
        #expect(test.handle(.stored) == [])
        #expect(test.handle(.loaded(.events, SessionUnderTest.batch(.events, from: 1))).loads.count == 1)

        // The first two batches arrive: there is room for two more.
        let cursor = OutboxCursor(row: 8, gap: 0)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(4))) == [.load(.telemetry, after: cursor)])
        #expect(test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: 9))).loads.count == 1)
        #expect(test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: 11))).loads.isEmpty)
    }

    @Test("Half a batch acknowledged makes no room, nor does a word about another epoch or stream") func partial() {
        var test = SessionUnderTest.open()
        for number in 0..<4 as Range<UInt64> {
            _ = test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: number * 2 + 1)))
        }
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(1))).loads.isEmpty)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(8, epoch: 6))).loads.isEmpty)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(8, .events))).loads.isEmpty)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(2))).loads.count == 1)
    }

    @Test("A gap counts as sent up to its last number") func gapsInTheWindow() {
        var test = SessionUnderTest.open()
        let gap = Gap(stream: .telemetry, epoch: 5, first: 3, last: 9, reason: "store_full")
        _ = test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: 1, gaps: [gap])))
        for number in 5..<8 as Range<UInt64> {
            _ = test.handle(.loaded(.telemetry, SessionUnderTest.batch(from: number * 2)))
        }
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(8))).loads.isEmpty)
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(9))).loads.count == 1)
    }

    // MARK: Forgetting

    @Test("What is acknowledged is forgotten together, ten seconds later") func trims() {
        var test = SessionUnderTest.open()
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(2))).contains { isTrim($0) } == false)
        #expect(test.session.deadline == test.now + LinkSession.trimDelay)
        #expect(test.wait(.seconds(6)) == [])
        #expect(test.hear(Acknowledgement(through: SessionUnderTest.position(40))) == [])
        #expect(test.wait(.seconds(4)) == [.trim(SessionUnderTest.position(40))])
        #expect(test.wait(.seconds(10)) == [])
        #expect(test.session.finish() == [])
    }

    @Test("Each stream is forgotten as far as it was acknowledged") func trimsBothStreams() {
        var test = SessionUnderTest.open()
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(7, .events)))
        #expect(
            Set(test.wait(LinkSession.trimDelay))
                == [.trim(SessionUnderTest.position(2)), .trim(SessionUnderTest.position(7, .events))])
    }

    @Test("When the link ends, what was acknowledged is forgotten at once") func trimsAtTheEnd() {
        var ended = SessionUnderTest.open()
        _ = ended.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        #expect(ended.session.finish() == [.trim(SessionUnderTest.position(2))])
        #expect(ended.session.finish() == [])

        var refused = SessionUnderTest.open()
        _ = refused.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        let failure = Failure(.busy, "replaced")
        #expect(
            refused.hear(failure.envelope(.deviceSession))
                == [.trim(SessionUnderTest.position(2)), .close(LinkProblem(failure))])

        var clashing = SessionUnderTest.open()
        _ = clashing.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        let clash = Failure(.conflict, "number 3 has come before with another content")
        #expect(
            clashing.hear(clash.envelope(.deviceSession))
                == [.trim(SessionUnderTest.position(2)), .beginEpochs, .close(LinkProblem(clash))])

        var silent = SessionUnderTest.open(heartbeat: .seconds(1))
        _ = silent.hear(Acknowledgement(through: SessionUnderTest.position(2)))
        #expect(silent.wait(.seconds(5)).first == .trim(SessionUnderTest.position(2)))
    }

    @Test("The end of an old epoch is forgotten before the new one begins") func trimsOldEpochs() {
        var test = SessionUnderTest.open()
        _ = test.hear(Acknowledgement(through: SessionUnderTest.position(900, epoch: 5)))
        #expect(
            test.hear(Acknowledgement(through: SessionUnderTest.position(1, epoch: 6)))
                == [.trim(SessionUnderTest.position(900, epoch: 5))])
        #expect(test.wait(LinkSession.trimDelay) == [.trim(SessionUnderTest.position(1, epoch: 6))])
    }

    @Test("What was not acknowledged is fetched again by the next session, from the beginning") func sentAgain() {
        var first = SessionUnderTest.open()
        let batch = SessionUnderTest.batch(from: 1)
        let sent = first.handle(.loaded(.telemetry, batch)).first
        #expect(first.session.finish() == [])
        var second = SessionUnderTest()
        _ = second.hear(Challenge(nonce: SessionUnderTest.nonce))
        _ = second.hear(Welcome(owner: "anna", heartbeat: .seconds(20), streams: []))
        #expect(second.handle(.reconciled).loads.first == .load(.telemetry, after: nil))
        #expect(second.handle(.loaded(.telemetry, batch)).first == sent)
    }

    private func isTrim(_ action: Action) -> Bool {
        if case .trim = action { true } else { false }
    }
}
