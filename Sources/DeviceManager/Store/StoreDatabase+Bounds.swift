import DeviceManager
import DeviceModel

/// What keeps the store from growing without bound, and the gaps that tell what went.
extension StoreDatabase {
    /// How many observations are looked at, or go, at a time.
    private static let portion = 1_000
    /// How many portions are looked at with each commit, at most: whoever waits for it waits for them too.
    private static let portionsPerCommit = 4

    /// Lets observations go that are too old, and the oldest while the store is too big.
    ///
    /// Called in every transaction that adds.
    ///
    /// - Returns: How many went, and how many that the router has; nil: those were left alone.
    func prune(_ clock: BootClock, _ thinning: inout Thinning) throws(StoreError) -> (dropped: Int, trimmed: Int?) {
        var (old, dropped) = (try tooOld(clock), 0)
        var trimmed: Int?
        // What the router has is not missed: it goes first.
        let isFull = try usedBytes() > bounds.size
        if isFull || !old.isEmpty, !arrived.isEmpty {
            for reception in arrived { trimmed = try (trimmed ?? 0) + trim(reception) }
            old = try tooOld(clock)
        }
        for (name, last) in old { dropped += try drop(.tooOld, "stream = '\(name.rawValue)' AND id <= \(last)") }
        for _ in 0..<Self.portionsPerCommit where try usedBytes() > bounds.size {
            dropped += try makeRoom(&thinning)
        }
        return (dropped, trimmed)
    }

    // MARK: Too old

    /// The streams in which something is too old, and up to which row.
    private func tooOld(_ clock: BootClock) throws(StoreError) -> [StreamName: Int64] {
        var rows: [StreamName: Int64] = [:]
        // Events that somebody waits for must not go, however old they are.
        for name in StreamName.allCases where name == .telemetry || !bounds.hasRouter {
            rows[name] = try lastTooOld(name, clock)
        }
        return rows
    }

    /// The newest row that is too old, among the oldest of a stream.
    ///
    /// Rows come in the order of time: what comes before one that is too old is so too, also where nobody knows its age.
    private func lastTooOld(_ name: StreamName, _ clock: BootClock) throws(StoreError) -> Int64? {
        var (last, isFirstYoung): (Int64?, Bool) = (nil, false)
        // Nearly always the oldest row is young, and one is enough to see that.
        for limit in [1, Self.portion] where !isFirstYoung {
            var isFirst = true
            try sqlite.run(
                "SELECT o.id, o.boot, o.at, o.wall, o.synced, b.offset FROM observations o "
                    + "JOIN boots b ON b.id = o.boot WHERE o.stream = ? ORDER BY o.id LIMIT ?",
                [.text(name.rawValue), .integer(Int64(limit))]
            ) { row in
                let isTooOld = age(row, clock).map { $0 > bounds.age }
                if isFirst { isFirstYoung = isTooOld == false }
                if isTooOld == true { last = row.integer(0) }
                isFirst = false
            }
        }
        return last
    }

    /// How old a row is; nil: nobody knows.
    private func age(_ row: borrowing SQLite.Row, _ clock: BootClock) -> Duration? {
        let at = MonotonicTime(nanoseconds: row.integer(2))
        // What this boot has seen is timed by the clock that never jumps.
        if row.integer(1) == bootRow { return time.now - at }
        guard time.isWallSynchronised, clock.isTrusted(at: time.now) else { return nil }
        // What the clock of a boot said last is righter than what it said then.
        guard row.isNull(5) else {
            return time.wall - (WallTime(nanoseconds: at.nanoseconds) + .nanoseconds(row.integer(5)))
        }
        return row.integer(4) != 0 ? time.wall - WallTime(nanoseconds: row.integer(3)) : nil
    }

    // MARK: Too big

    /// Makes the store smaller by a portion: of readings, and of events only where no reading is left.
    ///
    /// - Returns: How many observations went.
    private func makeRoom(_ thinning: inout Thinning) throws(StoreError) -> Int {
        if case .thinOut(to: let interval) = bounds.whenFull {
            if let thinned = try thin(to: interval, &thinning) { return thinned }
        }
        let dropped = try dropOldest(.telemetry)
        return dropped > 0 ? dropped : try dropOldest(.events)
    }

    private func dropOldest(_ name: StreamName) throws(StoreError) -> Int {
        let condition = "stream = '\(name.rawValue)'"
        return try drop(
            .storeFull,
            "id IN (SELECT id FROM observations WHERE \(condition) ORDER BY id LIMIT \(Self.portion))")
    }

    /// Keeps one reading of each property for each interval, among the oldest that were not thinned out before.
    ///
    /// - Returns: How many went; 0: none of those that there was time to look at; nil: all have been thinned out.
    private func thin(to interval: Duration, _ thinning: inout Thinning) throws(StoreError) -> Int? {
        let place: [SQLiteValue] = [.text(StreamName.telemetry.rawValue)]
        for _ in 0..<Self.portionsPerCommit {
            let start = try sqlite.first("SELECT thinned FROM streams WHERE name = ?", place) { $0.integer(0) } ?? 0
            var (last, going): (Int64?, [String]) = (nil, [])
            try sqlite.run(
                "SELECT id, boot, at, component, name, quality FROM observations WHERE stream = ? AND id > ? "
                    + "ORDER BY id LIMIT \(Self.portion)", place + [.integer(start)]
            ) { row in
                last = row.integer(0)
                let property = Thinning.Property(component: row.text(3), name: row.text(4))
                let at = MonotonicTime(nanoseconds: row.integer(2))
                let isKept = thinning.keeps(
                    property, boot: row.integer(1), at: at, quality: row.text(5), interval: interval)
                if !isKept { going.append("\(row.integer(0))") }
            }
            guard let last else { return nil }
            try sqlite.run("UPDATE streams SET thinned = ? WHERE name = ?", [.integer(last)] + place)
            if !going.isEmpty { return try drop(.thinnedOut, "id IN (\(going.joined(separator: ", ")))") }
        }
        return 0
    }

