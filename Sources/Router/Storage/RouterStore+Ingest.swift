import DeviceModel
import GRDB
import Wire

extension RouterStore {
    /// What became of a batch.
    struct Ingested: Sendable {
        /// Everything up to a number, and the ranges beyond it that the batch touches: here, or named by a gap.
        var reception: StreamReception
        /// What was new, in the order of the batch, with the time that is known of it.
        var new: [RecordedObservation]
        /// What is newly known to be missing.
        var gaps: [Gap]
    }

    /// Stores batches in their order and in one transaction, each number once: to sync the disk takes as long for one.
    ///
    /// - Parameters:
    ///   - batches: The batches.
    ///   - device: Whose they are.
    /// - Returns: What became of each of them, up to the first one that is refused; and why that is:
    ///   ``NumberConflict``, which is counted, when a number is known with another content; ``RouterProblem`` when the
    ///   batch holds what can't be stored, or the device is not known any more. Nothing of it is stored then, nor of
    ///   those behind it.
    /// - Throws: What the database throws.
    func ingest(
        _ batches: [ObservationBatch], from device: Device
    ) async throws -> (ingested: [Ingested], refusal: (any ExplainedError)?) {
        let result = try await database.write { db -> (ingested: [Ingested], refusal: (any ExplainedError)?) in
            guard
                try Bool.fetchOne(
                    db, sql: "SELECT 1 FROM devices WHERE id = ? AND owner = ? AND key = ?",
                    arguments: [device.row, device.owner.id, device.key.data]) == true
            else {
                let words = "this device is not known here any more; enrol it again"
                return ([], RouterProblem(.notAuthenticated, device.name.rawValue, words))
            }
            return try Self.take(batches, from: device, db)
        }
        if let conflict = result.refusal as? NumberConflict { try await note(conflict, of: device) }
        return result
    }

    private static func take(
        _ batches: [ObservationBatch], from device: Device, _ db: Database
    ) throws -> (ingested: [Ingested], refusal: (any ExplainedError)?) {
        var ingested: [Ingested] = []
        for batch in batches {
            do {
                try db.inSavepoint {
                    var intake = try Intake(batch, device, db)
                    ingested.append(try intake.run())
                    return .commit
                }
            } catch let refusal as any ExplainedError {
                return (ingested, refusal)
            }
        }
        return (ingested, nil)
    }

    /// A batch on its way into the database, in one savepoint.
    private struct Intake {
        private let batch: ObservationBatch
        private let gaps: [Gap]
        private let device: Device
        private let db: Database
        private let place: Place
        /// The numbers of the batch's observations.
        private let observed: SequenceRanges
        /// Gaps that name a number that another gap of the batch names as well.
        private let overlapping: Set<Gap>
        /// The numbers of the batch.
        private let numbers: SequenceRanges
        /// What was received before, as far as it has to do with the batch.
        private let before: SequenceRanges
        private var received: SequenceRanges

        init(_ batch: ObservationBatch, _ device: Device, _ db: Database) throws {
            (self.batch, self.device, self.db) = (batch, device, db)
            place = Place(device: device.row, stream: batch.stream, epoch: batch.epoch)
            guard batch.items.count + batch.gaps.count <= ObservationBatch.bound else {
                throw RouterProblem(
                    .tooLarge, device.name.rawValue,
                    "a batch has at most \(ObservationBatch.bound) observations and gaps; send several")
            }
            gaps = batch.gaps.map(\.storable)
            overlapping = Self.overlapping(gaps)
            observed = SequenceRanges(batch.items.map { $0.sequence...$0.sequence })
            numbers = SequenceRanges(observed.ranges + gaps.map(\.numbers))
            guard let first = numbers.ranges.first else {
                (before, received) = (SequenceRanges(), SequenceRanges())
                return
            }
            guard first.lowerBound > 0, numbers.last <= UInt64(Int64.max) else {
                throw RouterProblem(
                    .badRequest, device.name.rawValue, "numbers of a stream are from 1 to \(Int64.max)")
            }
            guard batch.items.allSatisfy({ $0.observation.stream == batch.stream }) else {
                throw RouterProblem(
                    .badRequest, device.name.rawValue,
                    "readings belong to the stream telemetry, events and results to the stream events")
            }
            // Run by run: there may be very many ranges between them.
            var near: [ClosedRange<UInt64>] = []
            for run in numbers.ranges { near += try RouterStore.received(db, place, around: run).ranges }
            before = SequenceRanges(near)
            received = before
        }

