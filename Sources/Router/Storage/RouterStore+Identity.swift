import DeviceModel
import GRDB
import Wire

/// Which devices are trusted, and with which keys.
extension RouterStore {
    /// What speaks against letting a device command and be commanded.
    struct Alarm: Hashable, Sendable {
        var reason: String
        var since: WallTime
    }

    /// Lets one of somebody's devices in no more: its history stays.
    func revoke(_ owner: Owner, device: Int64) async throws {
        let now = self.now
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE devices SET revoked = ?, previousKey = NULL, alarm = NULL, alarmed = NULL
                    WHERE id = ? AND owner = ?
                    """, arguments: [now, device, owner.id])
        }
    }

    /// Trusts one of somebody's devices again: whoever comes next with its key is the one.
    func trust(_ owner: Owner, device: Int64) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET alarm = NULL, alarmed = NULL, connects = NULL WHERE id = ? AND owner = ?",
                arguments: [device, owner.id])
        }
    }

    /// Withholds commands from a device until its owner trusts it again.
    ///
    /// - Returns: Whether that is news.
    func raiseAlarm(_ device: Device, _ reason: String) async throws -> Bool {
        let now = self.now
        return try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET alarm = ?, alarmed = ? WHERE id = ? AND owner = ? AND alarm IS NULL",
                arguments: [reason, now, device.row, device.owner.id])
            return db.changesCount > 0
        }
    }

    /// A device has connected with a key of its own: from now on only this one is good, and its count has to rise.
    ///
    /// - Parameters:
    ///   - device: The device.
    ///   - key: The key that it used.
    ///   - count: How often it has connected, by its own count; nil: it does not say.
    /// - Returns: Whether the count has risen; one that was told once has to be told from then on.
    /// - Throws: What the database throws.
    func noteConnection(_ device: Device, key: [UInt8], count: UInt64?) async throws -> Bool {
        let now = self.now
        return try await database.write { db in
            let before = try Int64.fetchOne(
                db, sql: "SELECT connects FROM devices WHERE id = ? AND owner = ?",
                arguments: [device.row, device.owner.id])
            let count = count.map { Int64(clamping: $0) }
            try db.execute(
                sql: """
                    UPDATE devices SET lastSeen = ?, connects = ?,
                        previousKey = CASE WHEN key = ? THEN NULL ELSE previousKey END
                    WHERE id = ? AND owner = ?
                    """,
                arguments: [
                    now, [before, count].compactMap(\.self).max(), key.data, device.row, device.owner.id,
                ])
            return before.map { $0 < count ?? .min } ?? true
        }
    }

    /// Gives a device a new key; the old one stays good until the new one has been used.
    ///
    /// - Throws: ``RouterProblem`` where the new key is another device's.
    func rotate(_ device: Device, from old: [UInt8], to new: [UInt8]) async throws {
        try await database.write { db in
            let holder = try Int64.fetchOne(
                db, sql: "SELECT id FROM devices WHERE key = ? OR previousKey = ?", arguments: [new.data, new.data])
            guard holder == nil || holder == device.row else { throw Self.keyInUse(device.name) }
            try db.execute(
                sql: "UPDATE devices SET previousKey = ?, key = ? WHERE id = ? AND owner = ?",
                arguments: [old.data, new.data, device.row, device.owner.id])
        }
    }

    /// Notes which head of the audit log a device was told.
    func noteAuditHead(_ device: Device, _ head: AuditHead) async throws {
        let now = self.now
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET auditEntry = ?, auditHash = ?, auditTold = ? WHERE id = ? AND owner = ?",
                arguments: [Int64(clamping: head.entry), head.hash.data, now, device.row, device.owner.id])
        }
    }

    /// Which heads of the audit log devices were told, for whoever checks the log at the router's own machine.
    ///
    /// - Parameter path: The database, of which nothing is written.
    /// - Returns: An anchor for each device that was told.
    /// - Throws: ``RouterProblem`` where it can't be read.
    static func auditAnchors(in path: String) throws -> [AuditAnchor] {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            return try DatabaseQueue(path: path, configuration: configuration).read(auditAnchors)
        } catch let error as DatabaseError {
            throw explain(error, path)
        }
    }

    private static func auditAnchors(_ db: Database) throws -> [AuditAnchor] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT d.name, d.auditEntry, d.auditHash, d.auditTold, a.name AS ownerName
                FROM devices d JOIN accounts a ON a.id = d.owner WHERE d.auditEntry IS NOT NULL
                """
        ).map { row in
            AuditAnchor(
                device: "\(row["ownerName"] as String)/\(row["name"] as String)",
                head: AuditHead(entry: UInt64(row["auditEntry"] as Int64), hash: row.bytes("auditHash")),
                told: WallTime(nanoseconds: row["auditTold"]))
        }
    }

    static func keyInUse(_ device: DeviceID) -> RouterProblem {
        RouterProblem(
            .conflict, device.rawValue,
            "this device's key is in use for another device; remove device.key from its state directory to make a new one"
        )
    }
}
