public import DeviceManager
public import DeviceModel

extension Store {
    /// Stores observations in one transaction, and numbers them.
    public func append(
        _ observations: [Observation], lost: [StreamName: Int]
    ) throws(StoreError) -> [RecordedObservation] {
        var streams = self.streams
        let recorded = try writing { () throws(StoreError) in
            try database.transaction { () throws(StoreError) in
                for (name, count) in lost where count > 0 { try insertLost(count, name, &streams) }
                let recorded = try observations.map { (observation) throws(StoreError) in
                    try insert(observation, &streams)
                }
                for (name, stream) in streams where stream.next != self.streams[name]?.next {
                    try database.run(
                        "UPDATE streams SET next = ? WHERE name = ?", [.bits(stream.next), .text(name.rawValue)])
                }
                try prune()
                return recorded
            }
        }
        self.streams = streams
        return recorded
    }

    private func insert(
        _ observation: Observation, _ streams: inout [StreamName: Stream]
    ) throws(StoreError) -> RecordedObservation {
        let name = observation.stream
        guard let stream = streams[name] else { preconditionFailure("every stream has an epoch") }
        let position = StreamPosition(stream: name, epoch: stream.epoch, sequence: stream.next)
        let record = RecordedObservation(position: position, observation: observation)
        let boot =
            observation.time.boot == time.boot
            ? bootRow
            : try database.first("SELECT id FROM boots WHERE boot = ?", [.blob(observation.time.boot.bytes)]) {
                $0.integer(0)
            }
        try database.run(ObservationRow.insert, ObservationRow.values(record, boot: boot ?? bootRow))
        if case .result(let result) = observation.content, result.status != .refused {
            try database.run("UPDATE commands SET finished = 1 WHERE id = ?", [.text(result.id.rawValue)])
        }
        streams[name]?.next += 1
        return record
    }

    private func insertLost(_ count: Int, _ name: StreamName, _ streams: inout [StreamName: Stream]) throws(StoreError)
    {
        guard let stream = streams[name] else { preconditionFailure("every stream has an epoch") }
        let last = stream.next + UInt64(count) - 1
        try writeDown(Gap(stream: name, epoch: stream.epoch, first: stream.next, last: last, reason: "disk_too_slow"))
        streams[name]?.next = last + 1
    }

    /// The next observations of a stream, of one epoch and one boot.
    public func batch(
        of stream: StreamName, after cursor: OutboxCursor?, limit: Int
    ) throws(StoreError) -> OutboxBatch? {
        let cursor = cursor ?? OutboxCursor(row: 0, gap: 0)
        var rows: [ObservationRow] = []
        var isOver = false
        try database.run(
            "\(ObservationRow.select) WHERE o.stream = ? AND o.id > ? ORDER BY o.id LIMIT ?",
            [.text(stream.rawValue), .integer(cursor.row), .integer(Int64(limit))]
        ) { row in
            guard !isOver, let read = ObservationRow(row) else { return }
            isOver = rows.first.map { !$0.belongs(with: read) } ?? false
            if !isOver { rows.append(read) }
        }
        var epoch = rows.first?.record.position.epoch
        if epoch == nil { epoch = try oldestGap(of: stream, after: cursor.gap) }
        guard let epoch else { return nil }
        let (gaps, lastGap) = try gaps(of: stream, epoch, after: cursor.gap)
        return OutboxBatch(
            stream: stream, epoch: epoch, observations: rows.map(\.record), gaps: gaps,
            end: OutboxCursor(row: rows.last?.row ?? cursor.row, gap: lastGap))
    }

    /// The router has everything of an epoch up to a number.
    public func acknowledge(through position: StreamPosition) throws(StoreError) {
        let values: [SQLiteValue] = [
            .text(position.stream.rawValue), .bits(position.epoch), .bits(min(position.sequence, UInt64(Int64.max))),
        ]
        try writing { () throws(StoreError) in
            try database.transaction { () throws(StoreError) in
                try database.run("DELETE FROM observations WHERE stream = ? AND epoch = ? AND sequence <= ?", values)
                try database.run("DELETE FROM gaps WHERE stream = ? AND epoch = ? AND last <= ?", values)
            }
        }
    }

