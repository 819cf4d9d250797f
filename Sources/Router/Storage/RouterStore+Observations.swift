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
        try await database.write { db in
            guard
                try Bool.fetchOne(
                    db, sql: "SELECT 1 FROM devices WHERE id = ? AND owner = ? AND key = ?",
                    arguments: [device.row, device.owner.id, device.key.data]) == true
            else {
                throw RouterProblem(
                    .notAuthenticated, device.name.rawValue, "this device is not known here any more; enrol it again")
            }
            let epoch = Int64(bitPattern: batch.epoch)
            let known = try Row.fetchOne(
                db, sql: "SELECT through, last FROM streams WHERE device = ? AND stream = ? AND epoch = ?",
                arguments: [device.row, batch.stream.rawValue, epoch])
            var watermark = Watermark(through: known?.unsigned("through") ?? 0, last: known?.unsigned("last") ?? 0)
            var new: [RecordedObservation] = []
            for item in batch.items {
                let position = StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: item.sequence)
                let record = RecordedObservation(position: position, observation: item.observation).storable
                guard record.isStorable else {
                    throw RouterProblem(
                        .badRequest, device.name.rawValue, "the value of number \(item.sequence) is no number")
                }
                if try Self.insert(db, record, device) { new.append(record) }
                watermark.add(item.sequence...item.sequence)
            }
            let gaps = try batch.gaps.filter { try Self.insert(db, $0, epoch, device) }
            for gap in batch.gaps { watermark.add(gap.first...gap.last) }
            try Self.passStored(db, &watermark, batch.stream, epoch, device)
            try db.execute(
                sql: """
                    INSERT INTO streams (device, stream, epoch, through, last) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET through = excluded.through, last = excluded.last
                    """,
                arguments: [
                    device.row, batch.stream.rawValue, epoch, Int64(bitPattern: watermark.through),
                    Int64(bitPattern: watermark.last),
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
                        ORDER BY id DESC LIMIT 1
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
        try await readings(owner, device, component, property, since: nil, limit: 1).first
    }

    /// The past of a component, oldest first: readings of one property in the order of their numbers, or, where none is
    /// given, everything by the clock.
    func history(
        _ owner: Owner, _ device: Int64, _ component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [RecordedObservation] {
        if let property {
            return try await readings(owner, device, component, property, since: since, limit: limit).reversed()
        }
        return try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM (
                        SELECT o.* FROM observations o JOIN devices d ON d.id = o.device
                        WHERE d.owner = ? AND o.device = ? AND o.component = ? AND o.wall >= ?
                        ORDER BY o.wall DESC, o.sequence DESC LIMIT ?)
                    ORDER BY wall, sequence
                    """,
                arguments: [owner.id, device, component.rawValue, since?.nanoseconds ?? Int64.min, limit])
            return rows.compactMap(ObservationRow.record)
        }
    }

    /// Readings, newest first: by epoch as they were first heard of, and by number.
    ///
    /// The device's clock may jump.
    private func readings(
        _ owner: Owner, _ device: Int64, _ component: ComponentID, _ property: String, since: WallTime?, limit: Int
    ) async throws -> [RecordedObservation] {
        try await database.read { db in
            let epochs = try Int64.fetchAll(
                db,
                sql: """
                    SELECT s.epoch FROM streams s JOIN devices d ON d.id = s.device
                    WHERE d.owner = ? AND s.device = ? ORDER BY s.id DESC
                    """, arguments: [owner.id, device])
            var rows: [Row] = []
            for epoch in epochs where rows.count < limit {
                rows += try Row.fetchAll(
                    db,
                    sql: """
                        SELECT * FROM observations
                        WHERE device = ? AND component = ? AND name = ? AND kind = ? AND epoch = ? AND wall >= ?
                        ORDER BY sequence DESC LIMIT ?
                        """,
                    arguments: [
                        device, component.rawValue, property, ObservationRow.Kind.reading.rawValue, epoch,
                        since?.nanoseconds ?? Int64.min, limit - rows.count,
                    ])
            }
            return rows.compactMap(ObservationRow.record)
        }
    }

    /// Moves a watermark on over what came before the hole in front of it was filled or named.
    private static func passStored(
        _ db: Database, _ watermark: inout Watermark, _ stream: StreamName, _ epoch: Int64, _ device: Device
    ) throws {
        var before: UInt64?
        while watermark.through < watermark.last, watermark.through != before {
            before = watermark.through
            let place: StatementArguments = [
                device.row, stream.rawValue, epoch, Int64(bitPattern: watermark.through),
            ]
            let gap = try Row.fetchOne(
                db,
                sql: """
                    SELECT first, last FROM gaps
                    WHERE device = ?1 AND stream = ?2 AND epoch = ?3 AND first <= ?4 + 1 AND last > ?4
                    ORDER BY last DESC LIMIT 1
                    """, arguments: place)
            if let gap { watermark.add(gap.unsigned("first")...gap.unsigned("last")) }
            let numbers = try Int64.fetchCursor(
                db,
                sql: """
                    SELECT sequence FROM observations
                    WHERE device = ?1 AND stream = ?2 AND epoch = ?3 AND sequence > ?4 ORDER BY sequence
                    """, arguments: place)
            while let number = try numbers.next() {
                let number = UInt64(bitPattern: number)
                guard number <= watermark.through || number - watermark.through == 1 else { break }
                watermark.add(number...number)
            }
        }
    }

    /// - Returns: Whether the gap, or a part of it, was not known.
    private static func insert(_ db: Database, _ gap: Gap, _ epoch: Int64, _ device: Device) throws -> Bool {
        try db.execute(
            sql: """
                INSERT INTO gaps (device, stream, epoch, first, last, reason) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET last = excluded.last WHERE excluded.last > last
                """,
            arguments: [
                device.row, gap.stream.rawValue, epoch, Int64(bitPattern: gap.first), Int64(bitPattern: gap.last),
                gap.reason,
            ])
        return db.changesCount > 0
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
