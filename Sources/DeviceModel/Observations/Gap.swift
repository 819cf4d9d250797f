/// Observations that are known to be missing, from one sequence number to another of the same epoch.
public struct Gap: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// The epoch of the numbers.
    public var epoch: UInt64
    /// The first missing number.
    public var first: UInt64
    /// The last missing number, not smaller than the first.
    public var last: UInt64
    /// How many observations are missing; nil: nobody knows, and the numbers only stand for them.
    public var count: UInt64?
    /// Why they are missing.
    public var reason: GapReason
    /// From when on observations are missing, by the wall clock; nil: nobody knows.
    public var since: WallTime?
    /// Until when observations are missing, by the wall clock; nil: nobody knows.
    public var until: WallTime?

    /// A gap between two numbers, both of them missing.
    public init(
        stream: StreamName, epoch: UInt64, first: UInt64, last: UInt64, count: UInt64?, reason: GapReason,
        since: WallTime? = nil, until: WallTime? = nil
    ) {
        (self.stream, self.epoch, self.first, self.last) = (stream, epoch, first, last)
        (self.count, self.reason, self.since, self.until) = (count, reason, since, until)
    }

    /// A gap of which every number stands for one observation.
    public init(
        _ numbers: ClosedRange<UInt64>, of stream: StreamName, epoch: UInt64, reason: GapReason,
        since: WallTime? = nil, until: WallTime? = nil
    ) {
        self.init(
            stream: stream, epoch: epoch, first: numbers.lowerBound, last: numbers.upperBound,
            count: numbers.upperBound - numbers.lowerBound + 1, reason: reason, since: since, until: until)
    }

    /// The missing numbers.
    public var numbers: ClosedRange<UInt64> { first...last }

    /// Whether each of its numbers stands for one observation.
    public var isCounted: Bool { count.map { $0 > 0 && $0 - 1 == last - first } ?? false }

    /// Whether its numbers were those of stored observations; else they only stand for what was never stored.
    public var isOfObservations: Bool {
        isCounted && reason != .diskTooSlow && reason != .diskFailed
    }
}

/// Why observations are missing.
///
/// A device of another make, or of a later version, may have others.
public struct GapReason: RawRepresentable, Hashable, Sendable {
    /// As it stands in messages.
    public let rawValue: String

    /// A reason, as it stands in messages.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// They waited for longer than `store.keep`.
    public static let tooOld = GapReason(rawValue: "too_old")
    /// The store had reached `store.max_size`.
    public static let storeFull = GapReason(rawValue: "store_full")
    /// The store had reached `store.max_size`, and kept one of them for each interval.
    public static let thinnedOut = GapReason(rawValue: "thinned_out")
    /// More was observed than the disk could take.
    public static let diskTooSlow = GapReason(rawValue: "disk_too_slow")
    /// The disk was full, or could not be written.
    public static let diskFailed = GapReason(rawValue: "disk_failed")
    /// The device stopped without an end: what it had not stored yet is unknown.
    public static let uncleanStop = GapReason(rawValue: "unclean_stop")
    /// The store was damaged, and a new one begun: what it still held is unknown.
    public static let storeDamaged = GapReason(rawValue: "store_damaged")
    /// The store is an older copy, or a new one: what the other one still held is unknown.
    public static let storeReplaced = GapReason(rawValue: "store_replaced")
    /// The router had acknowledged them, and has lost them since.
    public static let routerLost = GapReason(rawValue: "router_lost")

    /// They went before the device had a router.
    public static let noRouter = GapReason(rawValue: "no_router")

    /// The router can't read them.
    public static let unreadable = GapReason(rawValue: "unreadable")

    /// The reason in words, as the end of a sentence that says that something is missing.
    public var text: String {
        switch self {
        case .tooOld: "they were kept for too long"
        case .storeFull: "the device's store was full"
        case .thinnedOut: "the device's store was full, and was thinned out"
        case .diskTooSlow: "the device's disk was too slow"
        case .diskFailed: "the device's disk was full or failed"
        case .uncleanStop: "the device was killed or lost its power"
        case .storeDamaged: "the device's store was damaged"
        case .storeReplaced: "the device's store was replaced by another one"
        case .routerLost: "the router has lost them"
        case .noRouter: "the device had no router yet"
        case .unreadable: "the router can't read them"
        default: rawValue
        }
    }
}

/// Observations that were lost before they could be stored, and so have no numbers yet.
public struct Loss: Hashable, Sendable {
    /// The stream.
    public var stream: StreamName
    /// Why.
    public var reason: GapReason
    /// How many.
    public var count: Int
    /// When the first of them was observed; nil: nobody knows.
    public var since: WallTime?
    /// When the last of them was observed; nil: nobody knows.
    public var until: WallTime?

    /// Lost observations.
    public init(stream: StreamName, reason: GapReason, count: Int, since: WallTime?, until: WallTime?) {
        (self.stream, self.reason, self.count) = (stream, reason, count)
        (self.since, self.until) = (since, until)
    }
}
