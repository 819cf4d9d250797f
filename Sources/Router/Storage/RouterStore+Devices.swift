import DeviceModel
import FoundationEssentials
import GRDB
import Wire

extension RouterStore {
    // MARK: Known devices

    /// The device with a key, whoever owns it: this is how a device says who it is.
    ///
    /// The key that it had before its present one is as good, until that has been used.
    func device(key: [UInt8]) async throws -> Device? {
        try await database.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT d.id, d.name, d.key, d.alarm, d.revoked, a.id AS ownerID, a.name AS ownerName
                    FROM devices d JOIN accounts a ON a.id = d.owner WHERE d.key = ? OR d.previousKey = ?
                    """, arguments: [key.data, key.data])
            guard let row, let name = DeviceID(rawValue: row["name"]) else { return nil }
            let owner = Owner(id: row["ownerID"], name: row["ownerName"])
            return Device(
                row: row["id"], owner: owner, name: name, key: row.bytes("key"), alarm: row["alarm"],
                isRevoked: row["revoked"] != nil)
        }
    }

    /// A device in somebody's list.
    struct ListedDevice: Sendable {
        var name: DeviceID
        var row: Int64
        var lastSeen: WallTime?
        var description: DeviceDescription?
        /// Why it is not commanded until its owner trusts it again; nil: it is.
        var alarm: String?
        /// When its owner revoked it; nil: it is let in.
        var revoked: WallTime?
        /// Why it is disabled; nil: it is not.
        var disabledBecause: String?
        /// What its files are not; nil: nothing speaks against them.
        var objection: Objection?
    }

    /// Somebody's devices, by name; only one of them where a name is given.
    func devices(of owner: Owner, named name: DeviceID? = nil) async throws -> [ListedDevice] {
        let rows = try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT d.*, i.disabled, i.objection FROM devices d LEFT JOIN integrity i ON i.device = d.id
                    WHERE d.owner = ? AND (? IS NULL OR d.name = ?) ORDER BY d.name
                    """,
                arguments: [owner.id, name?.rawValue, name?.rawValue]
            ).compactMap { row -> (ListedDevice, Data?)? in
                guard let id = DeviceID(rawValue: row["name"]) else { return nil }
                let device = ListedDevice(
                    name: id, row: row["id"], lastSeen: (row["lastSeen"] as Int64?).map(WallTime.init(nanoseconds:)),
                    alarm: row["alarm"], revoked: (row["revoked"] as Int64?).map(WallTime.init(nanoseconds:)),
                    disabledBecause: row["disabled"],
                    objection: (row["objection"] as String?).map(Objection.init(rawValue:)))
                return (device, row["description"])
            }
        }
        // Read outside of the database, for which others wait.
        return rows.map { device, description in
            var device = device
            device.description = description.flatMap { Self.description([UInt8]($0)) }
            return device
        }
    }

    /// Keeps what a device says of itself.
    func describe(_ device: Device, _ description: DeviceDescription) async throws {
        let bytes = Envelope(DescriptionMessage(description)).body
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET description = ? WHERE id = ? AND owner = ?",
                arguments: [bytes.data, device.row, device.owner.id])
        }
    }

    /// A device was there until now.
    func see(_ device: Device, at wall: WallTime) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE devices SET lastSeen = ? WHERE id = ? AND owner = ?",
                arguments: [wall.nanoseconds, device.row, device.owner.id])
        }
    }

    private static func description(_ bytes: [UInt8]) -> DeviceDescription? {
        let envelope = Envelope(proto: .observations, type: "description", body: bytes)
        let message = try? envelope.decode(DescriptionMessage.self)  // safe: what only a later version knows is none
        return message?.description
    }

    // MARK: Enrolment

    /// For how long a claim code is good.
    static let claimLifetime: Duration = .seconds(600)
    /// For how long a device may wait to be accepted.
    static let pendingLifetime: Duration = .seconds(86_400)
    /// How many devices may wait in one account.
    static let pendingLimit = 10

    /// Keeps a claim code's secret.
    ///
    /// - Returns: Until when it is good.
    func addClaim(_ owner: Owner, device: DeviceID, secretHash: [UInt8]) async throws -> WallTime {
        let expires = time.wall + Self.claimLifetime
        let old = time.wall - .seconds(86_400)
        try await database.write { db in
            try db.execute(sql: "DELETE FROM claims WHERE expires < ?", arguments: [old.nanoseconds])
            try db.execute(
                sql: "INSERT INTO claims (secretHash, owner, device, expires) VALUES (?, ?, ?, ?)",
                arguments: [secretHash.data, owner.id, device.rawValue, expires.nanoseconds])
        }
        return expires
    }

    /// Uses a claim code up, and lets the device in.
    ///
    /// - Returns: The owner.
    /// - Throws: ``RouterProblem`` that says why the code is not good.
    func useClaim(secretHash: [UInt8], device: DeviceID, key: [UInt8]) async throws -> Owner {
        let now = self.now
        return try await database.write { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT c.*, a.name AS ownerName FROM claims c JOIN accounts a ON a.id = c.owner
                    WHERE c.secretHash = ?
                    """, arguments: [secretHash.data])
            let again = "`m2m claim \(device)` makes a new one"
            guard let row else {
                throw RouterProblem(.notPermitted, "claim code", "this claim code is not known here; \(again)")
            }
            guard !(row["isUsed"] as Bool) else {
                throw RouterProblem(.notPermitted, "claim code", "this claim code has been used already; \(again)")
            }
            guard now < row["expires"] as Int64 else {
                throw RouterProblem(.notPermitted, "claim code", "this claim code has expired; \(again)")
            }
            guard row["device"] as String == device.rawValue else {
                throw RouterProblem(
                    .notPermitted, "claim code",
                    "this claim code was made for '\(row["device"] as String)', not for '\(device)'; \(again)")
            }
            let owner = Owner(id: row["owner"], name: row["ownerName"])
            try Self.letIn(db, owner, device, key, now)
            return owner
        }
    }

    /// Writes down that a device waits.
    ///
    /// Whether there is such an account, or room in it, is not told.
    ///
    /// Something is written in any case, so that the time that it takes does not tell it either.
    ///
    /// - Returns: In whose account it waits from now on; nil: it does already, there is no such account, or no room in it.
    @discardableResult
    func addPending(account: String, device: DeviceID, key: [UInt8]) async throws -> Owner? {
        let now = self.now
        let old = (time.wall - Self.pendingLifetime).nanoseconds
        return try await database.write { db in
            try db.execute(sql: "DELETE FROM pending WHERE since < ?", arguments: [old])
            let owner = try Int64.fetchOne(db, sql: "SELECT id FROM accounts WHERE name = ?", arguments: [account])
            let isKnown = try Bool.fetchOne(
                db, sql: "SELECT 1 FROM pending WHERE owner = ? AND device = ? AND key = ?",
                arguments: [owner, device.rawValue, key.data])
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM pending WHERE owner = ?", arguments: [owner])
            guard let owner, isKnown == true || count ?? 0 < Self.pendingLimit else {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO nobodysEnrolment (id, device, key, since) VALUES (1, ?, ?, ?)",
                    arguments: [device.rawValue, key.data, now])
                return nil
            }
            try db.execute(
                sql: """
                    INSERT INTO pending (owner, device, key, since) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET since = excluded.since
                    """, arguments: [owner, device.rawValue, key.data, now])
            return isKnown == true ? nil : Owner(id: owner, name: account)
        }
    }

    /// Whether as many devices wait in somebody's account as may.
    func isFull(_ owner: Owner) async throws -> Bool {
        let old = (time.wall - Self.pendingLifetime).nanoseconds
        return try await database.read { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM pending WHERE owner = ? AND since >= ?", arguments: [owner.id, old])
            return count ?? 0 >= Self.pendingLimit
        }
    }

    /// The devices that wait in somebody's account, by name: keys and times.
    func pending(of owner: Owner, named device: DeviceID) async throws -> [(key: [UInt8], since: WallTime)] {
        let old = (time.wall - Self.pendingLifetime).nanoseconds
        return try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT key, since FROM pending WHERE owner = ? AND device = ? AND since >= ? ORDER BY since",
                arguments: [owner.id, device.rawValue, old]
            ).map { ($0.bytes("key"), WallTime(nanoseconds: $0["since"])) }
        }
    }

    /// Lets a device in that waits.
    ///
    /// - Returns: Whether it was waiting.
    func accept(_ owner: Owner, device: DeviceID, key: [UInt8]) async throws -> Bool {
        let now = self.now
        return try await database.write { db in
            try db.execute(
                sql: "DELETE FROM pending WHERE owner = ? AND device = ? AND key = ?",
                arguments: [owner.id, device.rawValue, key.data])
            guard db.changesCount > 0 else { return false }
            try Self.letIn(db, owner, device, key, now)
            return true
        }
    }

    /// Puts a device with a key in somebody's space.
    ///
    /// One of the same name gets the new key: its owner wants it so. A key is good for one device.
    private static func letIn(
        _ db: Database, _ owner: Owner, _ device: DeviceID, _ key: [UInt8], _ now: Int64
    ) throws {
        try refuseRevoked(db, key, device)
        let holder = try Row.fetchOne(
            db, sql: "SELECT owner, name FROM devices WHERE key = ? OR previousKey = ?",
            arguments: [key.data, key.data])
        if let holder, holder["owner"] as Int64 != owner.id || holder["name"] as String != device.rawValue {
            throw Self.keyInUse(device)
        }
        // All codes for this name: each was made for a place that is taken now.
        try db.execute(
            sql: "UPDATE claims SET isUsed = 1 WHERE owner = ? AND device = ?", arguments: [owner.id, device.rawValue])
        try db.execute(
            sql: """
                INSERT INTO devices (owner, name, key, created) VALUES (?, ?, ?, ?)
                ON CONFLICT (owner, name) DO UPDATE SET key = excluded.key, previousKey = NULL, connects = NULL,
                    revoked = NULL, alarm = NULL
                """, arguments: [owner.id, device.rawValue, key.data, now])
    }
}
