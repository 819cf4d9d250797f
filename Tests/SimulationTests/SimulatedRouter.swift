import DeviceModel
import GRDB
import TestSupport
import Wire

@testable import Router

/// A router: its own session and queue, over a simulated disk and network.
///
/// What reads, waits and writes around them in the program is replaced by this; what decides is the program's own.
final class SimulatedRouter {
    static let device: DeviceID = "greenhouse"
    static let key = [UInt8](repeating: 7, count: 32)

    /// A device's connection, as the router has it.
    private final class Visit {
        let connection: SimulatedConnection
        var session: DeviceSession
        var isKnown = false
        var isOver = false

        init(_ connection: SimulatedConnection, _ session: DeviceSession) {
            (self.connection, self.session) = (connection, session)
        }
    }

    private let world: World
    private let clock: SimulatedClock
    let disk: SimulatedDisk
    private(set) var store: RouterStore?
    private var device: RouterStore.Device?
    private var visits: [Visit] = []
    private var admission = Admission(RouterSettings.AdmissionRate(perSecond: 50))
    /// Which life of the process this is: what was to happen in another one does not.
    private var life = 0
    /// How often a number came with another content.
    private(set) var conflicts = 0

    init(_ world: World) {
        self.world = world
        clock = SimulatedClock(world.time, boot: 200)
        disk = SimulatedDisk(seed: world.random.next())
    }

    /// Whether it runs.
    var isUp: Bool { store != nil }

    /// Starts; where its disk does not let it, it is started again.
    func start() async throws {
        guard store == nil else { return }
        do {
            let opened = try RouterStore(path: disk.path("router.db"), time: clock)
            device = try await enrolled(opened)
            store = opened
            world.note("router: starts")
        } catch {
            world.note("router: can't start")
            let (mine, pause) = (life, world.duration(.milliseconds(500)...(.seconds(5))))
            world.after(pause) { [self] in if life == mine { try await start() } }
        }
    }

