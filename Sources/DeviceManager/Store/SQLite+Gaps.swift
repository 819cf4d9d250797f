import DeviceModel

/// Gaps as rows of the database.
extension SQLite {
    /// Selects gaps, for ``gap(_:)``.
    static let selectGaps = "SELECT id, stream, epoch, first, last, count, reason, since, until FROM gaps"

    /// A gap with its id; nil for a row that only a later version understands.
    static func gap(_ row: borrowing Row) -> (id: Int64, gap: Gap)? {
        guard let stream = StreamName(rawValue: row.text(1)) else { return nil }
        let gap = Gap(
            stream: stream, epoch: UInt64(bitPattern: row.integer(2)), first: UInt64(bitPattern: row.integer(3)),
            last: UInt64(bitPattern: row.integer(4)),
            count: row.isNull(5) ? nil : UInt64(bitPattern: row.integer(5)), reason: GapReason(rawValue: row.text(6)),
            since: row.isNull(7) ? nil : WallTime(nanoseconds: row.integer(7)),
            until: row.isNull(8) ? nil : WallTime(nanoseconds: row.integer(8)))
        return (row.integer(0), gap)
    }

    /// Gaps that were written down after another one, in this order.
    func gaps(after id: Int64) throws(StoreError) -> [(id: Int64, gap: Gap)] {
        var gaps: [(id: Int64, gap: Gap)] = []
        try run("\(Self.selectGaps) WHERE id > ? ORDER BY id", [.integer(id)]) { row in
            if let gap = Self.gap(row) { gaps.append(gap) }
        }
        return gaps
    }

    /// Writes a gap down.
    func insert(_ gap: Gap) throws(StoreError) {
        try run(
            "INSERT INTO gaps (stream, epoch, first, last, count, reason, since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(gap.stream.rawValue), .bits(gap.epoch), .bits(gap.first), .bits(gap.last),
                gap.count.map(SQLiteValue.bits) ?? .null, .text(gap.reason.rawValue), .optional(gap.since),
                .optional(gap.until),
            ])
    }
}
