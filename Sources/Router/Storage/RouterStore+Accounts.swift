import DeviceModel
import GRDB

extension RouterStore {
    /// An account with what is kept of its secrets.
    struct Account: Sendable {
        var owner: Owner
        var password: SecretHasher.Hash
        var code: SecretHasher.Hash
        var isLocked: Bool
    }

    /// After so many wrong codes in a row an account is locked.
    static let wrongCodeLimit = 5

    func addAccount(_ name: String, password: SecretHasher.Hash, code: SecretHasher.Hash) async throws {
        let now = self.now
        do {
            try await database.write { db in
                try db.execute(
                    sql: "INSERT INTO accounts (name, password, code, created) VALUES (?, ?, ?, ?)",
                    arguments: [name, password.bytes.data, code.bytes.data, now])
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw Self.taken(name)
        }
    }

    static func taken(_ name: String) -> RouterProblem {
        RouterProblem(.conflict, name, "there is an account '\(name)' already")
    }

    func account(_ name: String) async throws -> Account? {
        try await database.read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE name = ?", arguments: [name]),
                let password = SecretHasher.Hash(bytes: row.bytes("password")),
                let code = SecretHasher.Hash(bytes: row.bytes("code"))
            else { return nil }
            return Account(
                owner: Owner(id: row["id"], name: row["name"]), password: password, code: code,
                isLocked: row["isLocked"])
        }
    }

    /// The names of all accounts, and whether each is locked.
    func accounts() async throws -> [(name: String, isLocked: Bool)] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT name, isLocked FROM accounts ORDER BY name").map {
                ($0["name"], $0["isLocked"])
            }
        }
    }

    /// A wrong code was given.
    ///
    /// - Returns: Whether the account is locked now, by this one or before.
    func countWrongCode(_ owner: Owner) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE accounts SET wrongCodes = wrongCodes + 1, isLocked = isLocked OR wrongCodes + 1 >= ?
                    WHERE id = ?
                    """, arguments: [Self.wrongCodeLimit, owner.id])
            return try Bool.fetchOne(db, sql: "SELECT isLocked FROM accounts WHERE id = ?", arguments: [owner.id])
                ?? true
        }
    }

    /// The right code was given.
    ///
    /// - Returns: Whether it counts: it does not when the account was locked in the meantime.
    func forgetWrongCodes(_ owner: Owner) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE accounts SET wrongCodes = 0 WHERE id = ? AND isLocked = 0", arguments: [owner.id])
            return db.changesCount > 0
        }
    }

    /// Unlocks an account.
    ///
    /// - Returns: Whether there is one.
    func unlock(_ name: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(sql: "UPDATE accounts SET wrongCodes = 0, isLocked = 0 WHERE name = ?", arguments: [name])
            return db.changesCount > 0
        }
    }

    /// Removes an account with everything in its space.
    ///
    /// - Returns: Whether there was one.
    func removeAccount(_ name: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM accounts WHERE name = ?", arguments: [name])
            return db.changesCount > 0
        }
    }

    // MARK: Sessions

    /// For how long a session is good, however much it is used.
    static let sessionLifetime: Duration = .seconds(12 * 3_600)
    /// For how long a session is good when it is not used.
    static let sessionIdle: Duration = .seconds(15 * 60)

    /// What became of a session.
    enum SessionState: Sendable {
        case good(Owner, expires: WallTime)
        /// It was not used for too long: the security code brings it back.
        case idle(Owner, expires: WallTime)
    }

    /// Begins a session.
    ///
    /// - Returns: When it ends at the latest.
    func addSession(_ owner: Owner, tokenHash: [UInt8]) async throws -> WallTime {
        let now = time.wall
        let expires = now + Self.sessionLifetime
        try await database.write { db in
            try db.execute(sql: "DELETE FROM sessions WHERE expires < ?", arguments: [now.nanoseconds])
            try db.execute(
                sql: "INSERT INTO sessions (tokenHash, owner, created, lastUsed, expires) VALUES (?, ?, ?, ?, ?)",
                arguments: [tokenHash.data, owner.id, now.nanoseconds, now.nanoseconds, expires.nanoseconds])
        }
        return expires
    }

    /// The session of a token; nil: there is none, or no more.
    func session(tokenHash: [UInt8]) async throws -> SessionState? {
        let now = time.wall
        return try await database.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT a.id, a.name, s.lastUsed, s.expires FROM sessions s JOIN accounts a ON a.id = s.owner
                    WHERE s.tokenHash = ?
                    """, arguments: [tokenHash.data])
            guard let row else { return nil }
            let expires = WallTime(nanoseconds: row["expires"])
            let lastUsed = WallTime(nanoseconds: row["lastUsed"])
            guard now < expires else { return nil }
            let owner = Owner(id: row["id"], name: row["name"])
            return now < lastUsed + Self.sessionIdle ? .good(owner, expires: expires) : .idle(owner, expires: expires)
        }
    }

    /// A session was used.
    func touchSession(tokenHash: [UInt8]) async throws {
        let now = self.now
        try await database.write { db in
            try db.execute(
                sql: "UPDATE sessions SET lastUsed = ? WHERE tokenHash = ?", arguments: [now, tokenHash.data])
        }
    }

    /// Ends a session for good.
    func removeSession(tokenHash: [UInt8]) async throws {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM sessions WHERE tokenHash = ?", arguments: [tokenHash.data])
        }
    }
}
