import DeviceManager
import DeviceModel

extension StoreDatabase {
    /// The past of a component as far as it is still here.
    func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) throws(StoreError) -> [HistoryEntry] {
        var records: [RecordedObservation] = []
        let start = since ?? WallTime(nanoseconds: .min)
        try sqlite.run(
            "\(ObservationRow.select) WHERE o.component = ?1 AND (?2 IS NULL OR o.name = ?2) AND \(Self.dated) >= ?3 "
                + "AND (?2 IS NULL OR o.kind = \(ObservationRow.Kind.reading.rawValue)) ORDER BY o.id DESC LIMIT ?4",
            [.text(component.rawValue), .optional(property), .integer(start.nanoseconds), .integer(Int64(limit))]
        ) { row in
            if let read = ObservationRow(row) { records.append(read.dated) }
        }
        records.reverse()
        let streams: [StreamName] = property == nil ? StreamName.allCases : [.telemetry]
        // Where not everything was asked for, what is missing before the first of it is not asked for either.
        let isWhole = since == nil && records.count < limit
        return HistoryEntry.merge(try gaps(in: streams, from: isWhole ? nil : records, since: since), into: records)
    }

    /// The gaps that belong to a part of the history.
    private func gaps(
        in streams: [StreamName], from records: [RecordedObservation]?, since: WallTime?
    ) throws(StoreError) -> [Gap] {
        var gaps: [Gap] = []
        try sqlite.run("\(SQLite.selectGaps) ORDER BY first") { row in
            if let (_, gap) = SQLite.gap(row), streams.contains(gap.stream) { gaps.append(gap) }
        }
        guard let records else { return gaps }
        var told: [Gap] = []
        for gap in gaps {
            let first = records.first { $0.position.stream == gap.stream && $0.position.epoch == gap.epoch }
            let isBehind = first.map { gap.last > $0.position.sequence } ?? false
            var isTold = isBehind
            if !isTold, let since { isTold = try reaches(gap, to: since) }
            if isTold { told.append(gap) }
        }
        return told
    }

    /// Whether a gap is not over before a time; where nobody knows, nothing behind it may be older.
    private func reaches(_ gap: Gap, to time: WallTime) throws(StoreError) -> Bool {
        if let until = gap.until { return until >= time }
        return try sqlite.first(
            """
            SELECT 1 FROM observations o JOIN boots b ON b.id = o.boot
            WHERE o.stream = ? AND o.epoch = ? AND o.sequence > ? AND \(Self.dated) < ? LIMIT 1
            """,
            [.text(gap.stream.rawValue), .bits(gap.epoch), .bits(gap.last), .integer(time.nanoseconds)]
        ) { _ in true } == nil
    }

    /// When an observation was: what was observed before the clock was right is dated by what it said when it was.
    private static let dated = "(CASE WHEN o.synced = 1 OR b.offset IS NULL THEN o.wall ELSE o.at + b.offset END)"
}
