import CSQLite
public import DeviceModel
public import DeviceManager

/// The agent's SQLite database: the outbox and the log of commands.
///
/// An actor because there is one connection that all share, and its calls wait for the disk: they run on a thread of
/// their own. WAL with `synchronous=FULL`: what was committed is there after a power cut (sqlite.org/wal.html,
/// sqlite.org/pragma.html#pragma_synchronous).
public actor Store: Outbox, CommandLog {
    /// How much is kept, and for how long.
    public struct Bounds: Hashable, Sendable {
        /// How big the database may grow, in bytes; then the oldest readings go.
        public var size: Int
        /// How long observations are kept that nobody has acknowledged.
        public var age: Duration
        /// Whether somebody is told of what went: there is a router.
        public var namesGaps: Bool

        /// Bounds.
        public init(size: Int, age: Duration, namesGaps: Bool) {
            self.size = size
            self.age = age
            self.namesGaps = namesGaps
        }
    }

    /// One stream, as far as it has come.
    struct Stream {
        var epoch: UInt64
        var next: UInt64
    }

    let database: SQLite
    let path: String
    let bounds: Bounds
    let time: any TimeSource
    var streams: [StreamName: Stream] = [:]
    /// The number of this boot in the table of boots.
    let bootRow: Int64
    /// The last row of the runs before this one.
    let lastOldRow: Int64
    /// Why the last write failed; nil: it did not.
    var problem: String?

    private let executor = BlockingExecutor(label: "m2m.store")

    /// Opens the database, made when it is not there.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - bounds: How much is kept.
    ///   - time: The clock.
    /// - Throws: ``StoreError``.
    public init(path: String, bounds: Bounds, time: any TimeSource) throws(StoreError) {
        self.path = path
        self.bounds = bounds
        self.time = time
        database = try SQLite(path: path)
        try StoreSchema.prepare(database)
        bootRow = try Self.row(of: time.boot, database)
        let last = try database.first("SELECT seq FROM sqlite_sequence WHERE name = 'observations'") { $0.integer(0) }
        lastOldRow = last ?? 0
        streams = try Self.readStreams(database)
    }

    /// The thread on which everything here runs.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Writes, and remembers what goes wrong for whoever asks how the store is.
    func writing<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        do throws(StoreError) {
            let result = try body()
            problem = nil
            return result
        } catch {
            problem = error.description
            throw error
        }
    }

    private static func row(of boot: BootID, _ database: SQLite) throws(StoreError) -> Int64 {
        try database.run("INSERT OR IGNORE INTO boots (boot) VALUES (?)", [.blob(boot.bytes)])
        return try database.first("SELECT id FROM boots WHERE boot = ?", [.blob(boot.bytes)]) { $0.integer(0) } ?? 0
    }

    private static func readStreams(_ database: SQLite) throws(StoreError) -> [StreamName: Stream] {
        var streams: [StreamName: Stream] = [:]
        for name in StreamName.allCases {
            let known = try database.first("SELECT epoch, next FROM streams WHERE name = ?", [.text(name.rawValue)]) {
                Stream(epoch: UInt64(bitPattern: $0.integer(0)), next: UInt64(bitPattern: $0.integer(1)))
            }
            if let known { streams[name] = known } else { streams[name] = try beginEpoch(of: name, database) }
        }
        return streams
    }

    /// Begins a new epoch of a stream, with a random number that no epoch had before.
    static func beginEpoch(of name: StreamName, _ database: SQLite) throws(StoreError) -> Stream {
        let stream = Stream(epoch: UInt64.random(in: 1...(.max)), next: 1)
        try database.transaction { () throws(StoreError) in
            try database.run(
                "INSERT INTO streams (name, epoch, next) VALUES (?, ?, 1) "
                    + "ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, next = 1",
                [.text(name.rawValue), .bits(stream.epoch)])
            try database.run(
                "INSERT INTO epochs (stream, epoch) VALUES (?, ?)", [.text(name.rawValue), .bits(stream.epoch)])
        }
        return stream
    }
}

/// The tables.
///
/// They only grow: a later version adds a step and changes none.
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
        """
    ]

    static func prepare(_ database: SQLite) throws(StoreError) {
        // Before anything else: an agent that is just ending may still be closing the file.
        try database.execute("PRAGMA busy_timeout = 2000")
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute("PRAGMA synchronous = FULL")
        try database.execute("PRAGMA journal_size_limit = 1048576")
        // 1 MiB, not SQLite's 4: small disks have no room for a journal that is bigger than what is in it.
        try database.execute("PRAGMA wal_autocheckpoint = 250")
        let version = Int(try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0)
        for (index, step) in steps.enumerated().dropFirst(version) {
            try database.transaction { () throws(StoreError) in
                try database.execute(step)
                try database.execute("PRAGMA user_version = \(index + 1)")
            }
        }
    }
}
