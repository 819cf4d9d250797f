import DeviceModel
import Synchronization

/// Decides how many may stand at the door: connections of which nobody knows whose they are.
///
/// A plain value. An address may have a number of them, and make so many in a second. When too many stand there
/// altogether, of the address of which most stand there the one goes that came first: whoever comes alone stays until all do.
struct Doorkeeper {
    /// A connection that stands at the door.
    typealias Ticket = UInt64

    /// What somebody who comes is told.
    enum Decision: Hashable {
        /// They may stand at the door; where it is too full, another one goes.
        case admit(Ticket, insteadOf: Ticket?)
        case refuse
    }

    /// How many may stand at the door.
    struct Limits: Hashable {
        /// How many altogether.
        var altogether = 512
        /// How many of one address.
        var ofOne = 64
        /// How many one address may make in a second, over a longer time.
        var perSecond = 50
        /// How many it may make at once, after a quiet time.
        var burst = 200
    }

    /// One address.
    private struct Visitor {
        var standing = 0
        /// When it may make its whole burst again.
        var wholeAt: MonotonicTime
    }

    /// So many addresses are remembered; one that is not heard of goes.
    private static let bound = 16_384

    private let limits: Limits
    private var visitors: [String: Visitor] = [:]
    /// Who stands at the door; tickets are given in the order in which they came.
    private var standing: [Ticket: String] = [:]
    private var next: Ticket = 0

    init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// How many stand at the door.
    var count: Int { standing.count }

    /// How many addresses are remembered.
    var remembered: Int { visitors.count }

    /// Somebody comes.
    ///
    /// - Parameters:
    ///   - source: Their address; nil: one that many share and nobody is held to, such as a proxy's.
    ///   - now: The present.
    /// - Returns: Whether they may stand at the door.
    mutating func arrive(from source: String?, at now: MonotonicTime) -> Decision {
        if let source, !letMake(source, at: now) { return .refuse }
        var oldest: Ticket?
        if standing.count >= limits.altogether {
            oldest = firstOfTheMost
            if let oldest { leave(oldest) }
        }
        next += 1
        standing[next] = source ?? ""
        if let source { visitors[source]?.standing += 1 }
        return .admit(next, insteadOf: oldest)
    }

    /// Somebody does not stand at the door any more: they are in, or gone.
    mutating func leave(_ ticket: Ticket) {
        guard let source = standing.removeValue(forKey: ticket) else { return }
        visitors[source]?.standing -= 1
    }

    /// Who goes when there are too many.
    private var firstOfTheMost: Ticket? {
        var crowds: [Substring: (count: Int, first: Ticket)] = [:]
        for (ticket, source) in standing {
            let crowd = crowds[Self.neighbourhood(source, ticket)] ?? (0, ticket)
            crowds[Self.neighbourhood(source, ticket)] = (crowd.count + 1, min(crowd.first, ticket))
        }
        return crowds.values.max { ($0.count, $1.first) < ($1.count, $0.first) }?.first
    }

    /// Who counts together: an address; of IPv6 the 48 bits that a customer has at most (RFC 6177); behind a proxy each
    /// one alone.
    private static func neighbourhood(_ source: String, _ ticket: Ticket) -> Substring {
        source.isEmpty ? "\(ticket)" : source.contains(".") ? source[...] : source.prefix(12)
    }

    private mutating func letMake(_ source: String, at now: MonotonicTime) -> Bool {
        if visitors[source] == nil, visitors.count >= Self.bound { forget(at: now) }
        let interval = Duration.seconds(1) / limits.perSecond
        var visitor = visitors[source] ?? Visitor(wholeAt: now)
        let wholeAt = max(visitor.wholeAt, now) + interval
        guard visitor.standing < limits.ofOne, wholeAt - now <= interval * limits.burst else { return false }
        visitor.wholeAt = wholeAt
        visitors[source] = visitor
        return true
    }

    /// Forgets the addresses of which there is nothing to remember; where there are none, those that stand nowhere.
    private mutating func forget(at now: MonotonicTime) {
        visitors = visitors.filter { $0.value.standing > 0 || $0.value.wholeAt > now }
        if visitors.count >= Self.bound { visitors = visitors.filter { $0.value.standing > 0 } }
    }
}
