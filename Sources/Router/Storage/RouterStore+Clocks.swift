import DeviceModel
import FoundationEssentials
import GRDB

/// When something was observed before its device knew what time it was.
extension RouterStore {
    /// What an offset may drift without anything being dated anew.
    static let clockTolerance: Duration = .milliseconds(100)

    /// How many observations are dated in one transaction, for which others wait.
    static let datedAtATime = 10_000
    /// Of how many boots of a device the clock is known: of the newest.
    static let bootBound = 1_000

    /// By how much the wall clock was ahead of the device's own in a boot.
    ///
    /// Where the device says so for the first time, or says something else than before, what is here of this boot and was
    /// not synchronised is dated by it: a part of it at once, the rest by ``dateMore(of:)``.
    ///
    /// - Parameters:
    ///   - db: The database, in a transaction.
    ///   - boot: The boot.
    ///   - device: The device.
    ///   - said: What the device says now; nil: nothing.
    /// - Returns: The offset; nil: nobody knows.
    /// - Throws: What the database throws.
    static func clockOffset(_ db: Database, of boot: BootID, _ device: Device, said: Duration?) throws -> Duration? {
        let known = try Int64.fetchOne(
            try db.cachedStatement(sql: "SELECT offset FROM clocks WHERE device = ? AND boot = ?"),
            arguments: [device.row, boot.bytes.data]
        ).map { Duration.nanoseconds($0) }
        guard let said else { return known }
        if let known, (said > known ? said - known : known - said) <= clockTolerance { return known }
        try db.execute(
            sql: """
                INSERT INTO clocks (device, boot, offset, undated) VALUES (?, ?, ?, 0)
                ON CONFLICT DO UPDATE SET offset = excluded.offset, undated = 0
                """, arguments: [device.row, boot.bytes.data, said.nanoseconds])
        if known == nil { try forgetBoots(db, device) }
        try date(db, device, Clock(boot: boot.bytes.data, offset: said.nanoseconds, undated: 0))
        return said
    }

    /// Dates some more of what a device observed before it knew what time it was.
    ///
    /// - Parameter device: The device.
    /// - Returns: Whether there was anything left to date.
    /// - Throws: What the database throws.
    func dateMore(of device: Device) async throws -> Bool {
        let isAnyLeft: Bool? = try await database.read { db in
            guard try Self.has(db, device.owner, device.row) else { return nil }
            return try Bool.fetchOne(
                db, sql: "SELECT 1 FROM clocks WHERE device = ? AND undated IS NOT NULL", arguments: [device.row])
        }
        guard isAnyLeft == true else { return false }
        return try await database.write { db in
            guard try Self.has(db, device.owner, device.row) else { return false }
            let clock = try Row.fetchOne(
                db, sql: "SELECT boot, offset, undated FROM clocks WHERE device = ? AND undated IS NOT NULL LIMIT 1",
                arguments: [device.row]
            ).map { Clock(boot: $0["boot"], offset: $0["offset"], undated: $0["undated"]) }
            guard let clock else { return false }
            try Self.date(db, device, clock)
            return true
        }
    }

    /// What is known of the clock of a boot.
    private struct Clock {
        let boot: Data
        let offset: Int64
        /// What comes behind this row is not dated by it yet.
        let undated: Int64
    }

    /// Dates the next observations of a boot.
    private static func date(_ db: Database, _ device: Device, _ clock: Clock) throws {
        let place: StatementArguments = [device.row, clock.boot, clock.undated]
        let condition = "device = ? AND boot = ? AND synced = 0 AND id > ?"
        let rows = try Int64.fetchAll(
            db, sql: "SELECT id FROM observations WHERE \(condition) ORDER BY id LIMIT ?",
            arguments: place + [datedAtATime])
        if let last = rows.last {
            // The cast brings a sum back that has left what a whole number of SQLite's can be.
            try db.execute(
                sql: "UPDATE observations SET dated = CAST(at + ? AS INTEGER) WHERE \(condition) AND id <= ?",
                arguments: [clock.offset] + place + [last])
        }
        try db.execute(
            sql: "UPDATE clocks SET undated = ? WHERE device = ? AND boot = ?",
            arguments: [rows.count < datedAtATime ? nil : rows.last, device.row, clock.boot])
    }

    /// Forgets the clocks of boots that are long over.
    private static func forgetBoots(_ db: Database, _ device: Device) throws {
        try db.execute(
            sql: """
                DELETE FROM clocks WHERE device = ?1 AND id <= (
                    SELECT id FROM clocks WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """, arguments: [device.row, bootBound])
    }
}

extension Timestamp {
    /// The time as far as it is known: what the wall clock said, or would have said had it been synchronised.
    ///
    /// - Parameter offset: By how much the wall clock was ahead of the device's own in this boot; nil: nobody knows.
    /// - Returns: The same time, dated where that is possible.
    func dated(by offset: Duration?) -> Timestamp {
        guard !isSynchronised, let offset else { return self }
        var time = self
        time.wall = WallTime(nanoseconds: monotonic.nanoseconds) + offset
        time.isSynchronised = true
        return time
    }
}
