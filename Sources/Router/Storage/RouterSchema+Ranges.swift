import DeviceModel
import GRDB

extension RouterSchema {
    /// Step "2": ranges of numbers in the place of watermarks, gaps that say how much and when, dates by the devices'
    /// clocks, and what came twice.
    static func addRanges(_ db: Database) throws {
        try db.execute(
            sql: """
                -- The numbers that are here as observations, or named by a gap: a row for each range of them, and a hole
                -- between each and the next. Since there is this table the columns through and last of streams are 0
                -- and mean nothing; streams is the list of the epochs, in the order in which they were heard of.
                CREATE TABLE received (
                    device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                    stream TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                    PRIMARY KEY (device, stream, epoch, first)) WITHOUT ROWID;

                -- How many observations are missing (NULL: nobody knows), and from when until when.
                ALTER TABLE gaps ADD COLUMN count INTEGER;
                ALTER TABLE gaps ADD COLUMN since INTEGER;
                ALTER TABLE gaps ADD COLUMN until INTEGER;

                -- Numbers that came again with another content: how often, and when by the router's wall clock.
                CREATE TABLE conflicts (
                    device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                    stream TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
                    times INTEGER NOT NULL, firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL,
                    PRIMARY KEY (device, stream, epoch, sequence)) WITHOUT ROWID;

                -- By how much the wall clock was ahead of the device's own in a boot, once it was synchronised. What has
                -- a greater id than undated is not dated by it yet (NULL: all is).
                CREATE TABLE clocks (
                    id INTEGER PRIMARY KEY,
                    device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
                    boot BLOB NOT NULL, offset INTEGER NOT NULL, undated INTEGER,
                    UNIQUE (device, boot));
                CREATE INDEX clocksUndated ON clocks (device) WHERE undated IS NOT NULL;

                -- When it was observed as far as is known now: wall, or at + offset where wall was not synchronised and
                -- the offset of the boot is known. Always filled, so that one column of an index is enough to look for
                -- a time and to sort by it.
                ALTER TABLE observations ADD COLUMN dated INTEGER NOT NULL DEFAULT 0;
                UPDATE observations SET dated = wall;
                DROP INDEX observationHistory;
                CREATE INDEX observationHistory ON observations (device, component, name, kind, epoch, sequence, dated);
                CREATE INDEX observationTimes ON observations (device, component, dated, sequence);
                CREATE INDEX observationUndated ON observations (device, boot) WHERE synced = 0;
                """)
        for stream in try Row.fetchAll(db, sql: "SELECT device, stream, epoch, through FROM streams") {
            let place: StatementArguments = [
                stream["device"] as Int64, stream["stream"] as String, stream["epoch"] as Int64,
            ]
            try fillRanges(db, place, through: stream["through"])
        }
        try db.execute(sql: "UPDATE streams SET through = 0, last = 0")
    }

    /// Fills the ranges of an epoch, and cuts its gaps down to what is missing: once that was not done.
    private static func fillRanges(_ db: Database, _ place: StatementArguments, through: Int64) throws {
        var stored = SequenceRanges()
        let numbers = try Int64.fetchCursor(
            db,
            sql: """
                SELECT sequence FROM observations
                WHERE device = ? AND stream = ? AND epoch = ? AND sequence > 0 ORDER BY sequence
                """, arguments: place)
        while let number = try numbers.next() { stored.insert(UInt64(number)...UInt64(number)) }

        var known = stored
        let gaps = try Row.fetchAll(
            db,
            sql: """
                SELECT first, last, reason FROM gaps WHERE device = ? AND stream = ? AND epoch = ? ORDER BY first
                """, arguments: place)
        try db.execute(sql: "DELETE FROM gaps WHERE device = ? AND stream = ? AND epoch = ?", arguments: place)
        for gap in gaps {
            let (first, last) = (gap["first"] as Int64, gap["last"] as Int64)
            guard first > 0, last >= first else { continue }
            let named = UInt64(first)...UInt64(last)
            for part in SequenceRanges([named]).subtracting(known).ranges {
                try db.execute(
                    sql: """
                        INSERT INTO gaps (device, stream, epoch, first, last, reason, count) VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: place + [
                        Int64(part.lowerBound), Int64(part.upperBound), gap["reason"] as String,
                        Int64(part.upperBound - part.lowerBound) + 1,
                    ])
            }
            known.insert(named)
        }
        known.formUnion(SequenceRanges(through: UInt64(max(0, through))))
        for range in known.ranges {
            try db.execute(
                sql: "INSERT INTO received (device, stream, epoch, first, last) VALUES (?, ?, ?, ?, ?)",
                arguments: place + [Int64(range.lowerBound), Int64(range.upperBound)])
        }
    }
}