    // MARK: Going

    /// Lets observations go that fit a condition, and names them.
    ///
    /// - Returns: How many went.
    func drop(_ reason: GapReason, _ condition: String) throws(StoreError) -> Int {
        if bounds.hasRouter {
            for gap in try gaps(reason, condition) { try writeDown(gap) }
        }
        try sqlite.execute("DELETE FROM observations WHERE \(condition)")
        let dropped = sqlite.changedRows
        if !bounds.hasRouter { try forgetGaps() }
        return dropped
    }

    /// The gaps that some observations would leave: each run of numbers that follow one another.
    private func gaps(_ reason: GapReason, _ condition: String) throws(StoreError) -> [Gap] {
        var gaps: [Gap] = []
        // Not kept for the next time: the condition is another one each time.
        try sqlite.runOnce(
            """
            SELECT stream, epoch, min(sequence), max(sequence), min(dated), max(dated) FROM (
                SELECT stream, epoch, sequence,
                    CASE WHEN synced = 1 THEN wall
                        ELSE at + (SELECT offset FROM boots WHERE boots.id = observations.boot) END AS dated,
                    sequence - row_number() OVER (PARTITION BY stream, epoch ORDER BY sequence) AS run
                FROM observations WHERE \(condition))
            GROUP BY stream, epoch, run ORDER BY 3
            """
        ) { row in
            guard let stream = StreamName(rawValue: row.text(0)) else { return }
            let numbers = UInt64(bitPattern: row.integer(2))...UInt64(bitPattern: row.integer(3))
            let times = [4, 5].map { row.isNull($0) ? nil : WallTime(nanoseconds: row.integer($0)) }
            gaps.append(
                Gap(
                    numbers, of: stream, epoch: UInt64(bitPattern: row.integer(1)), reason: reason,
                    since: times[0], until: times[1]))
        }
        return gaps
    }

    /// What keeps the store in its bounds.
    private static let bounding: [GapReason] = [.tooOld, .storeFull, .thinnedOut]
    /// From how many gaps on it matters more that they are few than why each of them is there.
    private static let manyGaps = 200

    /// The reasons of gaps that are one with a new one where nothing is left between; the new reason stands for all.
    private func reasonsJoined(with reason: GapReason) throws(StoreError) -> [GapReason] {
        guard Self.bounding.contains(reason) else { return [reason] }
        let count = try sqlite.first("SELECT count(*) FROM gaps WHERE isAcknowledged = 0") { $0.integer(0) } ?? 0
        return Self.bounding + (count > Self.manyGaps ? [.diskTooSlow, .diskFailed] : [])
    }

    /// Writes down what went, as one gap with what went before and behind it.
    ///
    /// So there are no more of these gaps than there are observations between them.
    func writeDown(_ gap: Gap) throws(StoreError) {
        var whole = gap
        let place: [SQLiteValue] = [.text(gap.stream.rawValue), .bits(gap.epoch)]
        let joined = try reasonsJoined(with: gap.reason).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        for neighbour in [("last", gap.first &- 1), ("first", gap.last &+ 1)] {
            let known = try sqlite.first(
                "\(SQLite.selectGaps) WHERE stream = ? AND epoch = ? AND \(neighbour.0) = ? AND reason IN (\(joined)) "
                    + "AND isAcknowledged = 0",
                place + [.bits(neighbour.1)]
            ) { SQLite.gap($0) }
            guard case (let id, let other)?? = known else { continue }
            try sqlite.run("DELETE FROM gaps WHERE id = ?", [.integer(id)])
            whole.join(other)
        }
        try sqlite.insert(whole)
    }

    /// Forgets the gaps that are older than all that is left: nobody waits for them.
    private func forgetGaps() throws(StoreError) {
        for (name, stream) in streams {
            let place: [SQLiteValue] = [.text(name.rawValue), .bits(stream.epoch)]
            try sqlite.run(
                """
                DELETE FROM gaps WHERE stream = ?1 AND epoch = ?2 AND last < (
                    SELECT min(sequence) FROM observations WHERE stream = ?1 AND epoch = ?2)
                """, place)
            try sqlite.run(
                """
                DELETE FROM gaps WHERE stream = ?1 AND epoch != ?2
                    AND NOT EXISTS (SELECT 1 FROM observations o WHERE o.stream = ?1 AND o.epoch = gaps.epoch)
                """, place)
        }
    }

    private func usedBytes() throws(StoreError) -> Int {
        let used = try sqlite.first(
            "SELECT (page_count - freelist_count) * page_size "
                + "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ) { $0.integer(0) }
        return Int(used ?? 0)
    }
}

extension Gap {
    /// Takes in what is missing right before or behind.
    fileprivate mutating func join(_ other: Gap) {
        (first, last) = (min(first, other.first), max(last, other.last))
        count = count.flatMap { own in other.count.map { own + $0 } }
        since = [since, other.since].compactMap(\.self).min()
        until = [until, other.until].compactMap(\.self).max()
    }
}
