import DeviceModel
import GRDB
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: a database of an older version opens, keeps everything, and goes on where it was.
@Suite(.timeLimit(.minutes(1))) struct RouterSchemaTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    /// The tables as version 1 made them, word by word; those of which nothing has changed since are left out of the data.
    private static let firstVersion = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1');
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

        INSERT INTO accounts (id, name, password, code, created) VALUES (1, 'ada', x'00', x'00', 0);
        INSERT INTO devices (id, owner, name, key, created, lastSeen)
            VALUES (1, 1, 'greenhouse', x'\(Sample.key(1).hexadecimal)', 0, 12);
        """

    /// What version 1 wrote for readings as ``Sample/readings(_:)`` makes them.
    private static func readings(_ numbers: [UInt64], epoch: UInt64) -> String {
        numbers.map { number in
            """
            INSERT INTO observations (device, stream, epoch, sequence, boot, at, wall, synced, kind, component, name, type,
                value, quality) VALUES (1, 'telemetry', \(epoch), \(number), x'\(BootID(integerLiteral: 1))',
                \(number)000000000, \(Sample.wall(number).nanoseconds), 1, 0, 'climate', 'temperature', 'number',
                \(number).0, 'good');
            """
        }.joined()
    }

    private static func epoch(_ number: UInt64, through: UInt64, last: UInt64, stream: String = "telemetry") -> String {
        """
        INSERT INTO streams (device, stream, epoch, through, last)
            VALUES (1, '\(stream)', \(number), \(through), \(last));
        """
    }

    private static func gap(_ numbers: ClosedRange<UInt64>, epoch: UInt64) -> String {
        """
        INSERT INTO gaps (device, stream, epoch, first, last, reason)
            VALUES (1, 'telemetry', \(epoch), \(numbers.lowerBound), \(numbers.upperBound), 'store_full');
        """
    }

    /// Opens a database that version 1 has left.
    private func open(_ data: String...) async throws -> (RouterStore, RouterStore.Device) {
        let path = folder.file("router.db")
        do {
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: Self.firstVersion + data.joined()) }
            try queue.close()
        }
        let store = try RouterStore(path: path, time: ManualTime())
        return (store, try #require(try await store.device(key: Sample.key(1))))
    }

    private func gaps(_ store: RouterStore, epoch: UInt64) async throws -> [Gap] {
        try await store.database.read { db in
            let place = RouterStore.Place(device: 1, stream: .telemetry, epoch: epoch)
            return try RouterStore.gaps(db, place, RouterStore.GapSelection(behind: 0), limit: 100)
        }
    }

    @Test("Observations and gaps are there as they were, and nothing is missing that was not before")
    func everything() async throws {
        let (store, device) = try await open(
            Self.readings([1, 2, 5, 6], epoch: 9), Self.gap(3...4, epoch: 9), Self.epoch(9, through: 6, last: 6))
        let history = try await store.history(
            device.owner, device.row, Sample.climate, property: "temperature", since: nil, limit: 10)
        #expect(
            history.compactMap(\.record).map(\.observation) == [1, 2, 5, 6].map { Sample.reading($0).observation })
        #expect(history.count == 5)
        #expect(try await gaps(store, epoch: 9) == [Gap(3...4, of: .telemetry, epoch: 9, reason: .storeFull)])
        #expect(try await store.losses(of: device.owner) == [device.row: DeviceLosses(missing: 2)])
        #expect(try await store.devices(of: device.owner).map(\.lastSeen) == [WallTime(nanoseconds: 12)])
    }

    @Test("Ranges are what was stored and named, up to the watermark and beyond it, in the order of the epochs")
    func ranges() async throws {
        let (store, device) = try await open(
            Self.epoch(9, through: 3, last: 12), Self.readings([1, 2, 3, 6, 7, 12], epoch: 9),
            Self.gap(8...10, epoch: 9),
            Self.epoch(4, through: 0, last: 5), Self.readings([4, 5], epoch: 4),
            Self.epoch(2, through: 2, last: 2, stream: "events"))
        #expect(
            try await store.receptions(of: device) == [
                Sample.reception(epoch: 9, through: 3, [6...10, 12...12]),
                Sample.reception(epoch: 4, through: 0, [4...5]), Sample.reception(.events, epoch: 2, through: 2),
            ])
    }

    @Test("A device goes on where it was: what comes again is no news, what was missing fills the hole")
    func goingOn() async throws {
        let (store, device) = try await open(
            Self.epoch(9, through: 3, last: 6), Self.readings([1, 2, 3, 6], epoch: 9))
        let batch = Sample.batch(Sample.readings(3...5), epoch: 9)
        let ingested = try await store.ingest(batch, from: device)
        #expect(ingested.new.map(\.position.sequence) == [4, 5])
        #expect(ingested.reception == Sample.reception(epoch: 9, through: 6))
        let other = Sample.batch([Sample.reading(1, .number(99))], epoch: 9)
        await #expect(throws: NumberConflict.self) { try await store.ingest(other, from: device) }
    }

    @Test("Gaps that overlapped, or named what was there, are cut down to what is missing")
    func overlapping() async throws {
        let (store, device) = try await open(
            Self.epoch(9, through: 20, last: 20), Self.readings([1, 6, 7], epoch: 9), Self.gap(2...9, epoch: 9),
            Self.gap(5...12, epoch: 9), Self.gap(7...7, epoch: 9), Self.gap(13...20, epoch: 9))
        #expect(try await gaps(store, epoch: 9).map(\.numbers) == [2...5, 8...9, 10...12, 13...20])
        #expect(try await store.losses(of: device.owner)[device.row] == DeviceLosses(missing: 17))
        #expect(try await store.receptions(of: device) == [Sample.reception(epoch: 9, through: 20)])
    }

    @Test("Readings from before are dated when their boot's clock becomes known")
    func dated() async throws {
        let undated = Self.readings([1], epoch: 9).replacing("\(Sample.wall(1).nanoseconds), 1,", with: "5, 0,")
        let (store, device) = try await open(Self.epoch(9, through: 1, last: 1), undated)
        let newest = { () async throws -> Timestamp? in
            try await store.newest(device.owner, device.row, Sample.climate, "temperature")?.observation.time
        }
        #expect(try await newest()?.wall == WallTime(nanoseconds: 5))
        #expect(try await newest()?.isSynchronised == false)
        _ = try await store.ingest(Sample.batch([], epoch: 9, offset: Sample.offset), from: device)
        #expect(try await newest()?.wall == Sample.wall(1))
        #expect(try await newest()?.isSynchronised == true)
    }

    @Test("A database of this version is left as it is")
    func thisVersion() async throws {
        let path = folder.file("router.db")
        for _ in 0..<2 {
            let store = try RouterStore(path: path, time: ManualTime())
            let steps = try await store.database.read { db in
                try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
            }
            #expect(steps == ["1", "2", "3", "4", "5"])
        }
    }
}
