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
    struct State {
        /// Which outputs there are; nil: nobody has said yet.
        var roster: KeeperRoster?
        /// The connection.
        var ready: KeeperConnection?
        /// Whether the keeper holds the outputs of the roster: what is adopted before would be lost again.
        var isSettled = false
        /// Why there is no connection, or why the keeper does not hold them.
        var problem = HALError(.absent, "the keeper", advice: "it was not asked yet")
        /// Who waits for that: one for each output that is being taken, and one change of the configuration.
        var waiting: [Mailbox<Void>] = []
        /// Wakes the service up when there is another table; finished when the connection that it serves has ended.
        var wakes = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        var hear: @Sendable (OutputNews) -> Void = { _ in }

        /// There is a connection, and the keeper does not hold the outputs of the roster yet.
        mutating func unsettle(_ socket: String) {
            isSettled = false
            guard ready != nil else { return }
            problem = HALError(
                .failed, "the keeper at \(socket)", advice: "it is being told of the outputs; try again")
        }
    }

    /// How long a keeper may take to answer what it answers at once.
    static let patience: Duration = .seconds(2)
    /// How long a keeper may take to drive a line, until the line is taken anew; whoever commanded is told sooner.
    private static let longPatience: Duration = .seconds(30)
    /// How long it may take until a keeper is there, before an output says that there is none.
    private static let grace: Duration = .seconds(1)

    /// Four times in the time after which the keeper gives the agent up.
    public let heartbeat: Duration? = KeeperTable.heartbeat / 4

    let socket: String
    let tableFile: String
    let time: any TimeSource
    let logger: Logger
    let state = Mutex(State())
    /// The table is written here: a card takes its time.
    let disk = BlockingQueue(label: "m2m.keeper.table")
    private let board: any Board

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
            if state.ready == nil { return ["\(Self.unknown(because: state.problem)): \(state.problem)"] }
            return state.isSettled ? [] : ["outputs that are new or have changed do not work: \(state.problem)"]
        }
    }

    private static func unknown(because problem: HALError) -> String {
        switch problem.kind {
        case .busy: "this agent has no say in its outputs"
        case .timedOut: "what the output lines do now is not known"
        default: "what the output lines do now is up to the kernel"
        }
    }

    // MARK: What the agent asks

    /// News comes in its place between the answers to what was asked.
    public func listen(_ hear: @escaping @Sendable (OutputNews) -> Void) {
        state.withLock { $0.hear = hear }
    }

    /// Finds the lines; the keeper is then told to hold them.
    public func configure(_ outputs: [ComponentID: OutputPlan]) {
        let before = state.withLock(\.roster)
        let roster = KeeperRoster(outputs, before: before) { (line) throws(HALError) in try board.locate(line) }
        change { $0 = roster }
    }

    /// Returns when the keeper holds the outputs, or when that takes too long.
    public func settled() async {
        do throws(HALError) {
            _ = try await readyConnection()
        } catch {
            // Those outputs that wait for it say so.
        }
    }

    /// Takes an output over from whoever answered for it before.
    public func take(_ id: ComponentID, _ plan: OutputPlan) async throws(HALError) -> any HeldOutput {
        if state.withLock({ $0.roster?.problem(of: id) }) != nil {
            // Its chip may be there by now.
            let found = KeeperRoster.find(plan) { (line) throws(HALError) in try board.locate(line) }
            change { $0?.retried(id, plan, found) }
            if let error = state.withLock({ $0.roster?.problem(of: id) }) { throw error }
        }
        let connection = try await readyConnection()
        let report = try await connection.ask(
            KeeperOrder(KEEPER_ADOPT, id), until: time.now + Self.patience, on: time)
        guard report.errno == 0, report.isHeld, !report.hasFailed else { throw failure(report, "output \(id)") }
        return KeptOutput(
            id: id, keeper: self,
            found: FoundOutput(value: report.value, reason: report.reason, until: report.deadline))
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

    private func change(_ edit: (inout KeeperRoster?) -> Void) {
        // Where the table is as before there is nothing to tell; an output that asks again and again must wake nobody.
        let wakes = state.withLock { state -> Mailbox<Void>? in
            let before = state.roster?.table
            edit(&state.roster)
            guard state.roster?.table != before else { return nil }
            state.unsettle(socket)
            return state.wakes
        }
        wakes?.send(())
    }

    private func connection() throws(HALError) -> KeeperConnection {
        let (ready, problem) = state.withLock { ($0.ready, $0.problem) }
        guard let ready else { throw problem }
        return ready
    }

    /// The connection, as soon as the keeper holds the outputs.
    private func readyConnection() async throws(HALError) -> KeeperConnection {
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
