import GRDB

/// The router's tables.
///
/// A later version adds a step and changes none.
enum RouterSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE accounts (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
                        password BLOB NOT NULL, code BLOB NOT NULL,
                        wrongCodes INTEGER NOT NULL DEFAULT 0, isLocked INTEGER NOT NULL DEFAULT 0,
                        created INTEGER NOT NULL);

                    CREATE TABLE sessions (
                        tokenHash BLOB PRIMARY KEY,
                        owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
                        created INTEGER NOT NULL, lastUsed INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;

                    CREATE TABLE devices (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
                        name TEXT NOT NULL, key BLOB NOT NULL UNIQUE, description BLOB,
                        created INTEGER NOT NULL, lastSeen INTEGER,
                        UNIQUE (owner, name));

                    CREATE TABLE claims (
                        secretHash BLOB PRIMARY KEY,
                        owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
                        device TEXT NOT NULL, expires INTEGER NOT NULL, isUsed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

                    CREATE TABLE pending (
                        owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
                        device TEXT NOT NULL, key BLOB NOT NULL, since INTEGER NOT NULL,
                        PRIMARY KEY (owner, device, key)) WITHOUT ROWID;

                    CREATE TABLE streams (
                        id INTEGER PRIMARY KEY,
                        device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                        stream TEXT NOT NULL, epoch INTEGER NOT NULL,
                        through INTEGER NOT NULL, last INTEGER NOT NULL,
                        UNIQUE (device, stream, epoch));

                    CREATE TABLE observations (
                        id INTEGER PRIMARY KEY,
                        device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                        stream TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
                        boot BLOB NOT NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, synced INTEGER NOT NULL,
                        kind INTEGER NOT NULL, component TEXT NOT NULL, name TEXT NOT NULL,
                        type TEXT, value, quality TEXT, reason TEXT, command TEXT, status TEXT);
                    CREATE UNIQUE INDEX observationNumbers ON observations (device, stream, epoch, sequence);
                    CREATE INDEX observationHistory ON observations (device, component, name, kind, epoch, sequence, wall);

                    CREATE TABLE gaps (
                        device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                        stream TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                        reason TEXT NOT NULL,
                        PRIMARY KEY (device, stream, epoch, first)) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2", migrate: RouterSchema.addRanges)
        migrator.registerMigration("3", migrate: RouterSchema.addIdentity)
        migrator.registerMigration("4", migrate: RouterSchema.addIntegrity)
        migrator.registerMigration("5", migrate: RouterSchema.addWindowEnd)
        return migrator
    }
}
