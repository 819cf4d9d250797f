import DeviceManager
import DeviceModel

/// The states of the link, and what leads from one to another: for ever, whatever happens to it.
///
/// A plain value. Pauses grow with each failure and are spread by chance, so that many devices that failed together do
/// not come back together; a network that comes back is worth one try at once.
///
/// ```
/// connecting ──► connected ──► draining ──► closed
///      │           ▲   │                      ▲
///      ▼           │   ▼                      │
///      reconnecting ◄──┘ ─────────────────────┘
/// ```
struct LinkMachine {
    /// What can happen.
    enum Event: Hashable {
        /// Make the link, and keep it.
        case start
        /// The router has accepted the device.
        case opened
        /// Nothing comes through the connection any more; ``ended(_:)`` follows when all is tidied up.
        case lost
        /// The try, or the connection, has ended.
        case ended(LinkEnd)
        /// There is an address or a way that was not there before.
        case networkCameBack
        /// The agent stops.
        case stop
        /// Time passed.
        case tick
    }

    /// What is to be done.
    enum Action: Hashable {
        /// Try to connect; ``Event/ended(_:)`` follows, come what may.
        case dial
        /// Send what is left, then end.
        case drain
        /// End the try or the connection at once.
        case hangUp
        /// Tell how the link is.
        case tell(LinkState)
    }

    private enum Phase: Hashable {
        case idle
        case dialing
        case open(since: MonotonicTime)
        /// What was open is being tidied up.
        case lost
        case waiting(until: MonotonicTime)
        case draining(until: MonotonicTime)
        case closing
        case closed
    }

    /// The longest pause between two tries.
    static let longestPause: Duration = .seconds(60)
    /// For how long a link has to be stable until the pauses begin small again.
    static let stableAfter: Duration = .seconds(60)
    /// How often a device that was never enrolled looks whether it is by now.
    static let enrolmentPause: Duration = .seconds(5)
    /// A network that comes and goes is worth no more than one try in this time.
    static let networkPause: Duration = .seconds(5)
    /// How long what is left may take when the agent stops.
    static let drainTime: Duration = .seconds(3)

    private var phase = Phase.idle
    private var backoff = Backoff(first: .seconds(1), cap: longestPause, jitter: .full)
    /// When the router may be asked again, by its own word.
    private var notBefore: MonotonicTime?
    private var networkIsNew = false
    /// Whether the next try does not wait for its turn, and when the last of that kind was.
    private var isAtOnce = false
    private var triedAtOnce: MonotonicTime?

    /// How many tries have failed since it was connected last.
    var failures: Int { if case .open = phase { 0 } else { backoff.failures } }

    /// When ``Event/tick`` is due; nil: it waits for something else.
    var deadline: MonotonicTime? {
        switch phase {
        case .waiting(let until), .draining(let until): until
        case .idle, .dialing, .open, .lost, .closing, .closed: nil
        }
    }

    /// Whether nothing will happen any more.
    var isClosed: Bool { phase == .closed }

    /// Something happened.
    ///
    /// - Parameters:
    ///   - event: What.
    ///   - now: When.
    ///   - generator: Where the spread of the pauses comes from.
    /// - Returns: What is to be done, in this order.
    mutating func handle(
        _ event: Event, at now: MonotonicTime, using generator: inout some RandomNumberGenerator
    ) -> [Action] {
        switch (event, phase) {
        case (.start, .idle):
            phase = .dialing
            return [.tell(.connecting), .dial]
        case (.opened, .dialing):
            phase = .open(since: now)
            networkIsNew = false
            return [.tell(.connected)]
        case (.lost, .open(let since)):
            if now - since >= Self.stableAfter { backoff.succeeded() }
            phase = .lost
            return [.tell(.reconnecting)]
        case (.ended(let end), .dialing), (.ended(let end), .open), (.ended(let end), .lost):
            return retry(after: end, at: now, &generator)
        case (.ended, .draining), (.ended, .closing): return close()
        case (.networkCameBack, .dialing), (.networkCameBack, .lost):
            networkIsNew = true
            return []
        case (.networkCameBack, .waiting(let until)):
            phase = .waiting(until: soon(until, at: now))
            return handle(.tick, at: now, using: &generator)
        case (.tick, .waiting(let until)) where until <= now:
            phase = .dialing
            if isAtOnce { triedAtOnce = now }
            isAtOnce = false
            return [.dial]
        case (.tick, .draining(let until)) where until <= now:
            phase = .closing
            return [.hangUp]
        case (.stop, .open):
            phase = .draining(until: now + Self.drainTime)
            return [.tell(.draining), .drain]
        case (.stop, .dialing), (.stop, .lost):
            phase = .closing
            return [.hangUp]
        case (.stop, .idle), (.stop, .waiting): return close()
        default: return []
        }
    }

    private mutating func retry(
        after end: LinkEnd, at now: MonotonicTime, _ generator: inout some RandomNumberGenerator
    ) -> [Action] {
        if case .open(let since) = phase, now - since >= Self.stableAfter { backoff.succeeded() }
        let pause = end.isNotEnrolled ? Self.enrolmentPause : backoff.failed(using: &generator)
        notBefore = end.retryAfter.map { now + $0 }
        let until = max(now + pause, notBefore ?? now)
        phase = .waiting(until: networkIsNew ? soon(until, at: now) : until)
        networkIsNew = false
        return [.tell(.reconnecting)]
    }

    /// The time of a try that does not wait for its turn, where that is before it.
    private mutating func soon(_ turn: MonotonicTime, at now: MonotonicTime) -> MonotonicTime {
        let time = max(now, triedAtOnce.map { $0 + Self.networkPause } ?? now, notBefore ?? now)
        guard time < turn else { return turn }
        isAtOnce = true
        return time
    }

    private mutating func close() -> [Action] {
        phase = .closed
        return [.tell(.closed)]
    }
}

/// How a try, or a connection, has ended.
struct LinkEnd: Hashable {
    /// How long the router wants to be left alone; nil: it did not say.
    var retryAfter: Duration?
    /// Whether the device has no key yet.
    var isNotEnrolled = false
}
