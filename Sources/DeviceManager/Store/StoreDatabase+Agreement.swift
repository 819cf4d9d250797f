import DeviceManager
import DeviceModel

/// How device and router agree on what each has, and what is done where they can't both be right.
extension StoreDatabase {
    /// Compares what the router has with what there is here.
    func agree(with receptions: [StreamReception]) throws(StoreError) -> [StreamName: OutboxOutlook] {
        arrived = []
        for name in StreamName.allCases {
            let known = receptions.filter { $0.stream == name }
            if try isReplaced(name, known) { try replaceEpoch(of: name, known) }
            try nameWhatTheRouterLost(name, known)
            for reception in known where reception.epoch != streams[name]?.epoch { try nameHoles(in: reception) }
        }
        var outlooks: [StreamName: OutboxOutlook] = [:]
        for (name, stream) in streams { outlooks[name] = try outlook(name, stream) }
        return outlooks
    }

    /// Whether this store is not the one with which the router has spoken last: it has numbers, or an epoch, that this
    /// one has never given.
    private func isReplaced(_ name: StreamName, _ known: [StreamReception]) throws(StoreError) -> Bool {
        guard let stream = streams[name], let newest = known.last else { return false }
        if newest.epoch == stream.epoch { return newest.received.last >= stream.next }
        return try sqlite.first(
            "SELECT 1 FROM epochs WHERE stream = ? AND epoch = ?", [.text(name.rawValue), .bits(newest.epoch)]
        ) { _ in true } == nil
    }

    /// Begins a new epoch with what was stored in this run, whose numbers may have been used for something else.
    private func replaceEpoch(of name: StreamName, _ known: [StreamReception]) throws(StoreError) {
        guard let old = streams[name] else { return }
        streams[name] = try sqlite.transaction { () throws(StoreError) in
            var stream = old
            // Whoever knows more of an epoch that was begun in this run has it from another device with the same key.
            if old.isFresh, known.last?.epoch != old.epoch {
                try tellReplacement(in: name, &stream)
            } else {
                stream = try move(MovedPart(epoch: old.epoch, first: old.start), of: name, old)
            }
            for reception in known where reception.epoch != stream.epoch {
                try sqlite.run(
                    "INSERT OR IGNORE INTO epochs (stream, epoch) VALUES (?, ?)",
                    [.text(name.rawValue), .bits(reception.epoch)])
            }
            return stream
        }
        replacementTold.insert(name)
    }

    /// Tells, once in a stream, that what another store still held is not here.
    private func tellReplacement(in name: StreamName, _ stream: inout Stream) throws(StoreError) {
        guard !replacementTold.contains(name) else { return }
        try Self.insertUnknown(
            .storeReplaced, since: stream.committed, until: openedAt, in: name, &stream, sqlite)
    }

    /// Names what the router has not, and nobody will send any more, of an epoch in which no number will be given.
    private func nameHoles(in reception: StreamReception) throws(StoreError) {
        let (name, epoch) = (reception.stream, reception.epoch)
        let whole = SequenceRanges(through: reception.received.last)
        let missing = whole.subtracting(reception.received)
        guard !missing.isEmpty else { return }
        for range in missing.subtracting(try kept(name, epoch)).ranges {
            let reason: GapReason = isReplacement ? .storeDamaged : .storeReplaced
            try sqlite.insert(Gap(range, of: name, epoch: epoch, reason: reason))
        }
    }

    /// The numbers of an epoch that are still here, of observations and gaps.
    func kept(_ name: StreamName, _ epoch: UInt64) throws(StoreError) -> SequenceRanges {
        var kept = SequenceRanges()
        let place: [SQLiteValue] = [.text(name.rawValue), .bits(epoch)]
        for runs in [
            """
            SELECT min(sequence), max(sequence) FROM (
                SELECT sequence, sequence - row_number() OVER (ORDER BY sequence) AS run
                FROM observations WHERE stream = ? AND epoch = ?)
            GROUP BY run
            """, "SELECT first, last FROM gaps WHERE stream = ? AND epoch = ?",
        ] {
            try sqlite.run(runs, place) { row in
                kept.insert(UInt64(bitPattern: row.integer(0))...UInt64(bitPattern: row.integer(1)))
            }
        }
        return kept
    }

