import DeviceManager
import DeviceModel

extension StoreDatabase {
    /// How much text is in a batch, in bytes, before it ends: whatever is not bulk waits behind one of them at most.
    private static let batchText = 16_384
    /// How many gaps are kept that the router has acknowledged.
    private static let keptGaps = 1_000

    /// The next observations of a stream, of one epoch and one boot.
    func batch(of stream: StreamName, in span: OutboxSpan, limit: Int) throws(StoreError) -> OutboxBatch? {
        let present = streams[stream]?.epoch
        var (rows, lastRow) = try rows(of: stream, in: span, limit: limit)
        var (gaps, lastGap) = try gaps(of: stream, in: span)
        if let own = rows.first?.record.position.epoch, let other = gaps.first?.epoch, own != other {
            // Epochs go one after the other: the present one last.
            if other == present {
                (gaps, lastGap) = ([], span.start.gap)
            } else {
                (rows, lastRow) = ([], span.start.row)
            }
        }
        guard let epoch = rows.first?.record.position.epoch ?? gaps.first?.epoch else { return nil }
        let isDoubted = rows.first.map(isDoubted) ?? gaps.first.map(isDoubted) ?? false
        if !rows.isEmpty, isDoubted || gaps.contains(where: self.isDoubted) {
            (gaps, lastGap) = ([], span.start.gap)
        }
        return OutboxBatch(
            stream: stream, epoch: epoch, observations: rows.map(\.record), gaps: gaps,
            clockOffset: rows.first?.clockOffset, isOfNewestEpoch: epoch == present, isDoubted: isDoubted,
            end: OutboxCursor(row: lastRow, gap: lastGap))
    }

    /// The next rows of one epoch and one boot, and the last one that was looked at: what only a later version
    /// understands is passed over.
    private func rows(
        of stream: StreamName, in span: OutboxSpan, limit: Int
    ) throws(StoreError) -> ([ObservationRow], last: Int64) {
        var rows: [ObservationRow] = []
        var last = span.start.row
        var (isOver, size) = (false, 0)
        while rows.isEmpty, !isOver {
            let start = last
            try sqlite.run(
                "\(ObservationRow.select) WHERE o.stream = ? AND o.id > ? AND o.id <= ? ORDER BY o.id LIMIT ?",
                [
                    .text(stream.rawValue), .integer(start), .integer(span.end?.row ?? .max), .integer(Int64(limit)),
                ]
            ) { row in
                guard !isOver else { return }
                let read = ObservationRow(row)
                if let read, let first = rows.first, !first.belongs(with: read) || isDoubted(read) {
                    return isOver = true
                }
                if let read {
                    rows.append(read)
                    size += read.record.observation.textSize
                    isOver = size > Self.batchText || isDoubted(read)
                }
                last = row.integer(0)
            }
            if last == start { isOver = true }
        }
        return (rows, last)
    }

    /// The next gaps of one epoch: as many as a message has room for; and the last one's id.
    private func gaps(of stream: StreamName, in span: OutboxSpan) throws(StoreError) -> ([Gap], last: Int64) {
        var (gaps, last, isOver) = ([Gap](), span.start.gap, false)
        try sqlite.run(
            "\(SQLite.selectGaps) WHERE stream = ? AND id > ? AND id <= ? AND isAcknowledged = 0 ORDER BY id LIMIT 200",
            [.text(stream.rawValue), .integer(span.start.gap), .integer(span.end?.gap ?? .max)]
        ) { row in
            guard !isOver, let (id, gap) = SQLite.gap(row) else { return }
            guard gaps.first?.epoch ?? gap.epoch == gap.epoch, gaps.isEmpty || !isDoubted(gap) else {
                return isOver = true
            }
            gaps.append(gap)
            isOver = isDoubted(gap)
            last = id
        }
        return (gaps, last)
    }

    /// The router has these numbers, or knows that they are missing.
    func acknowledge(_ reception: StreamReception) throws(StoreError) {
        kept -= try sqlite.transaction { () throws(StoreError) in try trim(reception) }
        arrived.remove(reception)
        doubted.remove(reception)
    }

    /// Lets go of what the router has, as a part of a transaction.
    ///
    /// - Returns: How many observations went.
    func trim(_ reception: StreamReception) throws(StoreError) -> Int {
        let (stream, epoch) = (reception.stream, reception.epoch)
        var received = reception.received
        if let next = streams[stream].flatMap({ $0.epoch == epoch ? $0.next : nil }) {
            // What was never given can't have been received.
            received = next > 1 ? received.intersection(SequenceRanges(through: next - 1)) : SequenceRanges()
        }
        guard !received.isEmpty else { return 0 }
        let place: [SQLiteValue] = [.text(stream.rawValue), .bits(epoch)]
        var trimmed = 0
        for range in received.ranges {
            let numbers = place + [.bits(range.lowerBound), .bits(range.upperBound)]
            try sqlite.run(
                "DELETE FROM observations WHERE stream = ? AND epoch = ? AND sequence BETWEEN ? AND ?", numbers)
            trimmed += sqlite.changedRows
            try sqlite.run(
                "UPDATE gaps SET isAcknowledged = 1 WHERE stream = ? AND epoch = ? AND first >= ? AND last <= ?",
                numbers)
        }
        // Kept for a router that loses them: it has to hear why, and of how many.
        try sqlite.run(
            "DELETE FROM gaps WHERE isAcknowledged = 1 AND id <= (SELECT max(id) FROM gaps) - \(Self.keptGaps)")
        received.formUnion(try acknowledged(stream, epoch))
        try writeDown(acknowledged: received, stream, epoch)
        return trimmed
    }

    /// What the router has acknowledged of an epoch.
    func acknowledged(_ stream: StreamName, _ epoch: UInt64) throws(StoreError) -> SequenceRanges {
        var known = SequenceRanges()
        try sqlite.run(
            "SELECT first, last FROM acknowledged WHERE stream = ? AND epoch = ?",
            [.text(stream.rawValue), .bits(epoch)]
        ) { row in
            known.insert(UInt64(bitPattern: row.integer(0))...UInt64(bitPattern: row.integer(1)))
        }
        return known
    }

    /// Writes down what the router has acknowledged of an epoch.
    func writeDown(
        acknowledged numbers: SequenceRanges, _ stream: StreamName, _ epoch: UInt64
    ) throws(StoreError) {
        let place: [SQLiteValue] = [.text(stream.rawValue), .bits(epoch)]
        try sqlite.run("DELETE FROM acknowledged WHERE stream = ? AND epoch = ?", place)
        for range in numbers.ranges {
            try sqlite.run(
                "INSERT INTO acknowledged (stream, epoch, first, last) VALUES (?, ?, ?, ?)",
                place + [.bits(range.lowerBound), .bits(range.upperBound)])
        }
    }
}

extension Observation {
    /// How many bytes its texts have that may be long.
    fileprivate var textSize: Int {
        switch content {
        case .reading(let reading):
            let value = if case .text(let text)? = reading.value { text.utf8.count } else { 0 }
            return value + (reading.reason?.utf8.count ?? 0)
        case .event: return 0
        case .result(let result): return result.action.utf8.count + (result.reason?.utf8.count ?? 0)
        }
    }
}
