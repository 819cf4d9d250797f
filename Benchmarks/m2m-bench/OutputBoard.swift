import Client
import DeviceModel
import Foundation
import Wire

/// An agent and its keeper with two relays on simulated lines.
final class OutputBoard {
    /// A relay.
    struct Relay {
        let name: String
        let offset: Int
    }

    /// Outlasts the agent for a while.
    static let heater = Relay(name: "heater", offset: 5)
    /// Is safe as soon as the agent is gone.
    static let pump = Relay(name: "pump", offset: 6)

    /// What happens to the lines.
    let log: LineLog
    private let workshop: Workshop
    private let agentFile: String
    private var agent: Process
    private var keeper: Process

    /// The keeper with simulated lines, as `make keeper` makes it.
    private static let keeperProgram = ".build/keeper/m2m-keeper-simulated"
    private static let text = """
        [device]
        id = "outputs"
        state_directory = "outputs"
        [local]
        socket = "outputs.sock"
        [keeper]
        socket = "keeper.sock"
        table = "outputs.table"
        [board]
        kind = "simulated"
        [log]
        level = "error"
        [components.heater]
        model = "relay"
        line = "GPIO5"
        safe = "off"
        on_agent_lost = { hold = "10m" }
        [components.pump]
        model = "relay"
        line = "GPIO6"
        safe = "off"
        """

    /// Starts both, and waits until the relays can be switched.
    init(_ workshop: Workshop) async throws {
        self.workshop = workshop
        log = LineLog(path: workshop.path("lines"))
        agentFile = try workshop.write("outputs.toml", Self.text)
        // The agent comes first: it writes the table without which a keeper holds nothing.
        agent = try workshop.startAgent(agentFile)
        let end = ContinuousClock.now + .seconds(30)
        while !FileManager.default.fileExists(atPath: workshop.path("outputs.table")) {
            guard ContinuousClock.now < end else { throw BenchError(description: "the agent writes no table") }
            try await Task.sleep(for: .milliseconds(10))
        }
        keeper = try Self.startKeeper(workshop, log)
        try await switchOn(Self.pump)
        try await call(Self.pump, "off")
    }

    /// Where the keeper listens.
    var socket: String { workshop.path("keeper.sock") }

    /// What the kernel says of the keeper.
    var keeperFigures: ProcessFigures { ProcessFigures(id: keeper.processIdentifier) }

    /// Ends both.
    func close() {
        workshop.stop(agent)
        workshop.stop(keeper)
    }

    // MARK: The agent

    /// Starts another agent.
    func startAgent() async throws {
        agent = try workshop.startAgent(agentFile)
    }

    /// Ends the agent in order.
    func stopAgent() { workshop.stop(agent) }

    /// Ends the agent as the kernel does when there is no memory left.
    func killAgent() { workshop.kill(agent) }

    /// Lets the agent do nothing, or go on.
    func freezeAgent(_ isFrozen: Bool) { kill(agent.processIdentifier, isFrozen ? SIGSTOP : SIGCONT) }

    /// Switches a relay on, as soon as the agent can.
    func switchOn(_ relay: Relay) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await call(relay, "on") != .done {
            guard ContinuousClock.now < end else { throw BenchError(description: "\(relay.name) can't be switched") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @discardableResult
    private func call(_ relay: Relay, _ action: String) async throws -> CommandStatus? {
        var local = try await workshop.local("outputs.sock")
        let address = Address(component: ComponentID(rawValue: relay.name))
        guard let id = CommandID(rawValue: "bench-\(UInt64.random(in: 0...(.max)))") else { return nil }
        let answer = try await local.ask(.call(CallRequest(id: id, address: address, action: action)))
        await local.close()
        guard case .observation(let report)? = answer.first, case .result(let result) = report.content else {
            return nil
        }
        return result.status
    }

    // MARK: The keeper

    /// Ends the keeper, and starts another one.
    ///
    /// - Returns: How long it took from its start until it had the last line, in seconds.
    func restartKeeper() async throws -> Double {
        workshop.stop(keeper)
        let start = LineLog.now
        keeper = try Self.startKeeper(workshop, log)
        var last = 0.0
        for relay in [Self.heater, Self.pump] {
            last = max(last, try await log.next("request m2m", of: relay.offset, after: start))
        }
        return last - start
    }

    private static func startKeeper(_ workshop: Workshop, _ log: LineLog) throws -> Process {
        try workshop.start(
            keeperProgram,
            ["run", "--table", workshop.path("outputs.table"), "--socket", workshop.path("keeper.sock")],
            variables: ["M2M_FAKE_CHIPS": "simulated-header:28:GPIO%", "M2M_FAKE_LOG": log.path], errors: Pipe())
    }
}
