import DeviceManager
import DeviceModel
import Glibc

/// The agent's database while it is open: every statement that there is, for one thread at a time.
///
/// WAL with `synchronous=FULL`: what was committed is there after a power cut (sqlite.org/wal.html). Clocks and chance
/// are given to it, so that it does the same again where those are the same.
final class StoreDatabase {
    /// What is around it.
    struct Surroundings: Sendable {
        var bounds: Store.Bounds
        var time: any TimeSource
        /// 64 random bits, other ones each time.
        var newEpoch: @Sendable () -> UInt64
    }

    /// One stream, as far as it has come.
    struct Stream {
        var epoch: UInt64
        /// The number that comes next.
        var next: UInt64
        /// The number with which this run has begun in the epoch.
        var start: UInt64
        /// When something was stored before this run; nil: never.
        var committed: WallTime?
        /// Whether the epoch was begun in this run: its numbers were never used for anything else.
        var isFresh = false
    }

    let sqlite: SQLite
    let surroundings: Surroundings
    var streams: [StreamName: Stream] = [:]
    /// The number of this boot in the table of boots.
    let bootRow: Int64
    /// The clock of this boot.
    var clock = BootClock()
    /// When it was opened; nil: the clock was not right then.
    let openedAt: WallTime?
    /// Whether it has taken the place of one that was damaged.
    let isReplacement: Bool
    /// The streams in which it is told already that this database has taken the place of another one.
    var replacementTold: Set<StreamName>
    /// The newest gap of which was told whoever wants to know of gaps.
    var toldGap: Int64
    /// How many observations there are.
    var kept = 0
    /// How many were dropped since it was opened, to keep it in its bounds.
    var dropped = 0
    /// What the router has, and that is not written down yet.
    var arrived: [StreamReception] = []
    /// Among these there may be something that the router can't read: each goes alone.
    var doubted: [StreamReception] = []
    /// What has been thinned out so far, where that is wanted.
    var thinning = Thinning()

    var bounds: Store.Bounds { surroundings.bounds }
    var time: any TimeSource { surroundings.time }

    /// Opens a database, made when it is not there; one that is damaged is set aside, and another one begun.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - surroundings: What is around it.
    ///   - before: What it comes after; what it has to tell of that is told once it is open.
    /// - Returns: The database.
    /// - Throws: ``StoreError``.
    static func open(
        _ path: String, _ surroundings: Surroundings, after before: inout Before
    ) throws(StoreError) -> StoreDatabase {
        var database: StoreDatabase
        do throws(StoreError) {
            database = try StoreDatabase(path, surroundings, &before)
        } catch {
            guard error.isDamage, setAside(path) else { throw error }
            (before.isDamaged, before.isChecked) = (true, false)
            database = try StoreDatabase(path, surroundings, &before)
        }
        try database.nameWhatNobodyHeardOf()
        before = Before(isChecked: true, wasCutOff: false)
        return database
    }

    /// What a database comes after.
    struct Before {
        /// One that was damaged, and is set aside.
        var isDamaged = false
        /// Whether this process has looked through all of it.
        var isChecked = false
        /// How far readers of the outbox have come: one that is begun anew goes on behind that.
        var reached = OutboxCursor.start
        /// The same one, that this process had open, and how far it was: whoever writes has kept what it did not take.
        var streams: [StreamName: Stream]?
        /// Whether a run was cut off before this process had a look; nil: it had none yet.
        var wasCutOff: Bool?
    }

    /// Puts a damaged database where somebody may look at it: beside, in the place of the last one of that kind.
    ///
    /// - Returns: Whether it is out of the way.
    static func setAside(_ path: String) -> Bool {
        for suffix in ["-wal", "-shm"] { rename(path + suffix, "\(path).damaged\(suffix)") }
        return rename(path, "\(path).damaged") == 0
    }