    /// Begins a new epoch of each stream of which the router has more than there is here.
    public func reconcile(_ positions: [StreamPosition]) throws(StoreError) {
        for position in positions {
            guard let stream = streams[position.stream] else { continue }
            let isKnown =
                try database.first(
                    "SELECT 1 FROM epochs WHERE stream = ? AND epoch = ?",
                    [.text(position.stream.rawValue), .bits(position.epoch)]
                ) { _ in true } ?? false
            let isAhead = position.epoch == stream.epoch && position.sequence >= stream.next
            guard !isKnown || isAhead else { continue }
            let begun = try Self.beginEpoch(of: position.stream, database)
            streams[position.stream] = try renumber(position.stream, from: stream.epoch, into: begun)
        }
        try writing { () throws(StoreError) in
            for (name, stream) in streams {
                try nameWhatTheRouterLost(name, stream.epoch, positions, next: stream.next)
            }
            // A router that knows nothing of a stream knows nothing of its older epochs either.
            for name in StreamName.allCases where !positions.contains(where: { $0.stream == name }) {
                for epoch in try openEpochs(of: name) { try nameWhatTheRouterLost(name, epoch, positions, next: 1) }
            }
        }
    }

    /// What was acknowledged is not here any more; where the router does not know it either, its database is a new or
    /// an older one, and a gap says so.
    ///
    /// Else nothing after it would ever be acknowledged.
    private func nameWhatTheRouterLost(
        _ name: StreamName, _ epoch: UInt64, _ positions: [StreamPosition], next: UInt64
    ) throws(StoreError) {
        let known = positions.first { $0.stream == name && $0.epoch == epoch }?.sequence ?? 0
        let oldest = try database.first(
            """
            SELECT min(number) FROM (
                SELECT min(sequence) AS number FROM observations WHERE stream = ?1 AND epoch = ?2
                UNION ALL SELECT min(first) FROM gaps WHERE stream = ?1 AND epoch = ?2)
            """, [.text(name.rawValue), .bits(epoch)]
        ) { $0.isNull(0) ? nil : UInt64(bitPattern: $0.integer(0)) }
        let first = (oldest ?? nil) ?? next
        guard known + 1 < first else { return }
        try writeDown(Gap(stream: name, epoch: epoch, first: known + 1, last: first - 1, reason: "router_lost"))
    }

    /// The epochs of which there is still something to send.
    private func openEpochs(of name: StreamName) throws(StoreError) -> [UInt64] {
        var epochs: [UInt64] = []
        try database.run("SELECT DISTINCT epoch FROM observations WHERE stream = ?", [.text(name.rawValue)]) {
            epochs.append(UInt64(bitPattern: $0.integer(0)))
        }
        return epochs
    }

    /// Gives what was stored since this run began, under numbers that the router may know for something else, new ones.
    private func renumber(_ name: StreamName, from epoch: UInt64, into stream: Stream) throws(StoreError) -> Stream {
        var stream = stream
        var rows: [Int64] = []
        try database.run(
            "SELECT id FROM observations WHERE stream = ? AND epoch = ? AND id > ? ORDER BY id",
            [.text(name.rawValue), .bits(epoch), .integer(lastOldRow)]
        ) { rows.append($0.integer(0)) }
        try database.transaction { () throws(StoreError) in
            for row in rows {
                try database.run(
                    "UPDATE observations SET epoch = ?, sequence = ? WHERE id = ?",
                    [.bits(stream.epoch), .bits(stream.next), .integer(row)])
                stream.next += 1
            }
            try database.run(
                "UPDATE streams SET next = ? WHERE name = ?", [.bits(stream.next), .text(name.rawValue)])
        }
        return stream
    }

    /// The readings of the past that are still here.
    public func history(
        of component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) throws(StoreError) -> [RecordedObservation] {
        var records: [RecordedObservation] = []
        let since = since ?? WallTime(nanoseconds: .min)
        try database.run(
            "\(ObservationRow.select) WHERE o.component = ?1 AND (?2 IS NULL OR o.name = ?2) AND o.wall >= ?3 "
                + "AND (?2 IS NULL OR o.kind = \(ObservationRow.Kind.reading.rawValue)) ORDER BY o.id DESC LIMIT ?4",
            [.text(component.rawValue), .optional(property), .integer(since.nanoseconds), .integer(Int64(limit))]
        ) { row in
            if let read = ObservationRow(row) { records.append(read.record) }
        }
        return records.reversed()
    }

    /// How the store is.
    public func status() -> StoreStatus {
        var status = StoreStatus(problem: problem)
        do throws(StoreError) {
            status.kept = Int(try database.first("SELECT count(*) FROM observations") { $0.integer(0) } ?? 0)
            let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            status.bytes = Int(try database.first(size) { $0.integer(0) } ?? 0)
        } catch {
            status.problem = error.description
        }
        return status
    }
}
