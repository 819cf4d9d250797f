import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a device that does not prove who it is in time, or falls silent, is let go of; one that is there is asked for
/// a sign of life every so often.
@Suite struct DeviceSessionClockTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private var session: DeviceSession

    init() {
        session = DeviceSession(
            nonce: [UInt8](repeating: 9, count: Challenge.nonceSize), heartbeat: .seconds(20), now: start)
        _ = session.handle(.begin, at: start)
    }

    private mutating func receive(_ message: some Message, at seconds: Int64) -> [DeviceSession.Action] {
        session.handle(.received(Envelope(message).encoded), at: start + .seconds(seconds))
    }

    private mutating func tick(at seconds: Double) -> [DeviceSession.Action] {
        session.handle(.tick, at: start + .milliseconds(Int64(seconds * 1_000)))
    }

    private mutating func prove(at seconds: Int64) {
        let prove = Prove(
            device: "greenhouse", key: Sample.key(1), boot: 1, monotonic: start,
            signature: [UInt8](repeating: 1, count: 64))
        _ = receive(prove, at: seconds)
        _ = session.handle(.proved(owner: "ada", receptions: []), at: start + .seconds(seconds))
    }

    @Test("Who says nothing is let go of after ten seconds")
    mutating func greeting() {
        #expect(session.deadline == start + .seconds(10))
        #expect(tick(at: 9.999).isEmpty)
        #expect(tick(at: 10) == [.hangUp])
        #expect(tick(at: 60).isEmpty)
    }

    @Test("Talking about something else does not give anybody more time for the proof")
    mutating func chatter() {
        for seconds: Int64 in [3, 6, 9] {
            _ = receive(Heartbeat(), at: seconds)
            _ = session.handle(.received([0xC1]), at: start + .seconds(seconds))
        }
        #expect(session.deadline == start + .seconds(10))
        #expect(tick(at: 10) == [.hangUp])
    }

    @Test("A device that is in is asked for a sign of life at every interval")
    mutating func heartbeats() {
        prove(at: 1)
        for beat: Int64 in 1...5 {
            #expect(session.deadline == start + .seconds(20 * beat))
            #expect(tick(at: Double(20 * beat) - 0.001).isEmpty)
            #expect(tick(at: Double(20 * beat)) == [.send(Envelope(Heartbeat()))])
            _ = receive(Heartbeat(monotonic: start), at: 20 * beat)
        }
    }

    @Test("A device that waits for its owner is asked, too")
    mutating func heartbeatsWhileWaiting() {
        let enroll = Enroll(
            device: "greenhouse", key: Sample.key(1), boot: 1, account: "ada",
            signature: [UInt8](repeating: 1, count: 64))
        _ = receive(enroll, at: 1)
        _ = session.handle(.waiting(fingerprint: "1f3a"), at: start + .seconds(1))
        #expect(tick(at: 20) == [.send(Envelope(Heartbeat()))])
        _ = receive(Heartbeat(), at: 20)
        #expect(tick(at: 60) == [.send(Envelope(Heartbeat()))])
        #expect(tick(at: 65) == [.close])
    }

    @Test("Two and a quarter intervals after a device was last heard it is gone")
    mutating func silence() {
        prove(at: 1)
        #expect(tick(at: 20) == [.send(Envelope(Heartbeat()))])
        #expect(tick(at: 40) == [.send(Envelope(Heartbeat()))])
        #expect(session.deadline == start + .seconds(46))
        #expect(tick(at: 45.999).isEmpty)
        #expect(tick(at: 46) == [.close])
    }

    @Test("Whatever a device says is a sign of life")
    mutating func anythingCounts() {
        prove(at: 1)
        _ = tick(at: 20)
        _ = receive(Sample.batch([Sample.reading(1)]), at: 30)
        _ = tick(at: 40)
        _ = tick(at: 60)
        #expect(session.deadline == start + .seconds(75))
        #expect(tick(at: 74.9).isEmpty)
        #expect(tick(at: 75) == [.close])
    }

    @Test("Ticks that come late send one heartbeat, not all that were missed")
    mutating func lateTick() {
        prove(at: 1)
        _ = receive(Heartbeat(), at: 40)
        #expect(tick(at: 60) == [.send(Envelope(Heartbeat()))])
        #expect(tick(at: 60).isEmpty)
        #expect(session.deadline == start + .seconds(80))
    }
}
