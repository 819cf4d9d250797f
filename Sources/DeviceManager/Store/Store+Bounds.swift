import DeviceModel

/// What keeps the store from growing without bound, and the gaps that tell what went.
extension Store {
    /// How many observations go at a time.
    private static let portion = 1_000

    /// Lets the oldest go while the store is too big, and what is too old.
    ///
    /// Called in every transaction that adds.
    func prune() throws(StoreError) {
        // Only clocks that were set tell an age: a device that boots in 1970 makes no old readings.
        if time.isWallSynchronised {
            let limit = (time.wall - bounds.age).nanoseconds
            let isOverAge = try database.first("SELECT min(wall) FROM observations WHERE synced = 1") {
                !$0.isNull(0) && $0.integer(0) < limit
            }
            if isOverAge == true { try drop(reason: "too_old", "synced = 1 AND wall < \(limit)") }
        }
        if try usedBytes() > bounds.size {
            let stream = try hasTelemetry() ? StreamName.telemetry : .events
            try drop(reason: "store_full", "stream = '\(stream.rawValue)'")
        }
    }

    /// Lets the oldest observations go that fit a condition, and names them.
    private func drop(reason: String, _ condition: String) throws(StoreError) {
        let chosen = "SELECT id FROM observations WHERE \(condition) ORDER BY id LIMIT \(Self.portion)"
        if bounds.namesGaps {
            var gaps: [Gap] = []
            try database.run(
                // A gap names what goes and nothing else: each run of numbers that follow one another.
                """
                SELECT stream, epoch, min(sequence), max(sequence) FROM (
                    SELECT stream, epoch, sequence,
                        sequence - row_number() OVER (PARTITION BY stream, epoch ORDER BY sequence) AS run
                    FROM observations WHERE id IN (\(chosen)))
                GROUP BY stream, epoch, run ORDER BY 3
                """
            ) { row in
                guard let stream = StreamName(rawValue: row.text(0)) else { return }
                gaps.append(
                    Gap(
                        stream: stream, epoch: UInt64(bitPattern: row.integer(1)),
                        first: UInt64(bitPattern: row.integer(2)), last: UInt64(bitPattern: row.integer(3)),
                        reason: reason))
            }
            for gap in gaps { try writeDown(gap) }
        }
        try database.run("DELETE FROM observations WHERE id IN (\(chosen))")
    }

    /// Writes a gap down; one that follows another of the same kind is joined with it.
    func writeDown(_ gap: Gap) throws(StoreError) {
        guard bounds.namesGaps else { return }
        let before = try database.first(
            "SELECT id, first FROM gaps WHERE stream = ? AND epoch = ? AND last = ? AND reason = ?",
            [.text(gap.stream.rawValue), .bits(gap.epoch), .bits(gap.first - 1), .text(gap.reason)]
        ) { (id: $0.integer(0), first: UInt64(bitPattern: $0.integer(1))) }
        if let before { try database.run("DELETE FROM gaps WHERE id = ?", [.integer(before.id)]) }
        try database.run(
            "INSERT INTO gaps (stream, epoch, first, last, reason) VALUES (?, ?, ?, ?, ?)",
            [
                .text(gap.stream.rawValue), .bits(gap.epoch), .bits(before?.first ?? gap.first), .bits(gap.last),
                .text(gap.reason),
            ])
    }

    /// The gaps of an epoch that were written down after a place: as many as a message has room for.
    func gaps(of stream: StreamName, _ epoch: UInt64, after last: Int64) throws(StoreError) -> ([Gap], Int64) {
        var gaps: [Gap] = []
        var newest = last
        try database.run(
            "SELECT id, first, last, reason FROM gaps WHERE stream = ? AND epoch = ? AND id > ? ORDER BY id LIMIT 200",
            [.text(stream.rawValue), .bits(epoch), .integer(last)]
        ) { row in
            newest = row.integer(0)
            gaps.append(
                Gap(
                    stream: stream, epoch: epoch, first: UInt64(bitPattern: row.integer(1)),
                    last: UInt64(bitPattern: row.integer(2)), reason: row.text(3)))
        }
        return (gaps, newest)
    }

    /// The epoch of the first gap that was written down after a place.
    func oldestGap(
        of stream: StreamName, after last: Int64
    ) throws(StoreError) -> UInt64? {
        try database.first(
            "SELECT epoch FROM gaps WHERE stream = ? AND id > ? ORDER BY id LIMIT 1",
            [.text(stream.rawValue), .integer(last)]
        ) { UInt64(bitPattern: $0.integer(0)) }
    }

    /// Keeps the database from growing, as a full disk would: for tests.
    ///
    /// - Parameter count: How many pages it may have; never fewer than it has.
    /// - Throws: ``StoreError``.
    package func limitPages(to count: Int) throws(StoreError) {
        try database.execute("PRAGMA max_page_count = \(max(1, count))")
    }

    private func usedBytes() throws(StoreError) -> Int {
        let used = try database.first(
            "SELECT (page_count - freelist_count) * page_size "
                + "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ) { $0.integer(0) }
        return Int(used ?? 0)
    }

    private func hasTelemetry() throws(StoreError) -> Bool {
        try database.first("SELECT 1 FROM observations WHERE stream = 'telemetry' LIMIT 1") { _ in true } ?? false
    }
}