    /// Gives a number, and all that came after it, new numbers in a new epoch.
    func renumber(from position: StreamPosition) throws(StoreError) {
        let name = position.stream
        guard let old = streams[name] else { return }
        var part = MovedPart(epoch: position.epoch, first: position.sequence)
        if position.epoch != old.epoch { part.later = old.epoch }
        var trimmed = 0
        let stream = try sqlite.transaction { () throws(StoreError) in
            // What the router has is not sent again under other numbers.
            for reception in arrived { trimmed += try trim(reception) }
            return try move(part, of: name, old)
        }
        (streams[name], arrived, doubted) = (stream, [], [])
        kept -= trimmed
        replacementTold.insert(name)
    }

    /// What gets new numbers.
    private struct MovedPart {
        var epoch: UInt64
        /// From this number on.
        var first: UInt64
        /// All of this epoch besides, behind it.
        var later: UInt64?
    }

    /// Gives a part of a stream numbers in a new epoch, in the order that it has, behind the word that something may be
    /// missing before it.
    private func move(_ part: MovedPart, of name: StreamName, _ old: Stream) throws(StoreError) -> Stream {
        var stream = try Self.beginEpoch(of: name, sqlite, surroundings)
        stream.committed = old.committed
        try tellReplacement(in: name, &stream)
        try move(from: part.first, of: name, part.epoch, &stream)
        if let later = part.later { try move(from: 0, of: name, later, &stream) }
        try sqlite.run("UPDATE streams SET next = ? WHERE name = ?", [.bits(stream.next), .text(name.rawValue)])
        return stream
    }

    private func move(
        from first: UInt64, of name: StreamName, _ epoch: UInt64, _ stream: inout Stream
    ) throws(StoreError) {
        let place: [SQLiteValue] = [.text(name.rawValue), .bits(epoch)]
        var gaps: [(id: Int64, gap: Gap)] = []
        try sqlite.run(
            "\(SQLite.selectGaps) WHERE stream = ? AND epoch = ? AND first >= ? AND isAcknowledged = 0 ORDER BY first DESC",
            place + [.bits(first)]
        ) { row in if let known = SQLite.gap(row) { gaps.append(known) } }
        var next = first
        while true {
            // In pages: what is changed must not be what is read.
            var page: [(id: Int64, sequence: UInt64)] = []
            try sqlite.run(
                "SELECT id, sequence FROM observations WHERE stream = ? AND epoch = ? AND sequence >= ? "
                    + "ORDER BY sequence LIMIT 1000", place + [.bits(next)]
            ) { page.append(($0.integer(0), UInt64(bitPattern: $0.integer(1)))) }
            guard let last = page.last else { break }
            for row in page {
                while let (id, gap) = gaps.last, gap.first < row.sequence {
                    try move(gap, id, &stream)
                    gaps.removeLast()
                }
                try sqlite.run(
                    "UPDATE observations SET epoch = ?, sequence = ? WHERE id = ?",
                    [.bits(stream.epoch), .bits(stream.next), .integer(row.id)])
                stream.next += 1
            }
            next = last.sequence + 1
        }
        for (id, gap) in gaps.reversed() { try move(gap, id, &stream) }
    }

    private func move(_ gap: Gap, _ id: Int64, _ stream: inout Stream) throws(StoreError) {
        let last = stream.next + (gap.last - gap.first)
        try sqlite.run(
            "UPDATE gaps SET epoch = ?, first = ?, last = ? WHERE id = ?",
            [.bits(stream.epoch), .bits(stream.next), .bits(last), .integer(id)])
        stream.next = last + 1
    }

