import Components
import DeviceModel
import Glibc
import HAL
import Synchronization

/// The agent's own hand on the output lines, where there is no keeper: what they do without it is up to the kernel.
final class BoardHolder: OutputHolder {
    let heartbeat: Duration? = nil
    let notes = [
        "no keeper: this agent holds the output lines itself, and cannot promise what they do when it is killed or hangs; "
            + "see [keeper]"
    ]

    private let board: any Board
    private let time: any TimeSource

    init(board: any Board, time: any TimeSource) {
        self.board = board
        self.time = time
    }

    /// It does nothing by itself.
    func listen(_ hear: @escaping @Sendable (OutputNews) -> Void) {}

    func configure(_ outputs: [ComponentID: OutputPlan]) {}

    /// Lines are given back by whoever has taken them.
    func settled() async {}

    func run() async {}

    func take(_ id: ComponentID, _ plan: OutputPlan) async throws(HALError) -> any HeldOutput {
        let output = BoardOutput(id, plan, board: board, time: time)
        try await output.request()
        return output
    }

    func beat() {}
}

/// A line on a thread of its own, because what is asked of it may block: one that hangs stops neither the others nor the
/// end of the program.
private final class BoardOutput: HeldOutput {
    private struct State {
        /// Only its own thread asks anything of it.
        var line: (any OutputLine)?
        /// Whether its thread is at work.
        var isBusy = false
        var driven: LineValue
    }

    /// How long is waited for a line that is given back.
    private static let farewell: Duration = .seconds(2)

    let found: FoundOutput
    private let id: ComponentID
    private let plan: OutputPlan
    private let board: any Board
    private let time: any TimeSource
    private let queue: BlockingQueue
    private let state: Mutex<State>

    init(_ id: ComponentID, _ plan: OutputPlan, board: any Board, time: any TimeSource) {
        self.id = id
        self.plan = plan
        self.board = board
        self.time = time
        found = FoundOutput(value: plan.rules.safe)
        state = Mutex(State(driven: plan.rules.safe))
        queue = BlockingQueue(label: "m2m.output.\(id)")
    }

    /// Does something on its thread, and waits for it; whoever is cancelled waits no more.
    private func onThread<Result: Sendable>(
        _ work: @escaping @Sendable () throws(HALError) -> Result
    ) async throws(HALError) -> Result {
        let watched = { @Sendable [self] () throws(HALError) in
            state.withLock { $0.isBusy = true }
            defer { state.withLock { $0.isBusy = false } }
            return try work()
        }
        guard let result = try await queue.run(watched) else {
            throw HALError(.timedOut, "output \(id)", advice: "it was left behind")
        }
        return result
    }

    /// Takes the line; the request itself carries the safe value, so that the relay does not click.
    func request() async throws(HALError) {
        try await onThread { [self] () throws(HALError) in
            let settings = OutputSettings(bias: plan.bias, isActiveLow: plan.isActiveLow, initial: .value(found.value))
            let line = try board.requestOutput(plan.line, settings, consumer: "m2m \(id)")
            state.withLock { $0.line = line }
        }
    }

    func drive(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool {
        try await onThread { [self] () throws(HALError) in
            if let notAfter, notAfter <= time.now { return false }
            guard let line = state.withLock(\.line) else { throw HALError(.failed, "output \(id)", errno: ENODEV) }
            try line.drive(value)
            state.withLock { $0.driven = value }
            return true
        }
    }

    /// The agent itself watches over its end.
    func keep(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool { state.withLock(\.driven) == value }

    /// What the line does afterwards is up to the kernel, so it is made safe, where nobody had the time to.
    ///
    /// That is waited for even by a task that was cancelled, but for a while only: what hangs is given back when it
    /// answers, or with the end of the program.
    func release() async {
        let done = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        let isBusy = state.withLock(\.isBusy)
        queue.start { [self] in
            let (line, driven) = state.withLock { ($0.line, $0.driven) }
            if driven != found.value {
                try? line?.drive(found.value)  // safe: it is given back all the same
            }
            line?.release()
            done.send(())
        }
        if isBusy { return }
        await Task { [time] in _ = await done.next(until: time.now + Self.farewell, on: time) }.value
    }
}
