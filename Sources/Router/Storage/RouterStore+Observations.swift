import DeviceModel
import GRDB
import Wire

extension RouterStore {
    /// What became of a batch.
    struct Ingested: Sendable {
        /// The last number up to which nothing is missing that is not named in a gap.
        var through: StreamPosition
        /// What was new, in the order of the batch.
        var new: [RecordedObservation]
        /// Gaps that were not known.
        var gaps: [Gap]
    }

    /// Stores a batch, each number once.
    ///
    /// - Throws: ``RouterProblem`` with `conflict` when a number is known with another content.
    func ingest(_ batch: ObservationBatch, from device: Device) async throws -> Ingested {
        let now = self.now
        return try await database.write { db in
            let epoch = Int64(bitPattern: batch.epoch)
            let known = try Row.fetchOne(
                db, sql: "SELECT through, last FROM streams WHERE device = ? AND stream = ? AND epoch = ?",
                arguments: [device.row, batch.stream.rawValue, epoch])
            var watermark = Watermark(through: known?.unsigned("through") ?? 0, last: known?.unsigned("last") ?? 0)
            var new: [RecordedObservation] = []
            for item in batch.items {
                let position = StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: item.sequence)
                let record = RecordedObservation(position: position, observation: item.observation)
                if try Self.insert(db, record, device) { new.append(record) }
                watermark.add(item.sequence...item.sequence)
            }
            var gaps: [Gap] = []
            for gap in batch.gaps {
                try db.execute(
                    sql: """
                        INSERT INTO gaps (device, stream, epoch, first, last, reason) VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET last = max(last, excluded.last)
                        """,
                    arguments: [
                        device.row, gap.stream.rawValue, epoch, Int64(bitPattern: gap.first),
                        Int64(bitPattern: gap.last), gap.reason,
                    ])
                gaps.append(gap)
                watermark.add(gap.first...gap.last)
            }
            try db.execute(
                sql: """
                    INSERT INTO streams (device, stream, epoch, through, last, updated) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET through = excluded.through, last = excluded.last, updated = excluded.updated
                    """,
                arguments: [
                    device.row, batch.stream.rawValue, epoch, Int64(bitPattern: watermark.through),
                    Int64(bitPattern: watermark.last), now,
                ])
            let through = StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: watermark.through)
            return Ingested(through: through, new: new, gaps: gaps)
        }
    }

    /// The last that there is of each stream of a device, in the epoch that was heard of last.
    func positions(of device: Device) async throws -> [StreamPosition] {
        try await database.read { db in
            try StreamName.allCases.compactMap { stream in
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT epoch, last FROM streams WHERE device = ? AND stream = ?
                        ORDER BY updated DESC LIMIT 1
                        """, arguments: [device.row, stream.rawValue])
                return row.map {
                    StreamPosition(stream: stream, epoch: $0.unsigned("epoch"), sequence: $0.unsigned("last"))
                }
            }
        }
    }

    /// The newest reading of a property.
    func newest(_ owner: Owner, _ device: Int64, _ component: ComponentID, _ property: String) async throws
        -> RecordedObservation?
    {
        try await database.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT o.* FROM observations o JOIN devices d ON d.id = o.device
                    WHERE d.owner = ? AND o.device = ? AND o.component = ? AND o.name = ? AND o.kind = ?
                    ORDER BY o.wall DESC, o.id DESC LIMIT 1
                    """,
                arguments: [owner.id, device, component.rawValue, property, ObservationRow.Kind.reading.rawValue])
            return row.flatMap(ObservationRow.record)
        }
    }

    /// The past of a component, oldest first: readings of one property, or everything where none is given.
    func history(
        _ owner: Owner, _ device: Int64, _ component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [RecordedObservation] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM (
                        SELECT o.* FROM observations o JOIN devices d ON d.id = o.device
                        WHERE d.owner = ?1 AND o.device = ?2 AND o.component = ?3 AND (?4 IS NULL OR o.name = ?4)
                            AND (?4 IS NULL OR o.kind = ?7) AND o.wall >= ?5
                        ORDER BY o.wall DESC, o.sequence DESC LIMIT ?6)
                    ORDER BY wall, sequence
                    """,
                arguments: [
                    owner.id, device, component.rawValue, property, since?.nanoseconds ?? Int64.min, limit,
                    ObservationRow.Kind.reading.rawValue,
                ])
            return rows.compactMap(ObservationRow.record)
        }
    }

    /// - Returns: Whether the number was not known.
    private static func insert(
        _ db: Database, _ record: RecordedObservation, _ device: Device
    ) throws -> Bool {
        try db.execute(sql: ObservationRow.insert, arguments: ObservationRow.arguments(record, device: device.row))
        guard db.changesCount == 0 else { return true }
        let position = record.position
        let row = try Row.fetchOne(
            db, sql: "SELECT * FROM observations WHERE device = ? AND stream = ? AND epoch = ? AND sequence = ?",
            arguments: [
                device.row, position.stream.rawValue, Int64(bitPattern: position.epoch),
                Int64(bitPattern: position.sequence),
            ])
        guard row.flatMap(ObservationRow.record) == record else {
            throw RouterProblem(
                .conflict, device.name.rawValue,
                "number \(position.sequence) of stream \(position.stream.rawValue) has come before with another content"
            )
        }
        return false
    }
}

/// How far a stream has come without a hole.
///
/// A plain value.
struct Watermark: Hashable {
    /// The last number up to which nothing is missing.
    private(set) var through: UInt64
    /// The last number of all.
    private(set) var last: UInt64

    init(through: UInt64, last: UInt64) {
        (self.through, self.last) = (through, last)
    }

    /// These numbers have come, or are named in a gap.
    mutating func add(_ numbers: ClosedRange<UInt64>) {
        last = max(last, numbers.upperBound)
        if numbers.lowerBound <= through || numbers.lowerBound - through == 1 {
            through = max(through, numbers.upperBound)
        }
    }
}