        mutating func run() throws -> Ingested {
            let offset = try RouterStore.clockOffset(db, of: batch.boot, device, said: batch.clockOffset)
            // The lowest number of all is the one to tell: from it on the device gives new ones.
            let clash = try gaps.filter { try isOther($0) }.map(\.first).min()
            var new: [RecordedObservation] = []
            for item in batch.items where item.sequence < clash ?? .max {
                if let record = try insert(item, offset) { new.append(record) }
            }
            if let clash { throw conflict(at: clash) }
            let missing = try gaps.flatMap { try insert($0) }
            try RouterStore.write(db, place, before, changedTo: received)
            if !numbers.isEmpty {
                try db.cachedStatement(
                    sql: """
                        INSERT INTO streams (device, stream, epoch, through, last) VALUES (?, ?, ?, 0, 0)
                        ON CONFLICT DO NOTHING
                        """
                ).execute(arguments: place.arguments)
            }
            var told = received.touching(numbers)
            told.formUnion(try RouterStore.receivedFromOne(db, place))
            return Ingested(
                reception: StreamReception(stream: batch.stream, epoch: batch.epoch, received: told), new: new,
                gaps: missing)
        }

        /// Stores an observation.
        ///
        /// - Returns: The observation, dated; nil: its number is here already, with the same content.
        private mutating func insert(
            _ item: ObservationBatch.Item, _ offset: Duration?
        ) throws -> RecordedObservation? {
            let position = StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: item.sequence)
            var record = RecordedObservation(position: position, observation: item.observation).storable
            guard record.isStorable else {
                throw RouterProblem(
                    .badRequest, device.name.rawValue, "the value of number \(item.sequence) is no number")
            }
            let time = record.observation.time.dated(by: offset)
            try db.cachedStatement(sql: ObservationRow.insert).execute(
                arguments: ObservationRow.arguments(record, device: device.row, dated: time.wall))
            guard db.changesCount > 0 else {
                guard try known(item.sequence) == record else { throw conflict(at: item.sequence) }
                return nil
            }
            let number = item.sequence...item.sequence
            if received.contains(number) {
                // It was named as missing, and has come after all: unless the number stood for something else.
                guard let gap = try gap(at: item.sequence), gap.isOfObservations else {
                    throw conflict(at: item.sequence)
                }
                try RouterStore.take(item.sequence, outOf: gap, db, place)
            }
            received.insert(number)
            record.observation.time = time
            return record
        }

        /// An observation that is here, as the device said it.
        private func known(_ sequence: UInt64) throws -> RecordedObservation? {
            try Row.fetchOne(
                try db.cachedStatement(
                    sql: """
                        SELECT * FROM observations WHERE device = ? AND stream = ? AND epoch = ? AND sequence = ?
                        """),
                arguments: place.arguments + [Int64(sequence)]
            ).flatMap(ObservationRow.record)
        }

        private func conflict(at sequence: UInt64) -> NumberConflict {
            NumberConflict(
                device: device.name,
                position: StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: sequence))
        }

        /// Whether the numbers of a gap, which never were those of observations, stand for anything else already.
        private func isOther(_ gap: Gap) throws -> Bool {
            guard !gap.isOfObservations else { return false }
            guard gap.count == nil else { return try hasObservation(gap.numbers) }
            if observed.overlaps(gap.numbers) || overlapping.contains(gap) { return true }
            guard received.overlaps(gap.numbers) else { return false }
            return try self.gap(at: gap.first) != gap
        }

        /// Whether there is an observation under one of these numbers, here or in the batch.
        private func hasObservation(_ numbers: ClosedRange<UInt64>) throws -> Bool {
            if observed.overlaps(numbers) { return true }
            return try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM observations
                        WHERE device = ? AND stream = ? AND epoch = ? AND sequence BETWEEN ? AND ?)
                    """,
                arguments: place.arguments + [Int64(numbers.lowerBound), Int64(numbers.upperBound)]) == true
        }

        /// Those gaps of a batch, each of them once, that have a number in common with another one.
        private static func overlapping(_ gaps: [Gap]) -> Set<Gap> {
            var (found, furthest): (Set<Gap>, Gap?) = ([], nil)
            for gap in Set(gaps).sorted(by: { $0.first < $1.first }) {
                // Whoever else reaches as far has a number in common with the one that reaches furthest.
                if let other = furthest, gap.first <= other.last { found.formUnion([gap, other]) }
                if gap.last >= furthest?.last ?? 0 { furthest = gap }
            }
            return found
        }

        /// The gap that names a number; nil: none does.
        private func gap(at number: UInt64) throws -> Gap? {
            try RouterStore.gap(db, at: number, place)
        }

        /// Stores a gap as far as its numbers are not here, and no other gap has named them.
        ///
        /// - Returns: What is newly missing.
        private mutating func insert(_ gap: Gap) throws -> [Gap] {
            let parts = gap.cut(to: SequenceRanges([gap.numbers]).subtracting(received))
            for part in parts { try RouterStore.insert(db, part, place) }
            received.insert(gap.numbers)
            return parts
        }
    }
}
