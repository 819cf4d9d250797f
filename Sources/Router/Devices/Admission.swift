import DeviceModel
import Synchronization

/// Lets devices connect at a rate, so that a router to which all of them come back at once is not kept from its work.
///
/// A plain value. Who is not let in is told to come later, each one later than the one before, as if they stood in a
/// queue. Nobody keeps their place, though: who does not come is forgotten, and who comes is let in when there is room.
struct Admission {
    /// Whether a device may come in.
    enum Decision: Hashable {
        case admit
        /// Not before this time has passed.
        case later(Duration)
    }

    /// The longest wait that is asked of anybody; behind that the queue begins again from its front.
    static let longestWait: Duration = .seconds(300)

    /// How long it takes until there is room for one more.
    private let interval: Duration
    /// How long it takes until there is room for as many as may come at once.
    private let wholeRoom: Duration
    /// When there will be room for that many again.
    private var wholeAt = MonotonicTime(nanoseconds: .min)
    /// When the last one is to come of those who were told to come later.
    private var queueEnd = MonotonicTime(nanoseconds: .min)

    init(_ rate: RouterSettings.AdmissionRate) {
        interval = .seconds(1) / max(1, rate.perSecond)
        wholeRoom = interval * max(1, rate.burst)
    }

    /// Somebody wants to come in.
    mutating func decide(at now: MonotonicTime) -> Decision {
        let wholeAtWithThisOne = max(wholeAt, now) + interval
        let roomAt = wholeAtWithThisOne - wholeRoom
        if roomAt <= now {
            wholeAt = wholeAtWithThisOne
            return .admit
        }
        queueEnd = max(queueEnd + interval, roomAt)
        if queueEnd - now > Self.longestWait { queueEnd = roomAt }
        return .later(queueEnd - now)
    }
}

/// The one admission of a router, for all its connections.
final class AdmissionDesk: Sendable {
    private let admission: Mutex<Admission>
    private let time: any TimeSource

    init(_ rate: RouterSettings.AdmissionRate, time: any TimeSource) {
        admission = Mutex(Admission(rate))
        self.time = time
    }

    /// Somebody wants to come in.
    ///
    /// - Returns: How long they have to wait before they come again; nil: they are in.
    func wait() -> Duration? {
        switch admission.withLock({ $0.decide(at: time.now) }) {
        case .admit: nil
        case .later(let wait): wait
        }
    }
}
