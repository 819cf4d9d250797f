import GRDB

extension RouterSchema {
    /// Step "4": what the files of devices are meant to be.
    static func addIntegrity(_ db: Database) throws {
        try db.execute(
            sql: """
                -- What was approved (a root, how often, the files themselves, when and by whom), and what is about to be:
                -- that counts from the moment on in which the device has it. Where nothing was approved, the root with
                -- which the device came first. What the owner wants to be done about a change, and what the device says
                -- that it does. Why the device is disabled, and what its baseline is not.
                CREATE TABLE integrity (
                    device INTEGER PRIMARY KEY REFERENCES devices(id) ON DELETE CASCADE,
                    root BLOB, counter INTEGER NOT NULL DEFAULT 0, files BLOB, approved INTEGER, approvedBy TEXT,
                    nextRoot BLOB, nextFiles BLOB, nextBy TEXT,
                    seenRoot BLOB, wanted TEXT, response TEXT, disabled TEXT, objection TEXT);
                """)
    }

    /// Step "5": until when the owner lets a device collect changes.
    static func addWindowEnd(_ db: Database) throws {
        try db.execute(sql: "ALTER TABLE integrity ADD COLUMN windowEnd INTEGER")
    }
}
