import CKeeper
public import Components
public import DeviceManager
public import DeviceModel
import Glibc
public import HAL
public import Logging
import Synchronization

/// The keeper as the one who holds the output lines: it outlives the agent, and makes them safe when that is gone.
public final class KeeperHolder: OutputHolder {
    private struct State {
        /// The outputs as they are configured.
        var outputs: [ComponentID: OutputPlan] = [:]
        /// What the keeper is to hold; nil: nobody has said yet.
        var table: KeeperTable?
        /// Outputs whose lines were not found.
        var missing: [ComponentID: HALError] = [:]
        /// The connection, once the keeper has held a table of ours.
        var ready: KeeperConnection?
        /// Whether it holds this one: what is adopted before would be lost again.
        var isSettled = false
        /// Why there is none.
        var problem = HALError(.absent, "the keeper", advice: "it was not asked yet")
        var waiting: [Mailbox<Void>] = []
        /// Wakes the service up when there is another table; finished when the connection that it serves has ended.
        var wakes = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    }

    /// How long a keeper may take to answer what it answers at once.
    private static let patience: Duration = .seconds(2)
    /// How long a keeper may take to drive a line, until the line is taken anew; whoever commanded is told sooner.
    private static let longPatience: Duration = .seconds(30)
    /// How long it may take until a keeper is there, before an output says that there is none.
    private static let grace: Duration = .seconds(1)
    /// The pause before the next try to reach it.
    private static let pause: Duration = .milliseconds(200)

    /// Four times in the time after which the keeper gives the agent up.
    public let heartbeat: Duration? = KeeperTable.heartbeat / 4
    /// What the keeper does by itself: 256 pieces, which is four for each output; the oldest goes when one more comes.
    public let news = Mailbox<OutputNews>(bound: 256, policy: .dropOldest)

    private let socket: String
    private let tableFile: String
    private let board: any Board
    private let time: any TimeSource
    private let logger: Logger
    private let state = Mutex(State())

    /// A keeper.
    ///
    /// - Parameters:
    ///   - socket: Where it listens.
    ///   - tableFile: Where it looks which outputs there are.
    ///   - board: The board, by which lines are found.
    ///   - time: The clock.
    ///   - logger: The program's logger.
    public init(socket: String, tableFile: String, board: any Board, time: any TimeSource, logger: Logger) {
        self.socket = socket
        self.tableFile = tableFile
        self.board = board
        self.time = time
        self.logger = logger
    }

    /// While the keeper does not answer, nothing can be promised.
    public var notes: [String] {
        state.withLock { state in
            guard state.ready == nil else { return [] }
            return ["what the output lines do now is up to the kernel: \(state.problem)"]
        }
    }

    // MARK: What the agent asks

    /// Writes the table; the keeper is told to read it.
    public func configure(_ outputs: [ComponentID: OutputPlan]) {
        var rows: [KeeperTable.Row] = []
        var missing: [ComponentID: HALError] = [:]
        for (id, plan) in outputs {
            do throws(HALError) {
                rows.append(KeeperTable.Row(id: id, plan: plan, line: try board.locate(plan.line)))
            } catch {
                missing[id] = error
            }
        }
        let wakes = state.withLock { [table = KeeperTable(rows)] state in
            if table != state.table { state.isSettled = false }
            (state.outputs, state.table, state.missing) = (outputs, table, missing)
            return state.wakes
        }
        wakes.send(())
    }

    /// Takes an output over from whoever answered for it before.
    public func take(_ id: ComponentID, _ plan: OutputPlan) async throws(HALError) -> any HeldOutput {
        if state.withLock({ $0.missing[id] }) != nil {
            configure(state.withLock(\.outputs))  // its chip may be there by now
            if let error = state.withLock({ $0.missing[id] }) { throw error }
        }
        let connection = try await ready()
        let report = try await connection.ask(
            KeeperOrder(KEEPER_ADOPT, id), until: time.now + Self.patience, on: time)
        guard report.errno == 0, report.isHeld else { throw failure(report, "output \(id)") }
        return KeptOutput(
            id: id, keeper: self, found: FoundOutput(value: report.value, reason: report.reason))
    }

