import DeviceModel
import Store
import TestSupport
import Wire

@testable import DeviceManager
@testable import Link

/// A device: its own session, link and queue, over a simulated disk and network.
///
/// What reads, waits and writes around them in the program is replaced by this; what decides is the program's own.
final class SimulatedDevice {
    private let world: World
    private let router: SimulatedRouter
    private let history: CommittedHistory
    let disk: SimulatedDisk
    private(set) var clock: SimulatedClock
    /// How bad the network is at the moment.
    var network = NetworkFaults()
    /// Whether there is a network at all.
    var isNetworkThere = true
    /// Whether there is nothing more to observe.
    var isStill = false

    private var store: Store?
    private var batcher = CommitBatcher(interval: .seconds(1))
    private var losses: [Loss] = []
    private var retry = Backoff(first: .seconds(1), cap: .seconds(30), jitter: .none)
    private var machine = LinkMachine()
    private var session: LinkSession?
    private var connection: SimulatedConnection?
    /// Which life of the process, and which try of the link, this is: what was to happen in another one does not.
    private var (life, attempt) = (0, 0)
    private var isWorking = false
    private var nextWake: Duration?
    private var serial: UInt64 = 0
    private(set) var isRunning = false
    private var boots = 0

    init(_ world: World, _ router: SimulatedRouter, _ history: CommittedHistory) {
        (self.world, self.router, self.history) = (world, router, history)
        disk = SimulatedDisk(seed: world.random.next())
        clock = SimulatedClock(world.time, boot: 1)
    }

    // MARK: Life

    /// The machine boots, with a clock that may not be right yet.
    func boot() async throws {
        boots += 1
        var bytes = [UInt8](repeating: 0, count: BootID.size)
        bytes[0] = UInt8(boots & 0xFF)
        bytes[1] = UInt8(boots >> 8)
        guard let id = BootID(bytes: bytes) else { return }
        let isRight = world.chance(0.5)
        let error: Duration = isRight ? .zero : WorldTime.beginning.untilTheEpoch - world.time.now
        clock = SimulatedClock(world.time, boot: id, error: error, isSynchronised: isRight)
        if !isRight {
            world.after(world.duration(.seconds(5)...(.seconds(120)))) { [self, clock] in
                world.note("device: the clock of boot \(id) is right")
                clock.set(error: .zero, isSynchronised: true)
            }
        }
        try await start()
    }

    /// The agent starts.
    func start() async throws {
        guard !isRunning else { return }
        let bounds = Store.Bounds(size: 4_194_304, age: .seconds(86_400), hasRouter: true)
        let epochs = EpochSource(seed: world.random.next())
        do {
            store = try Store(path: disk.path("store.db"), bounds: bounds, time: clock) { epochs.next() }
        } catch {
            // A person would have to do something: the service manager starts it again meanwhile.
            world.note("device: can't start: \(error.code.rawValue)")
            let mine = life
            return world.after(.seconds(1)) { [self] in if life == mine { try await start() } }
        }
        world.note("device: starts in boot \(clock.boot)")
        isRunning = true
        (batcher, losses, machine) = (CommitBatcher(interval: .seconds(1)), [], LinkMachine())
        observeSoon()
        try await handle(.start)
    }

    /// The process is gone, or the machine's power.
    func stop(powerCut: Bool) {
        life += 1
        attempt += 1
        isRunning = false
        (session, store, nextWake) = (nil, nil, nil)
        if powerCut { connection?.vanish(.device) } else { connection?.close(.device) }
        connection = nil
        if powerCut { disk.cutPower() } else { disk.crash() }
        world.note("device: \(powerCut ? "loses its power" : "is killed")")
    }

    /// The world ends.
    func end() {
        connection?.forget()
        (session, store, connection) = (nil, nil, nil)
    }

    /// The connection that there is, if there is one, for faults of the network.
    var link: SimulatedConnection? { connection }

    /// The network has come back.
    func networkCameBack() async throws {
        isNetworkThere = true
        if isRunning { try await handle(.networkCameBack) }
    }

    // MARK: Observing

    private func observeSoon() {
        let mine = life
        world.after(world.duration(.milliseconds(50)...(.seconds(5)))) { [self] in
            guard life == mine, !isStill else { return }
            for _ in 0..<Int.random(in: 1...3, using: &world.random) { observe() }
            observeSoon()
            try await wake()
        }
    }

    private func observe() {
        serial += 1
        let content: Observation.Content =
            world.chance(0.1)
            ? .event(Event(component: "switch", name: "pressed-\(serial)"))
            : .reading(Reading(component: "climate", property: "temperature", value: .integer(Int64(serial))))
        let observation = Observation(time: clock.timestamp, content: content)
        history.made(serial, at: world.time.wall, boot: clock.boot)
        guard let dropped = batcher.add(observation, at: clock.now) else { return }
        losses.append(
            Loss(
                stream: dropped.stream, reason: .diskFailed, count: 1, since: dropped.time.wall,
                until: dropped.time.wall))
    }

    private func commit() async throws {
        let due = batcher.due(at: clock.now)
        guard let store, !due.isEmpty else { return }
        do {
            let recorded = try await store.append(due, lost: losses)
            world.note("device: commits \(recorded.map { "\($0.position.sequence)" }.joined(separator: " "))")
            (losses, retry) = ([], Backoff(first: .seconds(1), cap: .seconds(30), jitter: .none))
            batcher.stored()
            for record in recorded { history.committed(record) }
            try await tell(.stored)
        } catch let error as StoreError {
            world.note("device: can't commit: \(error.code.rawValue) \(error.sqliteCode)")
            batcher.failed(retryAt: clock.now + retry.failed(using: &world.random))
        }
    }

