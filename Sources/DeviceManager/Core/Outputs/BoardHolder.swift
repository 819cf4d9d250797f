import Components
import DeviceModel
import Dispatch
import Glibc
import HAL
import Synchronization

/// The agent's own hand on the output lines, where there is no keeper: what they do without it is up to the kernel.
final class BoardHolder: OutputHolder {
    let heartbeat: Duration? = nil
    let news = Mailbox<OutputNews>(bound: 1, policy: .dropOldest)  // it does nothing by itself
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

    func configure(_ outputs: [ComponentID: OutputPlan]) {}

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
        var driven: LineValue
    }

    let found: FoundOutput
    private let id: ComponentID
    private let plan: OutputPlan
    private let board: any Board
    private let time: any TimeSource
    private let queue: DispatchQueue
    private let state: Mutex<State>

    init(_ id: ComponentID, _ plan: OutputPlan, board: any Board, time: any TimeSource) {
        self.id = id
        self.plan = plan
        self.board = board
        self.time = time
        found = FoundOutput(value: plan.rules.safe)
        state = Mutex(State(driven: plan.rules.safe))
        queue = DispatchQueue(label: "m2m.output.\(id)")
    }

    /// Does something on its thread, and waits for it; whoever is cancelled waits no more.
    private func onThread<Result: Sendable>(
        _ work: @escaping @Sendable () throws(HALError) -> Result
    ) async throws(HALError) -> Result {
        let answer = Mailbox<Swift.Result<Result, HALError>>(bound: 1, policy: .refuseNewest)
        queue.async {
            do throws(HALError) {
                answer.send(.success(try work()))
            } catch {
                answer.send(.failure(error))
            }
        }
        guard let result = await answer.next() else {
            throw HALError(.timedOut, "output \(id)", advice: "it was left behind")
        }
        return try result.get()
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
    func release() async {
        do throws(HALError) {
            try await onThread { [self] () throws(HALError) in
                let (line, driven) = state.withLock { ($0.line, $0.driven) }
                defer { line?.release() }
                if driven != found.value { try line?.drive(found.value) }
            }
        } catch {
            // It is given back all the same, if need be with the end of the program.
        }
    }
}
