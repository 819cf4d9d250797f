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

    /// Whether somebody has logged in to an account from an address before: so far as their last session is known.
    func hasSession(_ name: String, from source: String) async throws -> Bool {
        try await database.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT 1 FROM sessions s JOIN accounts a ON a.id = s.owner WHERE a.name = ? AND s.source = ?",
                arguments: [name, source]) ?? false
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

    /// A code is going to be looked at: until it has proved right it counts as a wrong one.
    ///
    /// A disk that takes nothing, or an end of the program, gives nobody another guess.
    func countCode(_ owner: Owner) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE accounts SET wrongCodes = wrongCodes + 1, isLocked = isLocked OR wrongCodes >= ? WHERE id = ?
                    """, arguments: [Self.wrongCodeLimit, owner.id])
        }
    }

    /// The code that was counted was wrong.
    ///
    /// - Returns: Whether the account is locked now, by this one or before.
    func lockIfDue(_ owner: Owner) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE accounts SET isLocked = isLocked OR wrongCodes >= ? WHERE id = ?",
                arguments: [Self.wrongCodeLimit, owner.id])
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

    /// Gives an account other secrets, which opens it, and ends all its sessions.
    ///
    /// - Returns: Whether there is one.
    func changeSecrets(_ name: String, password: SecretHasher.Hash, code: SecretHasher.Hash) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE accounts SET password = ?, code = ?, wrongCodes = 0, isLocked = 0 WHERE name = ?",
                arguments: [password.bytes.data, code.bytes.data, name])
            guard db.changesCount > 0 else { return false }
            try db.execute(
                sql: "DELETE FROM sessions WHERE owner = (SELECT id FROM accounts WHERE name = ?)", arguments: [name])
            return true
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
}
