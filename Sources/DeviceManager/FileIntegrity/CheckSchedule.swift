import DeviceModel

/// When the rounds through all files are made, and how much of them is read in each: no more than a core's hundredth,
/// but for the first round, and for one that cannot wait.
struct CheckSchedule {
    /// How long the thread works before it looks whether something else is to be done.
    static let slice: Duration = .milliseconds(100)
    /// How much longer it rests than it works: less than 1 % of a core.
    private static let rest = 120
    /// How much of an interval is spent on reading what seems to be what it was.
    private static let share = 160

    private let interval: Duration
    private var round: CheckRound?
    /// Whether the round under way does not rest.
    private var isHurried = true
    /// Whether everything is read in it, whatever that takes.
    private var isFirst = true
    /// Whether another one follows at once.
    private var isWanted = false
    /// From which file on is read; nil: from the first.
    private var readFrom: FilePath?
    private var spent: Duration = .zero
    private var isExhausted = false
    private var startedAt: MonotonicTime
    /// When the next slice is due.
    private var sliceAt: MonotonicTime
    /// When a round was over last; nil: none was.
    private(set) var overAt: MonotonicTime?
    /// How long it takes until every file was read again; nil: that is not known yet.
    private(set) var period: Duration?
    private var readSince: MonotonicTime

    /// - Parameters:
    ///   - interval: How often every file is looked at.
    ///   - now: The present, at which the first round begins.
    init(interval: Duration, now: MonotonicTime) {
        self.interval = interval
        (startedAt, sliceAt, readSince) = (now, now, now)
    }

    /// When there is something to do.
    var deadline: MonotonicTime? { sliceAt }

    /// A round is to be made at once.
    mutating func hurry() {
        isWanted = true
        sliceAt = MonotonicTime(nanoseconds: 0)
    }

    /// What the files are compared with is another one now.
    mutating func restart() {
        if round != nil { isWanted = true }
        round = nil
    }

    /// Whether a slice is due; a round begins with it where none is under way.
    mutating func begin(_ checker: FileChecker, at now: MonotonicTime) -> Bool {
        if isWanted {
            (round, isWanted, isHurried) = (nil, false, true)
        } else {
            guard sliceAt <= now else { return false }
        }
        guard round == nil else { return true }
        round = CheckRound(checker)
        (startedAt, spent, isExhausted) = (now, .zero, false)
        if readFrom == nil { readSince = now }
        return true
    }

    /// Looks at the next file.
    ///
    /// - Parameters:
    ///   - cost: What this slice has cost so far.
    ///   - findings: Takes how it differs.
    /// - Returns: Whether there is more.
    mutating func advance(cost: Duration, into findings: inout FileChecker.Findings) -> Bool {
        if !isFirst, !isExhausted, isHurried || spent + cost > interval / Self.share {
            isExhausted = true
            if !isHurried { readFrom = round?.place }
        }
        let depth: CheckRound.Depth = isExhausted ? .from(nil) : readFrom.map { .from($0) } ?? .everything
        return round?.advance(depth, into: &findings) ?? false
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
            sliceAt = isHurried ? now : pause
            return
        }
        if !isHurried || isFirst, !isExhausted {
            readFrom = nil
            period = max(interval, now - readSince)
        } else if !isHurried {
            // Reading goes on where it has stopped.
            period = max(period ?? interval, now - readSince)
        }
        (round, isFirst, isHurried, overAt) = (nil, false, false, now)
        sliceAt = max(pause, startedAt + interval)
    }
}