    private init(_ path: String, _ surroundings: Surroundings, _ before: inout Before) throws(StoreError) {
        self.surroundings = surroundings
        let (sqlite, time) = (try SQLite(path: path), surroundings.time)
        self.sqlite = sqlite
        try StoreSchema.prepare(sqlite, isChecked: before.isChecked)
        before.isChecked = true
        let openedAt = time.isWallSynchronised ? time.wall : nil
        (self.openedAt, isReplacement) = (openedAt, before.isDamaged)
        replacementTold = before.isDamaged ? Set(StreamName.allCases) : []
        let isGoingOn = try sqlite.first("SELECT isGoingOn FROM runs") { $0.integer(0) != 0 } ?? false
        // What this process itself has begun, in a commit that was reported as failed, was not cut off.
        before.wasCutOff = before.wasCutOff ?? isGoingOn
        let after = before
        toldGap = try sqlite.first("SELECT max(id) FROM gaps") { $0.integer(0) } ?? 0
        // In one transaction, so that a crash in between is told in the next run or not begun.
        (bootRow, streams) = try sqlite.transaction { () throws(StoreError) in
            try Self.begin(after, at: openedAt, sqlite, surroundings)
        }
        kept = Int(try sqlite.first("SELECT count(*) FROM observations") { $0.integer(0) } ?? 0)
        let offset = try sqlite.first("SELECT offset FROM boots WHERE id = ?", [.integer(bootRow)]) {
            $0.isNull(0) ? nil : Duration.nanoseconds($0.integer(0))
        }
        clock = BootClock(offset: offset ?? nil)
    }

    /// Begins a run.
    ///
    /// - Returns: The row of the present boot, and the streams.
    private static func begin(
        _ before: Before, at openedAt: WallTime?, _ sqlite: SQLite, _ surroundings: Surroundings
    ) throws(StoreError) -> (boot: Int64, streams: [StreamName: Stream]) {
        let bytes = surroundings.time.boot.bytes
        try sqlite.run("INSERT OR IGNORE INTO boots (boot) VALUES (?)", [.blob(bytes)])
        let boot = try sqlite.first("SELECT id FROM boots WHERE boot = ?", [.blob(bytes)]) { $0.integer(0) }
        try sqlite.run("UPDATE runs SET isGoingOn = 1")
        if before.isDamaged { try count(from: before.reached, sqlite) }
        let newest = try sqlite.first("SELECT max(committed) FROM streams") {
            $0.isNull(0) ? nil : WallTime(nanoseconds: $0.integer(0))
        }
        var streams: [StreamName: Stream] = [:]
        for name in StreamName.allCases {
            var stream = try Self.stream(name, sqlite, surroundings)
            if let known = before.streams?[name] { try takeBack(to: known, name, &stream, sqlite) }
            if before.isDamaged {
                try insertUnknown(
                    .storeDamaged, since: stream.committed, until: openedAt, in: name, &stream, sqlite)
            } else if before.wasCutOff == true, before.streams?[name] == nil {
                // What had not been committed yet came after all that was, of whatever stream.
                try insertUnknown(.uncleanStop, since: newest ?? nil, until: openedAt, in: name, &stream, sqlite)
            }
            streams[name] = stream
        }
        return (boot ?? 0, streams)
    }

    /// A stream as it was left, begun where there is none.
    private static func stream(
        _ name: StreamName, _ sqlite: SQLite, _ surroundings: Surroundings
    ) throws(StoreError) -> Stream {
        let known = try sqlite.first(
            "SELECT epoch, next, committed FROM streams WHERE name = ?", [.text(name.rawValue)]
        ) { row in
            let next = UInt64(bitPattern: row.integer(1))
            return Stream(
                epoch: UInt64(bitPattern: row.integer(0)), next: next, start: next,
                committed: row.isNull(2) ? nil : WallTime(nanoseconds: row.integer(2)))
        }
        if let known { return known }
        return try beginEpoch(of: name, sqlite, surroundings)
    }

    /// Takes back what a commit has left that was reported as failed, and was done all the same.
    ///
    /// Whoever wrote it has kept it, and writes it again: it must not be there twice. Nobody has seen its numbers.
    private static func takeBack(
        to known: Stream, _ name: StreamName, _ stream: inout Stream, _ sqlite: SQLite
    ) throws(StoreError) {
        guard stream.epoch == known.epoch else { return }
        let unseen: [SQLiteValue] = [.text(name.rawValue), .bits(known.epoch), .bits(known.next)]
        if stream.next > known.next {
            try sqlite.run("DELETE FROM observations WHERE stream = ? AND epoch = ? AND sequence >= ?", unseen)
            try sqlite.run("DELETE FROM gaps WHERE stream = ? AND epoch = ? AND first >= ?", unseen)
            // One that began before names no more than what was there then.
            try sqlite.run(
                "UPDATE gaps SET count = count - (last - ?3 + 1), last = ?3 - 1 "
                    + "WHERE stream = ?1 AND epoch = ?2 AND last >= ?3", unseen)
            try sqlite.run(
                "UPDATE streams SET next = ? WHERE name = ?", [.bits(known.next), .text(name.rawValue)])
        }
        (stream.next, stream.start) = (min(stream.next, known.next), known.start)
        (stream.committed, stream.isFresh) = (known.committed, known.isFresh)
    }