    private func enrolled(_ store: RouterStore) async throws -> RouterStore.Device? {
        try await store.database.write { db in
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO accounts (id, name, password, code, created)
                    VALUES (1, 'anna', x'00', x'00', 0)
                    """)
            try db.execute(
                sql: "INSERT OR IGNORE INTO devices (owner, name, key, created) VALUES (1, ?, ?, 0)",
                arguments: [Self.device.rawValue, Self.key.data])
        }
        return try await store.device(key: Self.key)
    }

    /// The process is gone; with its machine's power, without a word to anybody.
    func stop(powerCut: Bool) {
        life += 1
        store = nil
        device = nil
        for visit in visits where !visit.isOver {
            if powerCut { visit.connection.vanish(.router) } else { visit.connection.close(.router) }
            visit.isOver = true
        }
        visits = []
        if powerCut { disk.cutPower() } else { disk.crash() }
        world.note("router: \(powerCut ? "loses its power" : "is killed")")
    }

    /// The world ends.
    func end() {
        for visit in visits { visit.connection.forget() }
        (store, visits) = (nil, [])
    }

    // MARK: Connections

    /// A device has a connection.
    func accept(_ connection: SimulatedConnection) async throws {
        let session = DeviceSession(
            nonce: [UInt8](repeating: UInt8(life & 0xFF), count: Challenge.nonceSize), heartbeat: .seconds(20),
            now: clock.now)
        let visit = Visit(connection, session)
        visits.append(visit)
        let mine = life
        connection.onMessage(at: .router) { [self] message in
            guard life == mine, !visit.isOver else { return }
            guard let message else { return end(visit) }
            try await handle(.received(message), visit)
        }
        try await handle(.begin, visit)
        watch(visit, mine)
    }

    private func watch(_ visit: Visit, _ mine: Int) {
        world.after(max(.milliseconds(1), visit.session.deadline - clock.now)) { [self] in
            guard life == mine, !visit.isOver else { return }
            if visit.session.deadline <= clock.now { try await handle(.tick, visit) }
            if !visit.isOver { watch(visit, mine) }
        }
    }

    private func end(_ visit: Visit) {
        visit.isOver = true
        visits.removeAll { $0 === visit }
        visit.connection.close(.router)
    }

    private func handle(_ event: DeviceSession.Event, _ visit: Visit) async throws {
        for action in visit.session.handle(event, at: clock.now) {
            guard !visit.isOver else { return }
            do {
                try await perform(action, visit)
            } catch {
                world.note("router: a session fails")  // as where the disk does not take a batch
                end(visit)
            }
        }
    }

    private func perform(_ action: DeviceSession.Action, _ visit: Visit) async throws {
        switch action {
        case .send(let envelope): visit.connection.send(envelope.encoded, from: .router)
        case .prove:
            guard let store, let device else { return }
            if case .later(let wait) = admission.decide(at: clock.now) {
                return try await handle(.rejected(Failure(.busy, "come again", retryAfter: wait)), visit)
            }
            for other in visits where other !== visit && other.isKnown {
                try await handle(.rejected(Failure(.busy, "another connection has taken over")), other)
            }
            let receptions = try await store.receptions(of: device)
            visit.isKnown = true
            world.note("router: welcomes, \(receptions.map(\.words).joined(separator: "; "))")
            let welcome = Welcome(owner: "anna", heartbeat: .seconds(20), streams: receptions)
            try await handle(.proved(welcome), visit)
        case .ingest(let batch):
            guard let store, let device else { return }
            let (ingested, refusal) = try await store.ingest([batch], from: device)
            if let one = ingested.first {
                world.note("router: has \(one.reception.words), \(one.new.count) new")
                try await handle(.stored(one.reception, batch: batch.number), visit)
            }
            if let conflict = refusal as? NumberConflict {
                conflicts += 1
                world.note("router: conflict at \(conflict.position.sequence)")
                let failure = Failure(.conflict, conflict.description, position: conflict.position)
                try await handle(.rejected(failure), visit)
            }
        case .close, .hangUp: end(visit)
        case .enroll, .rotate, .describe, .hear, .renewed, .called, .answered, .reported: break
        }
    }

    // MARK: Looking

    /// What it has of a stream.
    struct Row: Hashable {
        var position: StreamPosition
        var content: Observation.Content
        var time: Timestamp
    }

    /// All that it has, and all gaps.
    func everything() async throws -> (rows: [Row], gaps: [Gap]) {
        guard let store, let device else { return ([], []) }
        return try await store.database.read { db in
            let rows = try GRDB.Row.fetchAll(
                db, sql: "\(ObservationRow.selectDated) WHERE o.device = ? ORDER BY o.stream, o.epoch, o.sequence",
                arguments: [device.row]
            ).compactMap(ObservationRow.dated).map {
                Row(position: $0.position, content: $0.observation.content, time: $0.observation.time)
            }
            let gaps = try GRDB.Row.fetchAll(
                db, sql: "SELECT * FROM gaps WHERE device = ? ORDER BY stream, epoch, first", arguments: [device.row]
            ).compactMap { row -> Gap? in
                guard let stream = StreamName(rawValue: row["stream"]) else { return nil }
                return Gap(
                    stream: stream, epoch: row.unsigned("epoch"), first: row.unsigned("first"),
                    last: row.unsigned("last"), count: (row["count"] as Int64?).map { UInt64(bitPattern: $0) },
                    reason: GapReason(rawValue: row["reason"]),
                    since: (row["since"] as Int64?).map(WallTime.init(nanoseconds:)),
                    until: (row["until"] as Int64?).map(WallTime.init(nanoseconds:)))
            }
            return (rows, gaps)
        }
    }
}

extension StreamReception {
    /// In short, for the trace.
    var words: String {
        "\(stream.rawValue) \(epoch) \(received.ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ","))"
    }
}
