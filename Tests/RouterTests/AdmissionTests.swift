import DeviceModel
import TestSupport
import Testing

@testable import Router

/// Promise: devices come in at the rate that is stated and no faster, and those that have to wait are spread over the time
/// in which there will be room for them.
@Suite struct AdmissionTests {
    private let start = MonotonicTime(nanoseconds: 7_000_000_000)

    private func admission(_ perSecond: Int, burst: Int? = nil) -> Admission {
        Admission(RouterSettings.AdmissionRate(perSecond: perSecond, burst: burst))
    }

    /// How long each of some has to wait who come at once; zero: it is in.
    private func waits(_ count: Int, _ admission: inout Admission, at now: MonotonicTime) -> [Duration] {
        (0..<count).map { _ in
            switch admission.decide(at: now) {
            case .admit: .zero
            case .later(let wait): wait
            }
        }
    }

    @Test("As many as the burst come in at once, and the next ones wait, each one longer than the one before")
    func burst() {
        var admission = admission(10, burst: 3)
        #expect(
            waits(6, &admission, at: start)
                == [.zero, .zero, .zero, .milliseconds(100), .milliseconds(200), .milliseconds(300)])
    }

    @Test("Unless something else is said the burst is what comes in in a second")
    func standard() {
        var admission = admission(50)
        let waits = waits(51, &admission, at: start)
        #expect(waits.prefix(50).allSatisfy { $0 == .zero })
        #expect(waits[50] == .milliseconds(20))
        #expect(RouterSettings().admission == RouterSettings.AdmissionRate(perSecond: 50, burst: 50))
    }

    @Test("Who comes when they were told to comes in")
    func queue() {
        var admission = admission(10, burst: 3)
        let waits = waits(200, &admission, at: start).filter { $0 > .zero }
        #expect(waits.count == 197)
        for wait in waits { #expect(admission.decide(at: start + wait) == .admit) }
    }

    @Test("Who is told to come in whole seconds, rounded up, comes in, too")
    func wholeSeconds() {
        var admission = admission(50)
        let waits = waits(1_000, &admission, at: start).filter { $0 > .zero }
        for wait in waits.map({ Duration.seconds($0.seconds.rounded(.up)) }) {
            #expect(admission.decide(at: start + wait) == .admit)
        }
    }

    @Test("Those who do not come are forgotten: the queue is as long as the time that it had")
    func forgotten() {
        var admission = admission(10, burst: 2)
        #expect(waits(102, &admission, at: start).last == .seconds(10))
        // Half of the time is over, and nobody has come: there is room, and the end of the queue has come nearer.
        #expect(
            waits(3, &admission, at: start + .seconds(5)) == [.zero, .zero, .milliseconds(5_100)])
        #expect(waits(3, &admission, at: start + .seconds(60)) == [.zero, .zero, .milliseconds(100)])
    }

    @Test("Nobody is sent away for longer than five minutes, however many knock")
    func longest() {
        var admission = admission(2, burst: 1)
        let waits = waits(2_000, &admission, at: start)
        #expect(waits.max() == Admission.longestWait)
        // Behind the longest wait the queue begins again at its front.
        #expect(waits[600] == .seconds(300))
        #expect(waits[601] == .milliseconds(500))
    }

    @Test("Whatever the arrivals, no span of time lets in more than its share and one burst", arguments: 1...40)
    func rate(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let (perSecond, burst) = (
            Int.random(in: 1...30, using: &generator), Int.random(in: 1...30, using: &generator)
        )
        var (admission, now, admitted) = (admission(perSecond, burst: burst), start, [MonotonicTime]())
        for _ in 0..<600 {
            now = now + .milliseconds(Int64.random(in: 0...80, using: &generator))
            if admission.decide(at: now) == .admit { admitted.append(now) }
        }
        #expect(!admitted.isEmpty)
        for (index, first) in admitted.enumerated() {
            for (count, last) in admitted[index...].enumerated() {
                let share = (last - first).seconds * Double(perSecond) + Double(burst)
                #expect(Double(count + 1) <= share + 1e-6, "seed \(seed)")
            }
        }
    }

    @Test("A clock at either end of its scale ends nothing", arguments: [Int64.min, 0, .max])
    func extremes(_ nanoseconds: Int64) {
        var admission = admission(1)
        let waits = waits(3, &admission, at: MonotonicTime(nanoseconds: nanoseconds))
        #expect(waits[0] == .zero)
    }
}
