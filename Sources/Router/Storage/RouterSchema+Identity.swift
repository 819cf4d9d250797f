import GRDB

extension RouterSchema {
    /// Step "3": what is known of sessions, and of devices' identities.
    ///
    /// Sessions from before end: it is not known when their code was given.
    static func addIdentity(_ db: Database) throws {
        try db.execute(
            sql: """
                -- Times are on the wall clock and, as ...At, on the router's own clock of one boot.
                DROP TABLE sessions;
                CREATE TABLE sessions (
                    tokenHash BLOB PRIMARY KEY,
                    owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
                    name TEXT NOT NULL, source TEXT NOT NULL, agent TEXT NOT NULL, boot BLOB NOT NULL,
                    begun INTEGER NOT NULL, begunAt INTEGER NOT NULL,
                    used INTEGER NOT NULL, usedAt INTEGER NOT NULL,
                    proved INTEGER NOT NULL, provedAt INTEGER NOT NULL,
                    UNIQUE (owner, name)) WITHOUT ROWID;

                -- The key that a device had before its present one, good until the new one has been used; how often it
                -- has connected, by its own count (NULL: it has never said); when its owner revoked it, by the wall
                -- clock; why its commands are withheld; and which entry of the audit log it was told of.
                ALTER TABLE devices ADD COLUMN previousKey BLOB;
                ALTER TABLE devices ADD COLUMN connects INTEGER;
                ALTER TABLE devices ADD COLUMN revoked INTEGER;
                ALTER TABLE devices ADD COLUMN alarm TEXT;
                ALTER TABLE devices ADD COLUMN auditEntry INTEGER;
                ALTER TABLE devices ADD COLUMN auditHash BLOB;
                ALTER TABLE devices ADD COLUMN auditTold INTEGER;
                CREATE UNIQUE INDEX devicePreviousKeys ON devices (previousKey) WHERE previousKey IS NOT NULL;

                -- Keys that their owners revoked: nobody comes in with one of them again, under whatever name.
                CREATE TABLE revokedKeys (
                    key BLOB PRIMARY KEY, owner INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE) WITHOUT ROWID;

                -- The last enrolment with an account that there is not, or that is full: nobody reads it, but writing it
                -- takes as long as writing one that waits.
                CREATE TABLE nobodysEnrolment (
                    id INTEGER PRIMARY KEY, device TEXT NOT NULL, key BLOB NOT NULL, since INTEGER NOT NULL);
                """)
    }
}
