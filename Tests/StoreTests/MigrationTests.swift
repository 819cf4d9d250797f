import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport
import Testing

@testable import Store

/// A database that an earlier version has made keeps everything, and one that a later version has made is understood as
/// far as it can be.
@Suite(.timeLimit(.minutes(1))) struct MigrationTests {
    /// The tables as they were at first; this must never change.
    private static let first = """
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
        PRAGMA user_version = 1;
        """

    /// What such a database may hold: three acknowledged, a gap, three that wait, and an older epoch.
    private static let rows = """
        INSERT INTO boots VALUES (1, x'07070707070707070707070707070707');
        INSERT INTO streams VALUES ('telemetry', 11, 9), ('events', 12, 2);
        INSERT INTO epochs VALUES ('telemetry', 10), ('telemetry', 11), ('events', 12);
        INSERT INTO observations (stream, epoch, sequence, boot, at, wall, synced, kind, component, name, type, value,
            quality, reason, command, status)
        VALUES ('telemetry', 10, 4, 1, 10, 20, 1, 0, 'climate', 'temperature', 'number', 1.5, 'good', NULL, NULL, NULL),
            ('telemetry', 11, 6, 1, 11, 21, 0, 0, 'climate', 'temperature', 'number', 2.5, 'good', NULL, NULL, NULL),
            ('telemetry', 11, 7, 1, 12, 22, 1, 0, 'climate', 'door', 'boolean', 1, 'stale', 'old', NULL, NULL),
            ('telemetry', 11, 8, 1, 13, 23, 1, 0, 'climate', 'temperature', NULL, NULL, 'failed', 'gone', NULL, NULL),
            ('events', 12, 1, 1, 14, 24, 1, 2, 'heater', 'on', NULL, NULL, NULL, NULL, 'a', 'done');
        INSERT INTO gaps (stream, epoch, first, last, reason) VALUES ('telemetry', 11, 4, 5, 'disk_too_slow');
        INSERT INTO commands VALUES ('a', 1, 'heater', 'on', 1), ('b', 2, 'heater', 'on', 0);
        """

    private let folder: StoreFolder
    private var time: ManualTime { folder.time }

    init() throws {
        folder = try StoreFolder()
    }

    private func makeFirst() throws {
        let database = try folder.database()
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute(Self.first)
        try database.execute(Self.rows)
    }

    @Test("a database of the first version keeps its rows, gaps, commands and numbers")
    func keepsEverything() async throws {
        try makeFirst()
        let store = try folder.open(age: .seconds(1_000_000_000_000))
        let boot: BootID = 7
        func reading(
            _ epoch: UInt64, _ sequence: UInt64, _ at: Int64, _ reading: Reading, isSynchronised: Bool = true
        ) -> RecordedObservation {
            let time = Timestamp(
                boot: boot, monotonic: MonotonicTime(nanoseconds: at), wall: WallTime(nanoseconds: at + 10),
                isSynchronised: isSynchronised)
            return RecordedObservation(
                position: StreamPosition(stream: .telemetry, epoch: epoch, sequence: sequence),
                observation: Observation(time: time, content: .reading(reading)))
        }
        let readings = [
            reading(10, 4, 10, Reading(component: "climate", property: "temperature", value: .number(1.5))),
            reading(
                11, 6, 11, Reading(component: "climate", property: "temperature", value: .number(2.5)),
                isSynchronised: false),
            reading(
                11, 7, 12,
                Reading(component: "climate", property: "door", value: .boolean(true), quality: .stale, reason: "old")),
            reading(
                11, 8, 13,
                Reading(
                    component: "climate", property: "temperature", value: nil, quality: .failed, reason: "gone")),
        ]
        let (telemetry, events) = (try await store.waiting(), try await store.waiting(in: .events))
        #expect(telemetry.observations == readings)
        let gap = Gap(
            stream: .telemetry, epoch: 11, first: 4, last: 5, count: 2, reason: .diskTooSlow, since: nil, until: nil)
        #expect(telemetry.gaps == [gap])
        #expect(events.sequences == [1])
        #expect(events.gaps == [])
        #expect(try await store.interrupted().map(\.id) == ["b"])
        #expect(try await !store.claim(Sample.command("a")))
        #expect(await store.status().kept == 5)
        let next = try await store.append([Sample.reading(3, at: time), Sample.event("pressed", at: time)], lost: [])
        #expect(
            next.map(\.position) == [
                StreamPosition(stream: .telemetry, epoch: 11, sequence: 9),
                StreamPosition(stream: .events, epoch: 12, sequence: 2),
            ])
    }

    @Test("what was acknowledged before is known by what is there no more")
    func acknowledged() async throws {
        try makeFirst()
        let store = try folder.open(age: .seconds(1_000_000_000_000))
        let all = [StreamReception(.telemetry, 11, 1...3), StreamReception(.events, 12)]
        _ = try await store.agree(with: all)
        #expect(try await store.waiting().gaps.count == 1)
        _ = try await store.agree(with: [StreamReception(.telemetry, 11, 1...2), StreamReception(.events, 12)])
        let gaps = try await store.waiting().gaps
        #expect(gaps.map(\.numbers) == [4...5, 3...3])
        #expect(gaps.map(\.reason) == [.diskTooSlow, .routerLost])
        #expect(try await store.waiting(in: .events).gaps == [])
    }

    @Test("where nothing waits, all that was ever numbered was acknowledged")
    func nothingWaits() async throws {
        do {
            let database = try folder.database()
            try database.execute(Self.first)
            try database.execute("INSERT INTO streams VALUES ('telemetry', 11, 9)")
            try database.execute("INSERT INTO epochs VALUES ('telemetry', 11)")
        }
        let store = try folder.open()
        _ = try await store.agree(with: [])
        #expect(try await store.waiting().gaps.map(\.numbers) == [1...8])
        #expect(try await store.waiting(in: .events) == Waiting())
    }

    @Test("a database of a later version opens, and works")
    func laterVersion() async throws {
        let before: Waiting
        do {
            let store = try folder.open()
            _ = try await store.append(Sample.readings(1...3, at: time), lost: [Sample.loss(1)])
            before = try await store.waiting()
            try await store.finish()
        }
        do {
            let database = try folder.database()
            try database.execute("ALTER TABLE gaps ADD COLUMN more TEXT")
            try database.execute("CREATE TABLE more (id INTEGER PRIMARY KEY)")
            try database.execute("PRAGMA user_version = 99")
        }
        let store = try folder.open()
        #expect(try await store.waiting() == before)
        let next = try await store.append(Sample.readings(4...4, at: time), lost: [Sample.loss(1)])
        #expect(next.first?.position.sequence == 6)
        let version = try folder.database().first("PRAGMA user_version") { $0.integer(0) }
        #expect(version == 99)
    }

    @Test("a database that was cut off while it was made is made anew")
    func cutOffWhileMade() async throws {
        do { try folder.database().execute("PRAGMA journal_mode = WAL") }
        let store = try folder.open()
        #expect(try await store.append(Sample.readings(1...1, at: time), lost: []).count == 1)
        #expect(try await store.waiting().gaps == [])
    }
}
