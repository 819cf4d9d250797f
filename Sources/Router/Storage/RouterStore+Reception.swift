import DeviceModel
import GRDB

extension RouterStore {
    /// One epoch of a stream of a device.
    struct Place: Hashable, Sendable {
        let device: Int64
        let stream: StreamName
        let epoch: UInt64

        /// As statements take it: device, stream, epoch.
        var arguments: StatementArguments { [device, stream.rawValue, Int64(bitPattern: epoch)] }
    }

    /// How many epochs of a stream a device is told of: the newest.
    static let epochBound = 8
    /// How many ranges of an epoch a device is told of: the lowest.
    static let rangeBound = 1_000

    /// What there is of a device's streams: of each its newest epochs, in the order in which they were heard of.
    func receptions(of device: Device) async throws -> [StreamReception] {
        try await database.read { db in
            guard try Self.has(db, device.owner, device.row) else { return [] }
            return try StreamName.allCases.flatMap { stream in
                try Int64.fetchAll(
                    db,
                    sql: """
                        SELECT epoch FROM (
                            SELECT id, epoch FROM streams WHERE device = ? AND stream = ? ORDER BY id DESC LIMIT ?)
                        ORDER BY id
                        """, arguments: [device.row, stream.rawValue, Self.epochBound]
                ).map { number in
                    let place = Place(device: device.row, stream: stream, epoch: UInt64(bitPattern: number))
                    let ranges = try Self.ranges(db, place, "ORDER BY first LIMIT ?", [Self.rangeBound])
                    return StreamReception(stream: stream, epoch: place.epoch, received: ranges)
                }
            }
        }
    }

    /// The ranges that have to do with some numbers: those that touch them, and those between them.
    static func received(_ db: Database, _ place: Place, around numbers: ClosedRange<UInt64>) throws -> SequenceRanges {
        let before = """
            ifnull((SELECT max(first) FROM received WHERE device = ? AND stream = ? AND epoch = ? AND first <= ?), 0)
            """
        let (lowest, highest) = (Int64(numbers.lowerBound), Int64(numbers.upperBound))
        return try ranges(
            db, place, "AND first >= \(before) AND first <= ?",
            place.arguments + [lowest, highest == .max ? highest : highest + 1])
    }

    /// The numbers from 1 on of which none is missing.
    static func receivedFromOne(_ db: Database, _ place: Place) throws -> SequenceRanges {
        try ranges(db, place, "AND first = 1", [])
    }

    private static func ranges(
        _ db: Database, _ place: Place, _ condition: String, _ arguments: StatementArguments
    ) throws -> SequenceRanges {
        let rows = try db.cachedStatement(
            sql: "SELECT first, last FROM received WHERE device = ? AND stream = ? AND epoch = ? \(condition)")
        return SequenceRanges(
            try Row.fetchAll(rows, arguments: place.arguments + arguments).map {
                $0.unsigned("first")...$0.unsigned("last")
            })
    }

    /// Writes down which ranges have become others.
    static func write(_ db: Database, _ place: Place, _ old: SequenceRanges, changedTo new: SequenceRanges) throws {
        let (before, after) = (Set(old.ranges), Set(new.ranges))
        let delete = try db.cachedStatement(
            sql: "DELETE FROM received WHERE device = ? AND stream = ? AND epoch = ? AND first = ?")
        for range in before.subtracting(after) {
            try delete.execute(arguments: place.arguments + [Int64(range.lowerBound)])
        }
        let insert = try db.cachedStatement(
            sql: "INSERT INTO received (device, stream, epoch, first, last) VALUES (?, ?, ?, ?, ?)")
        for range in after.subtracting(before) {
            try insert.execute(arguments: place.arguments + [Int64(range.lowerBound), Int64(range.upperBound)])
        }
    }
}
