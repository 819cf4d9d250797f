public import DeviceModel

/// How an output is held: a lease that is renewed until its holder lets go, or cannot reach the device any more.
///
/// A plain value: what happened and what time it is go in, what to do comes out. The lease is short, so that the output
/// is soon safe when the holder dies.
public struct Hold {
    /// What can happen.
    public enum Event: Hashable, Sendable {
        /// The holder lets go.
        case release
        /// A renewal was answered: it was done.
        case renewed(attempt: Int)
        /// A renewal was answered: the device or the router does not want it, and will not want the next one.
        case refused(attempt: Int, Refusal)
        /// A renewal got no answer, or one that may change.
        case lost(attempt: Int, reason: String)
        /// ``deadline`` is here.
        case tick
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Renew the lease for so long, or end it: zero.
        case renew(attempt: Int, Duration, expiry: Duration)
        /// Nobody waits for this attempt any more.
        case abandon(attempt: Int)
        /// Tell the holder.
        case tell(News)
        /// It is over.
        case end(End)
    }

    /// What the holder is told while it goes on.
    public enum News: Hashable, Sendable {
        /// The lease could not be renewed; it is tried again.
        case lost(reason: String)
        /// It was renewed after all.
        case back
    }

    /// Why a renewal was refused.
    public struct Refusal: Hashable, Sendable {
        /// The kind of refusal.
        public var code: ErrorCode
        /// The refusal in words.
        public var reason: String

        /// A refusal.
        public init(_ code: ErrorCode, _ reason: String) {
            self.code = code
            self.reason = reason
        }
    }

    /// How it ended.
    public enum End: Hashable, Sendable {
        /// The holder let go, and the device has made the output safe.
        case released
        /// Somebody has ended it, or forbids it.
        case refused(Refusal)
        /// The device could not be reached until the lease was over; a last renewal may have arrived without a word, so
        /// that the output is safe again within ``Hold/duration`` at the latest.
        case lost(reason: String)
    }

    /// How long the lease lasts.
    public static let duration: Duration = .seconds(10)
    /// How often it is renewed.
    public static let interval: Duration = .seconds(3)
    /// How long a renewal may take, with the connection that it may need.
    static let patience: Duration = .seconds(3)
    /// How long after a failure the next try comes.
    static let pause: Duration = .milliseconds(500)

    private enum State: Equatable {
        case resting(until: MonotonicTime)
        case asking(isRelease: Bool, since: MonotonicTime, until: MonotonicTime)
        case over
    }

    private var state: State
    private var attempt = 0
    /// When the device was last known to have begun or renewed the lease.
    private var confirmed: MonotonicTime
    private var isReleasing = false
    private var problem: String?

    /// - Parameter now: When the answer came to the command that made the lease.
    public init(at now: MonotonicTime) {
        confirmed = now
        state = .resting(until: now + Self.interval)
    }

    /// When ``Event/tick`` is due.
    public var deadline: MonotonicTime {
        switch state {
        case .resting(let until), .asking(_, _, let until): min(until, leaseEnd)
        case .over: MonotonicTime(nanoseconds: .max)
        }
    }

    /// When the lease must have ended on the device, unless a renewal arrived without an answer.
    ///
    /// Nothing that is sent may be done later than this, and so no lease lasts longer than ``duration`` from here.
    private var leaseEnd: MonotonicTime { confirmed + Self.duration }

    /// Something happened.
    public mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        switch (event, state) {
        case (_, .over): return []
        case (.release, _): return release(at: now)
        case (.tick, _): return tick(at: now)
        case (.renewed(attempt), .asking(let isRelease, let since, _)):
            return isRelease ? end(.released) : goOn(from: since, at: now)
        case (.refused(attempt, let refusal), .asking): return end(.refused(refusal))
        case (.lost(attempt, let reason), .asking): return lose(reason, at: now)
        default: return []  // the answer to an attempt for which nobody waits any more
        }
    }

    private mutating func goOn(from since: MonotonicTime, at now: MonotonicTime) -> [Action] {
        confirmed = now
        defer { problem = nil }
        let news: [Action] = problem == nil ? [] : [.tell(.back)]
        if isReleasing { return news + ask(at: now) }
        state = .resting(until: since + Self.interval)
        return news
    }

    private mutating func release(at now: MonotonicTime) -> [Action] {
        // Who says it twice does not want to wait for the device's word.
        if isReleasing { return end(.lost(reason: "the device has not confirmed the end")) }
        isReleasing = true
        if case .asking = state { return [] }
        return ask(at: now)
    }

    private mutating func tick(at now: MonotonicTime) -> [Action] {
        if leaseEnd <= now { return end(.lost(reason: problem ?? "no answer comes")) }
        switch state {
        case .resting(let until) where until <= now: return ask(at: now)
        case .asking(_, _, let until) where until <= now:
            return [.abandon(attempt: attempt)] + lose("no answer comes", at: now)
        default: return []
        }
    }

    private mutating func ask(at now: MonotonicTime) -> [Action] {
        let expiry = min(Self.patience, leaseEnd - now)
        guard expiry >= .milliseconds(1) else { return end(.lost(reason: problem ?? "no answer comes")) }
        attempt += 1
        state = .asking(isRelease: isReleasing, since: now, until: now + expiry)
        return [.renew(attempt: attempt, isReleasing ? .zero : Self.duration, expiry: expiry)]
    }

    private mutating func lose(_ reason: String, at now: MonotonicTime) -> [Action] {
        defer { problem = reason }
        state = .resting(until: now + Self.pause)
        return problem == nil ? [.tell(.lost(reason: reason))] : []
    }

    private mutating func end(_ end: End) -> [Action] {
        let isAsking = if case .asking = state { true } else { false }
        state = .over
        return (isAsking ? [.abandon(attempt: attempt)] : []) + [.end(end)]
    }
}
