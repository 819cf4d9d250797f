import Foundation

/// What the keeper takes, and how long outputs take to be safe.
///
/// Its lines are simulated, by the chip of its own tests, which writes down when each of them changed: what is measured is
/// the keeper and the agent, on this machine; `make vm-test` has the kernel's own word on real lines.
enum KeeperBenchmark: Benchmark {
    static let name = "keeper"
    static let summary = "keeper: memory and wake-ups for a minute, and how long until outputs are safe"
    /// How often an agent is killed: `RESTARTS`.
    private static let restarts =
        ProcessInfo.processInfo.environment["RESTARTS"].flatMap(Int.init).map { max($0, 1) } ?? 1_000

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let board = try await OutputBoard(workshop)
        let figures = try await idle(board) + starts(board) + leases(board) + kills(board)
        board.close()
        return figures
    }

    /// With an agent that is connected, and with outputs that are safe.
    private static func idle(_ board: OutputBoard) async throws -> [Figure] {
        try await Task.sleep(for: .seconds(5))
        let before = try board.keeperFigures.wakeups
        try await Task.sleep(for: .seconds(60))
        let wakeups = try board.keeperFigures.wakeups - before
        let memory = try board.keeperFigures.memory
        return [
            Figure("keeper, share (PSS)", memory.share, "MB", goal: .atMost(0.5)),
            Figure("keeper, its own (private)", memory.own, "MB"),
            Figure("keeper, wake-ups while outputs are safe", wakeups, "a minute", goal: .atMost(0)),
        ]
    }

    /// From the start of the keeper until it has all lines, safe.
    private static func starts(_ board: OutputBoard) async throws -> [Figure] {
        board.stopAgent()
        var times: [Double] = []
        for _ in 0..<20 { times.append(try await board.restartKeeper() * 1_000) }
        return [Figure("keeper, start to outputs safe", times, "ms", goal: .atMost(50))]
    }

    /// From the end of a lease, as it was ordered, until the line is safe.
    private static func leases(_ board: OutputBoard) async throws -> [Figure] {
        let orders = try KeeperOrders(board.socket)
        defer { orders.close() }
        try orders.adopt(OutputBoard.pump.name)
        var delays: [Double] = []
        for _ in 0..<200 {
            let deadline = LineLog.now + 0.05
            try orders.switchOn(OutputBoard.pump.name, until: deadline)
            let end = try await board.log.next("level 0", of: OutputBoard.pump.offset, after: deadline - 0.05)
            // Before its end would be a mistake, and no good time.
            guard end >= deadline else { throw BenchError(description: "a lease has ended too early") }
            delays.append((end - deadline) * 1_000)
        }
        return [
            Figure("lease end to safe, p50", delays.percentile(0.5), "ms"),
            Figure("lease end to safe, p99", delays.percentile(0.99), "ms", goal: .atMost(20)),
        ]
    }

    /// From the death of the agent until a relay is safe that does not outlast it, and what another does that does.
    private static func kills(_ board: OutputBoard) async throws -> [Figure] {
        try await board.startAgent()
        try await board.switchOn(OutputBoard.heater)
        let edges = try board.log.changes(of: OutputBoard.heater.offset)
        var delays: [Double] = []
        for _ in 0..<restarts {
            try await board.switchOn(OutputBoard.pump)
            let start = LineLog.now
            board.killAgent()
            delays.append(try await board.log.next("level 0", of: OutputBoard.pump.offset, after: start) - start)
            try await board.startAgent()
        }
        let seen = try board.log.changes(of: OutputBoard.heater.offset) - edges
        var hangs: [Double] = []
        for _ in 0..<5 {
            try await board.switchOn(OutputBoard.pump)
            let start = LineLog.now
            board.freezeAgent(true)
            hangs.append(try await board.log.next("level 0", of: OutputBoard.pump.offset, after: start) - start)
            board.freezeAgent(false)
        }
        let milliseconds = delays.map { $0 * 1_000 }
        return [
            Figure("agent killed to safe, p50", milliseconds.percentile(0.5), "ms"),
            Figure("agent killed to safe, p99", milliseconds.percentile(0.99), "ms", goal: .atMost(20)),
            Figure("agent hung to safe", hangs, "s", goal: .atMost(3)),
            Figure("edges of a held relay, of \(restarts) restarts", Double(seen), "edges", goal: .atMost(0)),
        ]
    }
}
