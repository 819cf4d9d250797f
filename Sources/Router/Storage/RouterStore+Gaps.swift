import DeviceModel
import GRDB
import Wire

/// What is missing, and what came twice.
extension RouterStore {
    /// Writes a gap down, whose numbers are not here and in no other gap.
    static func insert(_ db: Database, _ gap: Gap, _ place: Place) throws {
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO gaps (device, stream, epoch, first, last, count, reason, since, until)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try insert.execute(
            arguments: place.arguments + [
                Int64(gap.first), Int64(gap.last), gap.count.map { Int64(clamping: $0) }, gap.reason.rawValue,
                gap.since?.nanoseconds, gap.until?.nanoseconds,
            ])
    }

    /// A number came that a gap has named: the gap is cut down to the others.
    static func take(_ number: UInt64, outOf gap: Gap, _ db: Database, _ place: Place) throws {
        try db.execute(
            sql: "DELETE FROM gaps WHERE device = ? AND stream = ? AND epoch = ? AND first = ?",
            arguments: place.arguments + [Int64(gap.first)])
        let others = SequenceRanges([gap.numbers]).subtracting(SequenceRanges([number...number]))
        for part in gap.cut(to: others) { try insert(db, part, place) }
    }

    /// The gap that names a number; nil: none does.
    static func gap(_ db: Database, at number: UInt64, _ place: Place) throws -> Gap? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT * FROM gaps WHERE device = ? AND stream = ? AND epoch = ? AND first <= ? ORDER BY first DESC LIMIT 1
                """, arguments: place.arguments + [Int64(number)])
        return row.flatMap(gap).flatMap { $0.numbers.contains(number) ? $0 : nil }
    }

    /// Which gaps of an epoch are asked for.
    struct GapSelection {
        /// Those behind this number; 0: all; nil: none by their numbers.
        var behind: UInt64?
        /// And those that reach to this time, or further; nil: none by their times.
        var since: WallTime?
        /// And those that nobody can date, behind this number; nil: none of them.
        var undatedBehind: UInt64?
    }

    /// The newest gaps of an epoch, in the order of their numbers.
    static func gaps(_ db: Database, _ place: Place, _ selection: GapSelection, limit: Int) throws -> [Gap] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM gaps
                WHERE device = ? AND stream = ? AND epoch = ?
                    AND (first > ? OR until >= ? OR (until IS NULL AND first > ?)) ORDER BY first DESC LIMIT ?
                """,
            arguments: place.arguments + [
                selection.behind.map { Int64(clamping: $0) }, selection.since?.nanoseconds,
                selection.undatedBehind.map { Int64(clamping: $0) }, limit,
            ]
        ).reversed().compactMap(gap)
    }

    /// nil for a row that only a later version understands.
    private static func gap(_ row: Row) -> Gap? {
        guard let stream = StreamName(rawValue: row["stream"]) else { return nil }
        return Gap(
            stream: stream, epoch: row.unsigned("epoch"), first: row.unsigned("first"), last: row.unsigned("last"),
            count: (row["count"] as Int64?).map { UInt64(bitPattern: $0) },
            reason: GapReason(rawValue: row["reason"]),
            since: (row["since"] as Int64?).map(WallTime.init(nanoseconds:)),
            until: (row["until"] as Int64?).map(WallTime.init(nanoseconds:)))
    }

    // MARK: The same number with another content

    /// Counts a number that came again with another content.
    func note(_ conflict: NumberConflict, of device: Device) async throws {
        let (position, now) = (conflict.position, now)
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO conflicts (device, stream, epoch, sequence, times, firstSeen, lastSeen)
                    SELECT id, ?1, ?2, ?3, 1, ?4, ?4 FROM devices WHERE id = ?5 AND owner = ?6
                    ON CONFLICT DO UPDATE SET times = times + 1, lastSeen = excluded.lastSeen
                    """,
                arguments: [
                    position.stream.rawValue, Int64(bitPattern: position.epoch), Int64(bitPattern: position.sequence),
                    now, device.row, device.owner.id,
                ])
        }
    }

    // MARK: Losses

    /// What is known to be missing of somebody's devices, by their rows: nothing of those that are not in it.
    ///
    /// - Parameters:
    ///   - owner: Whose devices.
    ///   - device: The row of the only one that is meant; nil: all of them.
    /// - Returns: What is missing.
    /// - Throws: What the database throws.
    func losses(of owner: Owner, device: Int64? = nil) async throws -> [Int64: DeviceLosses] {
        try await database.read { db in
            var losses: [Int64: DeviceLosses] = [:]
            // total() and not sum(), which ends with an error when a device has said numbers that are too big.
            let gaps = try Row.fetchCursor(
                db,
                sql: """
                    SELECT g.device, CAST(total(g.count) AS INTEGER) AS missing, sum(g.count IS NULL) AS unknown
                    FROM devices d JOIN gaps g ON g.device = d.id
                    WHERE d.owner = ?1 AND (?2 IS NULL OR d.id = ?2) GROUP BY g.device
                    """, arguments: [owner.id, device])
            while let row = try gaps.next() {
                losses[row["device"]] = DeviceLosses(missing: row.unsigned("missing"), unknown: row["unknown"])
            }
            let conflicts = try Row.fetchCursor(
                db,
                sql: """
                    SELECT c.device, sum(c.times) AS times FROM devices d JOIN conflicts c ON c.device = d.id
                    WHERE d.owner = ?1 AND (?2 IS NULL OR d.id = ?2) GROUP BY c.device
                    """, arguments: [owner.id, device])
            while let row = try conflicts.next() {
                losses[row["device"], default: DeviceLosses()].conflicts = row["times"]
            }
            return losses
        }
    }
}

/// A number came again with another content: one of the two is not what the device has observed.
struct NumberConflict: ExplainedError, Hashable {
    let device: DeviceID
    let position: StreamPosition

    var code: ErrorCode { .conflict }
    var resource: String { device.rawValue }
    var description: String {
        "number \(position.sequence) of stream \(position.stream.rawValue) has come before with another content"
    }
}

extension Gap {
    /// The same, as it comes back from the database.
    var storable: Gap {
        var gap = self
        gap.reason = GapReason(rawValue: reason.rawValue.withoutZeroBytes)
        return gap
    }

    /// What is left of it when only some of its numbers are missing.
    ///
    /// Where it counts its numbers, each part does; any other count can't be divided, and is not known of a part.
    ///
    /// - Parameter missing: Some of its numbers.
    /// - Returns: A gap for each range of them.
    func cut(to missing: SequenceRanges) -> [Gap] {
        guard missing.ranges != [numbers] else { return [self] }
        return missing.ranges.map { range in
            var part = self
            (part.first, part.last) = (range.lowerBound, range.upperBound)
            part.count = isCounted ? range.upperBound - range.lowerBound + 1 : nil
            return part
        }
    }
}