    /// Begins a new epoch of a stream, with a random number that no epoch had before.
    static func beginEpoch(
        of name: StreamName, _ sqlite: SQLite, _ surroundings: Surroundings
    ) throws(StoreError) -> Stream {
        let stream = Stream(epoch: surroundings.newEpoch(), next: 1, start: 1, isFresh: true)
        try sqlite.run(
            "INSERT INTO streams (name, epoch, next) VALUES (?, ?, 1) "
                + "ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, next = 1",
            [.text(name.rawValue), .bits(stream.epoch)])
        try sqlite.run(
            "INSERT INTO epochs (stream, epoch) VALUES (?, ?)", [.text(name.rawValue), .bits(stream.epoch)])
        return stream
    }

    /// Names that something is missing of which nobody knows how much: a number of its own stands for it.
    static func insertUnknown(
        _ reason: GapReason, since: WallTime?, until: WallTime?, in name: StreamName, _ stream: inout Stream,
        _ sqlite: SQLite
    ) throws(StoreError) {
        let gap = Gap(
            stream: name, epoch: stream.epoch, first: stream.next, last: stream.next, count: nil, reason: reason,
            since: since, until: until)
        try sqlite.insert(gap)
        stream.next += 1
        try sqlite.run(
            "UPDATE streams SET next = ? WHERE name = ?", [.bits(stream.next), .text(name.rawValue)])
    }

    /// Lets rows be counted on, so that whoever reads behind a place finds all that is new.
    private static func count(from place: OutboxCursor, _ sqlite: SQLite) throws(StoreError) {
        try sqlite.run("DELETE FROM sqlite_sequence")
        try sqlite.run(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('observations', ?), ('gaps', ?)",
            [.integer(place.row), .integer(place.gap)])
    }

    /// Names what went while there was no router that could have missed it, and now there is one.
    private func nameWhatNobodyHeardOf() throws(StoreError) {
        guard bounds.hasRouter else { return }
        for (name, stream) in streams where stream.next > 1 {
            guard try acknowledged(name, stream.epoch).isEmpty else { continue }
            let holes = SequenceRanges(through: stream.next - 1).subtracting(try kept(name, stream.epoch))
            guard !holes.isEmpty else { continue }
            try sqlite.transaction { () throws(StoreError) in
                for range in holes.ranges {
                    try sqlite.insert(Gap(range, of: name, epoch: stream.epoch, reason: .noRouter))
                }
            }
        }
    }

    /// This run has come to its end: all that was observed is stored.
    func finish() throws(StoreError) {
        try sqlite.run("UPDATE runs SET isGoingOn = 0")
    }

    /// The size of the file, in bytes.
    func bytes() throws(StoreError) -> Int {
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return Int(try sqlite.first(size) { $0.integer(0) } ?? 0)
    }
}

/// The wall clock of one boot, held against the device's own clock.
///
/// A plain value.
struct BootClock {
    /// By how much it is ahead of the device's own, by the newest word of it while it was synchronised; nil: none.
    private(set) var offset: Duration?
    /// Since when it has said the same, as far as this run has seen; nil: it has not been synchronised yet.
    private var steadySince: MonotonicTime?

    /// What a clock drifts, and steps, without any harm to what was dated by it.
    static let tolerance: Duration = .milliseconds(100)
    /// From when on a step says that the clock is wrong, or was.
    static let jump: Duration = .seconds(60)
    /// For how long it has to say the same until it is believed when it says that something is old.
    static let probation: Duration = .seconds(3_600)

    init(offset: Duration? = nil) {
        self.offset = offset
    }

    /// Something was dated.
    ///
    /// - Returns: Whether the clock is another one than was known.
    mutating func see(_ time: Timestamp) -> Bool {
        guard time.isSynchronised else { return false }
        let new = Duration.nanoseconds(time.wall.nanoseconds) - .nanoseconds(time.monotonic.nanoseconds)
        let step = offset.map { new > $0 ? new - $0 : $0 - new }
        steadySince = steadySince ?? time.monotonic
        guard step.map({ $0 > Self.tolerance }) ?? true else { return false }
        if let step, step > Self.jump { steadySince = time.monotonic }
        offset = new
        return true
    }

    /// Whether it is believed when it says that something from before this boot is old: a clock that is wrong for a
    /// while after the start must not cost what was observed.
    func isTrusted(at now: MonotonicTime) -> Bool {
        steadySince.map { now - $0 >= Self.probation } ?? false
    }
}
