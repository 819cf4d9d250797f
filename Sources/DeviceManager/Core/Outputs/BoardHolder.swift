import Components
import DeviceModel
import HAL

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
        let safe = plan.rules.safe
        // The request itself carries the safe value, so that the relay does not click.
        let settings = OutputSettings(bias: plan.bias, isActiveLow: plan.isActiveLow, initial: .value(safe))
        let line = try board.requestOutput(plan.line, settings, consumer: "m2m \(id)")
        return BoardOutput(line, found: FoundOutput(value: safe), label: "m2m.output.\(id)", time: time)
    }

    func beat() {}
}

/// A line on a thread of its own, because driving it may block: one that hangs must not stop the others.
private actor BoardOutput: HeldOutput {
    nonisolated let found: FoundOutput
    private let line: any OutputLine
    private let executor: BlockingExecutor
    private let time: any TimeSource
    private var driven: LineValue

    init(_ line: any OutputLine, found: FoundOutput, label: String, time: any TimeSource) {
        self.line = line
        self.found = found
        self.time = time
        driven = found.value
        executor = BlockingExecutor(label: label)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func drive(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) throws(HALError) -> Bool {
        if let notAfter, notAfter <= time.now { return false }
        try line.drive(value)
        driven = value
        return true
    }

    /// The agent itself watches over its end.
    func keep(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) throws(HALError) -> Bool { value == driven }

    /// What the line does afterwards is up to the kernel, so it is made safe, where nobody had the time to.
    func release() {
        if driven != found.value {
            try? line.drive(found.value)  // safe: it is given back all the same
        }
        line.release()
    }
}
