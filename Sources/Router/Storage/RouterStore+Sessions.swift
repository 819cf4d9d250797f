import DeviceModel
import FoundationEssentials
import GRDB

extension RouterStore {
    /// Keeps a session that begins, and forgets those that are over.
    func add(_ session: Session) async throws {
        let old = (session.begun.wall - Session.lifetime).nanoseconds
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM sessions WHERE begun < ? AND owner = ?", arguments: [old, session.owner.id])
            try db.execute(
                sql: """
                    INSERT INTO sessions (tokenHash, owner, name, source, agent, boot, begun, begunAt, used, usedAt,
                        proved, provedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session.tokenHash.data, session.owner.id, session.name, session.source, session.agent,
                    session.begun.boot.bytes.data, session.begun.wall.nanoseconds, session.begun.monotonic.nanoseconds,
                    session.used.wall.nanoseconds, session.used.monotonic.nanoseconds, session.proved.wall.nanoseconds,
                    session.proved.monotonic.nanoseconds,
                ])
        }
    }

    /// The session of a token, whoever's it is: this is how a person says who they are; nil: there is none, or no more.
    func session(tokenHash: [UInt8]) async throws -> Session? {
        let now = time.timestamp
        let session = try await database.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT s.*, a.name AS ownerName FROM sessions s JOIN accounts a ON a.id = s.owner
                    WHERE s.tokenHash = ?
                    """, arguments: [tokenHash.data]
            ).flatMap(Session.init)
        }
        guard let session, session.isOver(at: now) else { return session }
        // Once and for all: the clock by which it is over may be set back.
        do {
            try await removeSession(of: session.owner, tokenHash: tokenHash)
        } catch is DatabaseError {
            // A disk that takes nothing makes it no younger.
        }
        return nil
    }

    /// Somebody's sessions that are not over, the oldest first.
    func sessions(of owner: Owner) async throws -> [Session] {
        let now = time.timestamp
        return try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT s.*, a.name AS ownerName FROM sessions s JOIN accounts a ON a.id = s.owner
                    WHERE s.owner = ? ORDER BY s.begun, s.name
                    """, arguments: [owner.id]
            ).compactMap(Session.init)
        }.filter { !$0.isOver(at: now) }
    }

    /// Notes when a session was used, and when its code was given.
    ///
    /// - Returns: Whether there still is such a session.
    func update(_ session: Session) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE sessions SET boot = ?, begunAt = ?, used = ?, usedAt = ?, proved = ?, provedAt = ?
                    WHERE tokenHash = ? AND owner = ?
                    """,
                arguments: [
                    session.begun.boot.bytes.data, session.begun.monotonic.nanoseconds, session.used.wall.nanoseconds,
                    session.used.monotonic.nanoseconds, session.proved.wall.nanoseconds,
                    session.proved.monotonic.nanoseconds, session.tokenHash.data, session.owner.id,
                ])
            return db.changesCount > 0
        }
    }

    /// Ends one of somebody's sessions for good.
    func removeSession(of owner: Owner, tokenHash: [UInt8]) async throws {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM sessions WHERE tokenHash = ? AND owner = ?", arguments: [tokenHash.data, owner.id])
        }
    }
}

extension Session {
    /// Reads a row; nil where it makes no sense.
    fileprivate init?(_ row: Row) {
        guard let boot = BootID(bytes: row.bytes("boot")) else { return nil }
        func time(_ wall: String, _ monotonic: String) -> Timestamp {
            Timestamp(
                boot: boot, monotonic: MonotonicTime(nanoseconds: row[monotonic]),
                wall: WallTime(nanoseconds: row[wall]), isSynchronised: true)
        }
        self.init(
            tokenHash: row.bytes("tokenHash"),
            owner: RouterStore.Owner(id: row["owner"], name: row["ownerName"]), name: row["name"],
            source: row["source"], agent: row["agent"], begun: time("begun", "begunAt"), used: time("used", "usedAt"),
            proved: time("proved", "provedAt"))
    }
}