    /// Has an output driven.
    fileprivate func drive(
        _ type: keeper_type, _ id: ComponentID, _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool {
        var order = KeeperOrder(type, id)
        (order.value, order.deadline, order.notAfter) = (value, until, notAfter)
        let report = try await connection().ask(order, until: time.now + Self.longPatience, on: time)
        if report.errno == ETIME { return false }
        guard report.errno == 0 else { throw failure(report, "output \(id)") }
        return true
    }

    /// Says that the agent lives; a keeper that does not answer is left, and asked anew.
    public func beat() {
        state.withLock(\.ready)?.beat(at: time.now, patience: Self.patience)
    }

    private func failure(_ report: KeeperReport, _ resource: String) -> HALError {
        let kind: HALError.Kind =
            switch report.errno {
            case EBUSY: .busy
            case ENODEV, ENOENT: .absent
            case EACCES: .notPermitted
            default: .failed
            }
        return HALError(kind, resource, errno: report.errno, advice: report.text)
    }

    private func connection() throws(HALError) -> KeeperConnection {
        let (ready, problem) = state.withLock { ($0.ready, $0.problem) }
        guard let ready else { throw problem }
        return ready
    }

    /// The connection, as soon as the keeper holds the table.
    private func ready() async throws(HALError) -> KeeperConnection {
        let arrival = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        let isReady = state.withLock { state in
            if !state.isSettled { state.waiting.append(arrival) }
            return state.isSettled
        }
        if !isReady {
            _ = await arrival.next(until: time.now + Self.grace, on: time)
            state.withLock { state in state.waiting.removeAll { $0 === arrival } }
        }
        guard state.withLock(\.isSettled) else { throw state.withLock(\.problem) }
        return try connection()
    }

    // MARK: The service

    /// Keeps connected until the task is cancelled.
    public func run() async {
        var incident = Incident(logger, "the keeper does not answer", over: "the keeper answers again")
        while !Task.isCancelled {
            do throws(HALError) {
                try await stay { incident.end() }
            } catch {
                let wasReady = state.withLock { state in
                    defer { (state.ready, state.isSettled, state.problem) = (nil, false, error) }
                    return state.ready != nil
                }
                if wasReady { news.send(.lost(nil, "\(error)")) }
                if !Task.isCancelled { incident.happened(error.description) }
            }
            try? await time.sleep(until: time.now + Self.pause)  // safe: a cancellation ends the loop
        }
    }

    /// One connection, from its beginning to its end.
    private func stay(_ onReady: () -> Void) async throws(HALError) {
        // Each connection has its own: the end of one before it means nothing to it.
        let wakes = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        state.withLock { $0.wakes = wakes }
        let connection = try connect { wakes.finish() }
        defer { connection.close() }
        while true {
            let table = try await settle(connection)
            let waiting = state.withLock { state in
                (state.ready, state.isSettled) = (connection, state.table == table)
                defer { if state.isSettled { state.waiting = [] } }
                return state.isSettled ? state.waiting : []
            }
            for arrival in waiting { arrival.send(()) }
            onReady()
            news.send(.back)
            guard await wakes.next() != nil else {
                if connection.isSilent { throw HALError(.timedOut, "the keeper at \(socket)") }
                throw HALError(
                    .failed, "the keeper at \(socket)", advice: Task.isCancelled ? "the agent stops" : "it has ended")
            }
        }
    }

    private func connect(_ onEnd: @escaping @Sendable () -> Void) throws(HALError) -> KeeperConnection {
        do throws(HALError) {
            return try KeeperConnection(to: socket, onNews: { [weak self] in self?.hear($0) }, onEnd: onEnd)
        } catch {
            if let table = state.withLock(\.table) { try write(table) }  // a keeper that has none can't start
            throw error
        }
    }

    /// Sees that the keeper holds the outputs of the table.
    ///
    /// - Returns: The table; there may be another one by now, of which the service will be told.
    private func settle(_ connection: KeeperConnection) async throws(HALError) -> KeeperTable {
        guard let table = state.withLock(\.table) else {
            throw HALError(.failed, "the keeper at \(socket)", advice: "it is not known yet which outputs there are")
        }
        let deadline = time.now + Self.patience
        let greeting = try await connection.ask(KeeperOrder(KEEPER_HELLO), until: deadline, on: time)
        guard greeting.errno == 0 else { throw failure(greeting, "the keeper at \(socket)") }
        // Its table is not touched then.
        if greeting.isHeld { throw HALError(.busy, "the keeper at \(socket)", advice: "another agent has its outputs") }
        try write(table)
        guard greeting.table != table.checksum else { return table }
        let report = try await connection.ask(KeeperOrder(KEEPER_RELOAD), until: deadline, on: time)
        guard report.errno == 0 else { throw failure(report, "the keeper at \(socket)") }
        guard report.table == table.checksum else {
            throw HALError(
                .failed, "the keeper at \(socket)", advice: "it does not read \(tableFile): is that its --table?")
        }
        return table
    }

    private func write(_ table: KeeperTable) throws(HALError) {
        do throws(FileError) {
            guard try SafeFile.read(tableFile) != Array(table.text.utf8) else { return }
            if let end = tableFile.lastIndex(of: "/"), end != tableFile.startIndex {
                try SafeFile.makeFolder(String(tableFile[..<end]))
            }
            try SafeFile.write(table.text.utf8, to: tableFile, isPublic: true)
        } catch {
            throw HALError(.failed, "the keeper's table \(tableFile)", errno: error.errno)
        }
    }

    private func hear(_ report: KeeperReport) {
        guard let id = report.output else { return }
        if report.hasFailed {
            news.send(.lost(id, report.text))
        } else if let reason = report.reason {
            news.send(.madeSafe(id, reason))
        }
    }
}

/// An output that the keeper holds.
private struct KeptOutput: HeldOutput {
    let id: ComponentID
    let keeper: KeeperHolder
    let found: FoundOutput

    func drive(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool {
        try await keeper.drive(KEEPER_SET, id, value, until: until, notAfter: notAfter)
    }

    func keep(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool {
        try await keeper.drive(KEEPER_EXTEND, id, value, until: until, notAfter: notAfter)
    }

    /// The keeper keeps what is in its table: nothing is to be given back.
    func release() async {}
}