    /// What was acknowledged is not here any more; where the router does not know it either, its database is a new or
    /// an older one, and a gap says so.
    ///
    /// Else what comes after it would never be acknowledged.
    private func nameWhatTheRouterLost(_ name: StreamName, _ known: [StreamReception]) throws(StoreError) {
        for epoch in try acknowledgedEpochs(of: name)
        where known.count < Self.toldEpochs || known.contains(where: { $0.epoch == epoch }) {
            let acknowledged = try acknowledged(name, epoch)
            var received = known.first { $0.epoch == epoch }?.received ?? SequenceRanges()
            // Where there are so many, nothing is said of what comes behind them.
            if received.ranges.count >= Self.toldRanges {
                received.insert(received.last...max(received.last, acknowledged.last))
            }
            let lost = acknowledged.subtracting(received)
            guard !lost.isEmpty else { continue }
            try sqlite.transaction { () throws(StoreError) in
                let named = try tellAgain(lost, name, epoch)
                for range in lost.subtracting(named).ranges {
                    try sqlite.insert(Gap(range, of: name, epoch: epoch, reason: .routerLost))
                }
                try writeDown(acknowledged: acknowledged.subtracting(lost), name, epoch)
            }
        }
    }

    /// Of so many epochs of a stream a router tells what it has; it may have more where it tells of so many.
    private static let toldEpochs = 8

    /// So many ranges of an epoch a router tells, beside what it has from 1 on.
    private static let toldRanges = 1_000

    private func acknowledgedEpochs(of name: StreamName) throws(StoreError) -> [UInt64] {
        var epochs: [UInt64] = []
        try sqlite.run("SELECT DISTINCT epoch FROM acknowledged WHERE stream = ?", [.text(name.rawValue)]) {
            epochs.append(UInt64(bitPattern: $0.integer(0)))
        }
        return epochs
    }

    /// Gaps that were acknowledged are to be sent once more.
    ///
    /// - Returns: The numbers that they name.
    private func tellAgain(
        _ lost: SequenceRanges, _ name: StreamName, _ epoch: UInt64
    ) throws(StoreError) -> SequenceRanges {
        let place: [SQLiteValue] = [.text(name.rawValue), .bits(epoch)]
        var named = SequenceRanges()
        for range in lost.ranges {
            let numbers = place + [.bits(range.lowerBound), .bits(range.upperBound)]
            let meant = "WHERE stream = ? AND epoch = ? AND first <= ?4 AND last >= ?3"
            try sqlite.run("SELECT first, last FROM gaps \(meant)", numbers) { row in
                named.insert(UInt64(bitPattern: row.integer(0))...UInt64(bitPattern: row.integer(1)))
            }
            try sqlite.run("UPDATE gaps SET isAcknowledged = 0 \(meant)", numbers)
        }
        return named
    }

    /// The epochs in which there is something to say: the present one, and those of which something waits.
    private func openEpochs(of name: StreamName) throws(StoreError) -> [UInt64] {
        var epochs = streams[name].map { [$0.epoch] } ?? []
        for table in ["observations", "gaps"] {
            let waiting = table == "gaps" ? "isAcknowledged = 0 AND" : ""
            try sqlite.run(
                "SELECT DISTINCT epoch FROM \(table) WHERE \(waiting) stream = ?", [.text(name.rawValue)]
            ) {
                let epoch = UInt64(bitPattern: $0.integer(0))
                if !epochs.contains(epoch) { epochs.append(epoch) }
            }
        }
        return epochs
    }

    private func outlook(_ name: StreamName, _ stream: Stream) throws(StoreError) -> OutboxOutlook {
        func last(_ table: String) throws(StoreError) -> Int64 {
            try sqlite.first("SELECT max(id) FROM \(table) WHERE stream = ?", [.text(name.rawValue)]) {
                $0.integer(0)
            } ?? 0
        }
        return OutboxOutlook(
            end: OutboxCursor(row: try last("observations"), gap: try last("gaps")),
            hasOlderEpochs: try openEpochs(of: name).count > 1)
    }
}
