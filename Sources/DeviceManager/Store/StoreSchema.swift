/// The tables of the agent's database.
///
/// Tables and columns only grow: a later version adds a step and changes none, so that a version before it finds what it
/// knows.
enum StoreSchema {
    private static let steps = [
        """
        CREATE TABLE boots (id INTEGER PRIMARY KEY, boot BLOB NOT NULL UNIQUE);
        CREATE TABLE streams (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE epochs (stream TEXT NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (stream, epoch)) WITHOUT ROWID;
        CREATE TABLE observations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            stream TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
            boot INTEGER NOT NULL, at INTEGER NOT NULL, wall INTEGER NOT NULL, synced INTEGER NOT NULL,
            kind INTEGER NOT NULL, component TEXT NOT NULL, name TEXT NOT NULL,
            type TEXT, value, quality TEXT, reason TEXT, command TEXT, status TEXT);
        CREATE INDEX observationNumbers ON observations (stream, epoch, sequence);
        CREATE INDEX observationAges ON observations (wall) WHERE synced = 1;
        CREATE TABLE gaps (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            stream TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            reason TEXT NOT NULL);
        CREATE TABLE commands (
            id TEXT PRIMARY KEY, at INTEGER NOT NULL, component TEXT NOT NULL, action TEXT NOT NULL,
            finished INTEGER NOT NULL) WITHOUT ROWID;
        """,
        // What is acknowledged, the clock of each boot, how a run ended, and more of each gap.
        """
        ALTER TABLE boots ADD COLUMN offset INTEGER;
        ALTER TABLE streams ADD COLUMN committed INTEGER;
        ALTER TABLE streams ADD COLUMN thinned INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE gaps ADD COLUMN count INTEGER;
        ALTER TABLE gaps ADD COLUMN since INTEGER;
        ALTER TABLE gaps ADD COLUMN until INTEGER;
        ALTER TABLE gaps ADD COLUMN isAcknowledged INTEGER NOT NULL DEFAULT 0;
        UPDATE gaps SET count = last - first + 1;
        CREATE INDEX observationStreams ON observations (stream);
        DROP INDEX observationAges;
        CREATE TABLE runs (id INTEGER PRIMARY KEY CHECK (id = 1), isGoingOn INTEGER NOT NULL);
        INSERT INTO runs VALUES (1, 0);
        CREATE TABLE acknowledged (
            stream TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            PRIMARY KEY (stream, epoch, first)) WITHOUT ROWID;
        INSERT INTO acknowledged
            SELECT stream, epoch, 1, oldest - 1 FROM (
                SELECT s.name AS stream, s.epoch AS epoch, min(
                    ifnull((SELECT min(sequence) FROM observations o WHERE o.stream = s.name AND o.epoch = s.epoch),
                        s.next),
                    ifnull((SELECT min(first) FROM gaps g WHERE g.stream = s.name AND g.epoch = s.epoch), s.next)
                ) AS oldest FROM streams s)
            WHERE oldest > 1;
        """,
        // Which commands came last, without a look at each.
        """
        CREATE INDEX commandOrder ON commands (at);
        """,
    ]

    /// Prepares a database that was opened.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - isChecked: Whether all of it has been looked through before: that takes long.
    /// - Throws: ``StoreError``.
    static func prepare(_ database: SQLite, isChecked: Bool) throws(StoreError) {
        // Before anything else: an agent that is just ending may still be closing the file.
        try database.execute("PRAGMA busy_timeout = 2000")
        try database.execute("PRAGMA journal_mode = WAL")
        // What was committed is there after a power cut (sqlite.org/pragma.html#pragma_synchronous).
        try database.execute("PRAGMA synchronous = FULL")
        try database.execute("PRAGMA journal_size_limit = 1048576")
        // 1 MiB, not SQLite's 4: small disks have no room for a journal that is bigger than what is in it.
        try database.execute("PRAGMA wal_autocheckpoint = 250")
        if !isChecked { try check(database) }
        let version = Int(try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0)
        for (index, step) in steps.enumerated().dropFirst(version) {
            try database.transaction { () throws(StoreError) in
                try database.execute(step)
                try database.execute("PRAGMA user_version = \(index + 1)")
            }
        }
        if !isChecked { try checkNumbers(database) }
    }

    /// Looks for numbers that were never given, and values that were never observed: a bit that has changed on the disk.
    private static func checkNumbers(_ database: SQLite) throws(StoreError) {
        let nonsense = [
            "streams": "next < 1 OR next > \(Self.lastNumber)",
            "observations": "sequence < 1 OR sequence > \(Self.lastNumber) OR value IN (9e999, -9e999)",
            // The router may have named any number there is, of an epoch that is over.
            "gaps": "first < 1 OR last < first OR count < 0", "acknowledged": "first < 1 OR last < first",
        ]
        for (table, condition) in nonsense {
            let found = try database.first("SELECT 1 FROM \(table) WHERE \(condition) LIMIT 1") { _ in true }
            if found == true { throw database.damage("\(table) holds what nobody can have written") }
        }
    }

    /// Nobody comes that far: a thousand numbers a second for a hundred million years.
    private static let lastNumber = Int64.max / 2

    /// Looks at every page and what is in it (sqlite.org/pragma.html#pragma_quick_check).
    private static func check(_ database: SQLite) throws(StoreError) {
        let word = try database.first("PRAGMA quick_check(1)") { $0.text(0) }
        if let word, word != "ok" { throw database.damage(word) }
    }
}