    // MARK: The clock

    /// Does what is due, and sees that it is woken when the next thing is.
    private func wake() async throws {
        guard isRunning, !isWorking else { return }
        isWorking = true
        defer { isWorking = false }
        if let deadline = batcher.deadline, deadline <= clock.now { try await commit() }
        if let deadline = machine.deadline, deadline <= clock.now { try await handle(.tick) }
        if let end = session?.end, end <= clock.now { try await tell(.tick) }
        while let work = session?.nextWork(at: clock.now) { try await perform(work) }
        sleep()
    }

    private func sleep() {
        let deadlines = [batcher.deadline, machine.deadline, session?.end, session?.workDeadline].compactMap(\.self)
        guard isRunning, let deadline = deadlines.min() else { return }
        let time = world.time.now + max(.milliseconds(1), deadline - clock.now)
        if let nextWake, nextWake <= time, nextWake > world.time.now { return }
        nextWake = time
        let mine = life
        world.after(time - world.time.now) { [self] in
            if life == mine { try await wake() }
        }
    }

    // MARK: The link

    private func handle(_ event: LinkMachine.Event) async throws {
        for action in machine.handle(event, at: clock.now, using: &world.random) {
            switch action {
            case .dial: try await dial()
            case .tell(let state): world.note("device: \(state.rawValue)")
            case .drain, .hangUp: break
            }
        }
        if !isWorking { try await wake() }
    }

    private func dial() async throws {
        attempt += 1
        let (mine, pause) = (attempt, world.duration(.milliseconds(2)...(.milliseconds(200))))
        guard isNetworkThere, router.isUp else {
            // Refused at once, or nobody answers for as long as a connection may take.
            return world.after(world.chance(0.5) ? pause : .seconds(15)) { [self] in try await ended(LinkEnd(), mine) }
        }
        let new = SimulatedConnection(world, network)
        world.after(pause) { [self] in
            guard attempt == mine, isRunning else { return }
            guard isNetworkThere, router.isUp else { return try await ended(LinkEnd(), mine) }
            connection = new
            let identity = LinkSession.Identity(
                device: SimulatedRouter.device, boot: clock.boot, publicKey: SimulatedRouter.key,
                routerKeyHash: [], sign: { _ in [UInt8](repeating: 0, count: 64) })
            let description = DeviceDescription(id: SimulatedRouter.device, label: nil, software: "s", components: [])
            session = LinkSession(identity: identity, description: description, backlogRate: 100, now: clock.now)
            new.onMessage(at: .device) { [self] message in
                guard attempt == mine else { return }
                guard let message else { return try await hangUp(LinkEnd()) }
                try await tell(.received(message))
                try await wake()
            }
            try await router.accept(new)
            sleep()
        }
    }

    private func ended(_ end: LinkEnd, _ mine: Int) async throws {
        if attempt == mine, isRunning { try await handle(.ended(end)) }
    }

    /// The session has ended: what is left to write down is written down.
    private func hangUp(_ end: LinkEnd) async throws {
        attempt += 1
        guard var session else { return }
        self.session = nil
        for work in session.finish() { try await perform(work) }
        connection?.close(.device)
        connection = nil
        try await handle(.ended(end))
    }

    private func tell(_ event: LinkSession.Event) async throws {
        guard let actions = session?.handle(event, at: clock.now) else { return }
        for action in actions {
            switch action {
            case .send(let envelope):
                if envelope.kind == ObservationBatch.kind { history.sent(try envelope.decode(ObservationBatch.self)) }
                connection?.send(envelope.encoded, from: .device)
            case .open: try await handle(.opened)
            case .close(let problem):
                world.note("device: hangs up: \(problem?.description ?? "")")
                try await hangUp(LinkEnd(retryAfter: problem?.retryAfter))
            case .submit, .renew, .inquire: break
            }
        }
    }

    /// Does what the program does with its store, and goes on where that goes on.
    private func perform(_ work: LinkSession.Work) async throws {
        guard let store else { return }
        do {
            switch work {
            case .agree(let receptions): try await tell(.agreed(try await store.agree(with: receptions)))
            case .load(let load):
                let batch = try await store.batch(of: load.stream, in: load.span, limit: Uplink.batchSize)
                try await tell(.loaded(load, batch))
            case .note(let reception): await store.noteArrival(of: reception)
            case .trim(let reception): try await store.acknowledge(reception)
            case .renumber(let position):
                world.note("device: renumbers from \(position.sequence)")
                try await store.renumber(from: position)
            case .doubt(let receptions):
                world.note("device: doubts \(receptions.count) batches")
                try await store.doubt(receptions)
            }
        } catch let error as StoreError {
            world.note("device: \(work.words) fails: \(error.code.rawValue) \(error.sqliteCode)")
            try await tell(.failed(work))
        }
    }
}

extension LinkSession.Work {
    fileprivate var words: String {
        switch self {
        case .agree: "agreeing"
        case .load: "loading"
        case .note: "noting"
        case .trim: "trimming"
        case .renumber: "renumbering"
        case .doubt: "doubting"
        }
    }
}

extension WallTime {
    /// How long before this the clocks of machines without a clock begin: at the end of 1969.
    fileprivate var untilTheEpoch: Duration { .zero - .nanoseconds(nanoseconds) }
}
