import DeviceModel

/// When the rounds through all files are made, and how much of them is read in each: no more than a core's hundredth,
/// but for the first round, and for one that cannot wait.
struct CheckSchedule {
    /// How long the thread works before it looks whether something else is to be done.
    static let slice: Duration = .milliseconds(100)
    /// How much longer it rests than it works: less than 1 % of a core.
    private static let rest = 120
    /// How much of an interval is spent on reading what seems to be what it was; one file is read in any case.
    private static let share = 160
    /// How long after one round that could not wait the next one has to: a moment, and much longer than that took.
    private static let calm: Duration = .milliseconds(50)
    private static let calming = 4

    private let interval: Duration
    private var round: CheckRound?
    /// Whether the round under way does not rest, and reads only what seems to have changed.
    private var isHurried = false
    /// Whether everything is read in it, whatever that takes.
    private var isFirst = true
    /// Whether another one that can't wait follows.
    private var isWanted = false
    /// Behind which file reading goes on; nil: it begins with the first.
    private var readAfter: FilePath?
    private var readSince: MonotonicTime
    private var spent: Duration = .zero
    private var startedAt: MonotonicTime
    /// When the next round is due that reads, too.
    private var usualAt: MonotonicTime
    /// When the next slice is due.
    private var sliceAt: MonotonicTime
    /// Before this no round is begun because it could not wait.
    private var calmUntil: MonotonicTime
    /// When a round was over last; nil: none was.
    private(set) var overAt: MonotonicTime?
    /// How long it takes until every file was read again; nil: that is not known yet.
    private(set) var period: Duration?

    /// - Parameters:
    ///   - interval: How often every file is looked at.
    ///   - now: The present, at which the first round begins.
    init(interval: Duration, now: MonotonicTime) {
        self.interval = interval
        (startedAt, sliceAt, readSince, calmUntil, usualAt) = (now, now, now, now, now)
    }

    /// When there is something to do.
    var deadline: MonotonicTime { sliceAt }

    /// Every file is to be looked at as soon as may be: the round under way comes to its end without a rest, and another
    /// one follows.
    mutating func hurry(at now: MonotonicTime) {
        isWanted = true
        sliceAt = round == nil ? max(now, calmUntil) : now
        guard round != nil, !isHurried else { return }
        isHurried = true
        // Reading goes on where it was, in the next round that rests.
        if !isFirst { (readAfter, usualAt) = (round?.lastRead ?? readAfter, now) }
    }

    /// What the files are compared with is another one now.
    mutating func restart(at now: MonotonicTime) {
        guard round != nil else { return }
        round = nil
        hurry(at: now)
    }

    /// Whether a slice is due; a round begins with it where none is under way.
    mutating func begin(_ checker: FileChecker, at now: MonotonicTime) -> Bool {
        guard sliceAt <= now else { return false }
        guard round == nil else { return true }
        round = CheckRound(checker)
        (isHurried, isWanted) = (isWanted && now < usualAt && !isFirst, false)
        (startedAt, spent) = (now, .zero)
        if readAfter == nil { readSince = now }
        return true
    }

    /// Looks at the next file.
    ///
    /// - Parameter findings: Takes how it differs.
    /// - Returns: Whether there is more.
    mutating func advance(into findings: inout FileChecker.Findings) -> Bool {
        let depth = depth
        return round?.advance(depth, into: &findings) ?? false
    }

    private var depth: CheckRound.Depth {
        if isFirst { return .everything }
        return isHurried || isExhausted ? .changed : readAfter.map { .after($0) } ?? .everything
    }

    private var isExhausted: Bool {
        round.map { $0.lastRead != nil && $0.readingTime > interval / Self.share } ?? false
    }

    /// A slice is over.
    ///
    /// - Parameters:
    ///   - cost: What it has cost.
    ///   - isOver: Whether the round is over, too.
    ///   - now: The present.
    mutating func end(cost: Duration, isOver: Bool, at now: MonotonicTime) {
        spent += cost
        let pause = now + cost * Self.rest
        guard isOver else {
            sliceAt = isFirst || isHurried ? now : pause
            return
        }
        if isFirst || !isHurried {
            readAfter = isExhausted && !isFirst ? round?.lastRead : nil
            period = max(readAfter == nil ? interval : period ?? interval, now - readSince)
        }
        if isHurried { calmUntil = now + max(Self.calm, spent * Self.calming) }
        if isFirst || !isHurried { usualAt = startedAt + interval }
        (round, isFirst, isHurried, overAt) = (nil, false, false, now)
        // A round that could not wait puts off none that reads.
        sliceAt = isWanted && calmUntil < usualAt ? max(now, calmUntil) : max(pause, usualAt)
    }
}
