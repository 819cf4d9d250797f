import DeviceModel
import GRDB

/// The past, as people are told of it: every time in it is the one that is known by now.
extension RouterStore {
    /// How many gaps a history has at most: the newest.
    static let gapBound = 100_000

    /// The newest reading of a property.
    func newest(_ owner: Owner, _ device: Int64, _ component: ComponentID, _ property: String) async throws
        -> RecordedObservation?
    {
        try await database.read { db in
            guard try Self.has(db, owner, device) else { return nil }
            for place in try Self.places(db, device, .telemetry).reversed() {
                let records = try Self.readings(db, place, component, property, since: nil, limit: 1)
                if let newest = records.first { return newest }
            }
            return nil
        }
    }

    /// The past of a component, oldest first: readings of one property in the order of their numbers, or, where none is
    /// given, everything by the clock; and what is missing of it.
    ///
    /// - Parameters:
    ///   - owner: Who asks.
    ///   - device: The device's row.
    ///   - component: The component.
    ///   - property: One of its properties; nil: all of them, and events and results.
    ///   - since: Nothing older than this; nil: from the beginning.
    ///   - limit: At most so many observations, the newest of them; gaps come besides.
    /// - Returns: Both; of the gaps those that belong to the time that is shown.
    /// - Throws: What the database throws.
    func history(
        _ owner: Owner, _ device: Int64, _ component: ComponentID, property: String?, since: WallTime?, limit: Int
    ) async throws -> [HistoryEntry] {
        try await database.read { db in
            guard limit > 0, try Self.has(db, owner, device) else { return [] }
            if let property {
                return try Self.history(db, device, component, property, since: since, limit: limit)
            }
            return try Self.history(db, device, component, since: since, limit: limit)
        }
    }

    /// The epochs of a stream, in the order in which they were heard of.
    private static func places(_ db: Database, _ device: Int64, _ stream: StreamName) throws -> [Place] {
        try Int64.fetchAll(
            db, sql: "SELECT epoch FROM streams WHERE device = ? AND stream = ? ORDER BY id",
            arguments: [device, stream.rawValue]
        ).map { Place(device: device, stream: stream, epoch: UInt64(bitPattern: $0)) }
    }

    // MARK: One property

    /// Readings of a property in an epoch, newest first.
    static let propertyHistory = """
        \(ObservationRow.selectDated)
        WHERE o.device = ? AND o.component = ? AND o.name = ? AND o.kind = ? AND o.epoch = ? AND o.dated >= ?
        ORDER BY o.sequence DESC LIMIT ?
        """

    /// By epoch as they were first heard of, and by number: the device's clock may jump.
    private static func history(
        _ db: Database, _ device: Int64, _ component: ComponentID, _ property: String, since: WallTime?, limit: Int
    ) throws -> [HistoryEntry] {
        var parts: [[HistoryEntry]] = []
        var (rest, gapRest) = (limit, gapBound)
        for place in try places(db, device, .telemetry).reversed() where rest > 0 {
            var records = try readings(db, place, component, property, since: since, limit: rest)
            records.reverse()
            rest -= records.count
            var selection = GapSelection(behind: records.first?.position.sequence, since: since)
            if rest == 0 {
                selection.since = nil  // what comes before the first that is shown is not asked for
            } else if let since {
                selection.undatedBehind = try newest(
                    db, place, component, property, before: since, first: records.first?.position.sequence)
            } else {
                selection.behind = 0
            }
            let gaps = try gaps(db, place, selection, limit: gapRest)
            gapRest -= gaps.count
            parts.append(HistoryEntry.merge(gaps, into: records))
        }
        return Array(parts.reversed().joined())
    }

    private static func readings(
        _ db: Database, _ place: Place, _ component: ComponentID, _ property: String, since: WallTime?, limit: Int
    ) throws -> [RecordedObservation] {
        try Row.fetchAll(
            db, sql: propertyHistory,
            arguments: [
                place.device, component.rawValue, property, ObservationRow.Kind.reading.rawValue,
                Int64(bitPattern: place.epoch), since?.nanoseconds ?? Int64.min, limit,
            ]
        ).compactMap(ObservationRow.dated)
    }

    /// The newest number of a property in an epoch that is not shown, because it is older; 0: there is none.
    private static func newest(
        _ db: Database, _ place: Place, _ component: ComponentID, _ property: String, before time: WallTime,
        first: UInt64?
    ) throws -> UInt64 {
        let number = try Int64.fetchOne(
            db,
            sql: """
                SELECT sequence FROM observations
                WHERE device = ? AND component = ? AND name = ? AND kind = ? AND epoch = ? AND sequence < ? AND dated < ?
                ORDER BY sequence DESC LIMIT 1
                """,
            arguments: [
                place.device, component.rawValue, property, ObservationRow.Kind.reading.rawValue,
                Int64(bitPattern: place.epoch), first.map { Int64(clamping: $0) } ?? .max, time.nanoseconds,
            ])
        return number.map { UInt64(bitPattern: $0) } ?? 0
    }

    // MARK: Everything of a component

    /// Everything of a component, newest first.
    static let componentHistory = """
        \(ObservationRow.selectDated) WHERE o.device = ? AND o.component = ? AND o.dated >= ?
        ORDER BY o.dated DESC, o.sequence DESC LIMIT ?
        """

    /// By the clock, which is all that orders one stream against the other.
    private static func history(
        _ db: Database, _ device: Int64, _ component: ComponentID, since: WallTime?, limit: Int
    ) throws -> [HistoryEntry] {
        let rows = try Row.fetchAll(
            db, sql: componentHistory,
            arguments: [device, component.rawValue, since?.nanoseconds ?? Int64.min, limit])
        let records = Array(rows.reversed().compactMap(ObservationRow.dated))
        var first: [Place: UInt64] = [:]
        for position in records.map(\.position) {
            let place = Place(device: device, stream: position.stream, epoch: position.epoch)
            first[place] = min(first[place] ?? .max, position.sequence)
        }
        // Where there is more than is shown, it begins with the first that is.
        let start = rows.count < limit ? since : records.first?.observation.time.wall
        var (gaps, rest): ([[Gap]], Int) = ([], gapBound)
        for stream in StreamName.allCases {
            for place in try places(db, device, stream).reversed() {
                let selection = GapSelection(behind: start == nil ? 0 : first[place], since: start)
                gaps.append(try Self.gaps(db, place, selection, limit: rest))
                rest -= gaps.last?.count ?? 0
            }
        }
        return HistoryEntry.merge(gaps.reversed().flatMap(\.self), into: records)
    }
}
