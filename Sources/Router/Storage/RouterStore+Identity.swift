import DeviceModel
import FoundationEssentials
import GRDB
import Wire

/// Which devices are trusted, and with which keys.
extension RouterStore {
    /// Lets one of somebody's devices in no more: its history stays.
    func revoke(_ owner: Owner, device: Int64) async throws {
        let now = self.now
        try await database.write { db in
            for key in ["key", "previousKey"] {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO revokedKeys (key, owner)
                        SELECT \(key), owner FROM devices WHERE id = ? AND owner = ? AND \(key) IS NOT NULL
                        """, arguments: [device, owner.id])
            }
            try db.execute(
                sql: """
                    UPDATE devices SET revoked = ?, previousKey = NULL, alarm = NULL
                    WHERE id = ? AND owner = ?
                    """, arguments: [now, device, owner.id])
            // Codes from before would let it in again at once.
            let name = try String.fetchOne(
                db, sql: "SELECT name FROM devices WHERE id = ? AND owner = ?", arguments: [device, owner.id])
            try db.execute(
                sql: "UPDATE claims SET isUsed = 1 WHERE owner = ? AND device = ?", arguments: [owner.id, name])
        }
    }

    /// Trusts one of somebody's devices again: whoever comes next with its key is the one.
    func trust(_ owner: Owner, device: Int64) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET alarm = NULL, connects = NULL WHERE id = ? AND owner = ?",
                arguments: [device, owner.id])
        }
    }

    /// Withholds commands from a device until its owner trusts it again.
    ///
    /// - Returns: Whether that is news.
    func raiseAlarm(_ device: Device, _ reason: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET alarm = ? WHERE id = ? AND owner = ? AND alarm IS NULL",
                arguments: [reason, device.row, device.owner.id])
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
            try Self.refuseRevoked(db, new, device.name)
            try db.execute(
                sql: "UPDATE devices SET previousKey = ?, key = ? WHERE id = ? AND owner = ?",
                arguments: [old.data, new.data, device.row, device.owner.id])
        }
    }

    /// A key that was revoked is good for nobody any more: whoever has copied it would be let in with it, too.
    static func refuseRevoked(_ db: Database, _ key: [UInt8], _ device: DeviceID) throws {
        let isRevoked = try Bool.fetchOne(db, sql: "SELECT 1 FROM revokedKeys WHERE key = ?", arguments: [key.data])
        guard isRevoked == true else { return }
        throw RouterProblem(
            .conflict, device.rawValue,
            "this device's key was revoked; remove device.key from its state directory, and enrol it again: that makes "
                + "a new one")
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
            // Whoever has changed the log may have changed this, too: nothing is taken for granted.
            let device = "\(row["ownerName"] as String)/\(row["name"] as String)"
            guard let entry = Int64.fromDatabaseValue(row["auditEntry"]).flatMap(UInt64.init(exactly:)),
                let hash = Data.fromDatabaseValue(row["auditHash"]), hash.count == AuditHead.hashSize
            else { throw RouterProblem(.systemFailure, device, "what is kept of device \(device) is damaged") }
            return AuditAnchor(
                device: device, head: AuditHead(entry: entry, hash: [UInt8](hash)),
                told: Int64.fromDatabaseValue(row["auditTold"]).map(WallTime.init(nanoseconds:)))
        }
    }

    static func keyInUse(_ device: DeviceID) -> RouterProblem {
        RouterProblem(
            .conflict, device.rawValue,
            "this device's key is in use for another device; remove device.key from its state directory to make a new one"
        )
    }
}
