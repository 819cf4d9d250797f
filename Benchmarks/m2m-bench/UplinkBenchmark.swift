import Client
import DeviceModel
import Foundation
import Wire

/// What was observed offline goes up: read from the device's disk, over TLS, onto the router's disk, acknowledged, and
/// let go on the device.
enum UplinkBenchmark: Benchmark {
    static let name = "uplink"
    static let summary = "uplink: 100 000 observations offline, then drained, durable at both ends"
    private static let count = 100_000
    private static let share = 0.98

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var rounds = Rounds()
        for _ in 0..<Rounds.count {
            try await StoreBenchmark.fill(workshop.path("state/store.db"), rows: count, at: SystemTime().timestamp)
            for (name, value) in try await drain(workshop) { rounds.note(name, value) }
            for figure in ["send", "send-100"] {
                let peer = try Peers.measure(figure, ["MESSAGES": figure == "send" ? count : count / 20])
                let readings = peer["readings"] ?? .nan
                rounds.note(peer: figure, peer["readings_per_second"])
                rounds.note(peer: "\(figure) work", (peer["cpu_seconds"] ?? .nan) / readings * 1_000_000)
                rounds.note(peer: "\(figure) broker", (peer["broker_cpu_seconds"] ?? .nan) / readings * 1_000_000)
            }
        }
        let ours = rounds.ours
        return [
            Figure(
                "acknowledged observations", ours["rate"] ?? [], "/s", goal: .atLeastTimes(1),
                peer: rounds.peer("libmosquitto QoS 1, not stored", "send")),
            Figure(
                "acknowledged observations, 100 a message", ours["rate"] ?? [], "/s",
                peer: rounds.peer("libmosquitto QoS 1, not stored", "send-100")),
            Figure(
                "processor for each, device", ours["agent"] ?? [], "µs",
                peer: rounds.peer("libmosquitto", "send work")),
            Figure(
                "processor for each, router", ours["router"] ?? [], "µs",
                peer: rounds.peer("mosquitto", "send broker")),
            Figure("agent's own memory before the drain", ours["before"] ?? [], "MB"),
            Figure("agent's own memory while it drains, at most", ours["peak"] ?? [], "MB"),
            Figure("agent's own memory after the drain", ours["after"] ?? [], "MB"),
        ]
    }

    /// Starts the agent, and looks at it until nothing waits any more.
    ///
    /// The device lets go of all of it ten seconds after the first acknowledgement, so that moment says nothing: the rate
    /// is taken where the router had done 98 % of its work (processor time, to 10 ms), and counts 98 % of them.
    private static func drain(_ workshop: Workshop) async throws -> [String: Double] {
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        let (device, router) = (ProcessFigures(id: agent.processIdentifier), workshop.routerFigures)
        let clock = ContinuousClock()
        var local = try await workshop.local()
        var begin: (at: ContinuousClock.Instant, kept: Int, device: Double, router: Double, own: Double)?
        var peak = 0.0
        var work: [(at: ContinuousClock.Instant, router: Double)] = []
        let limit = clock.now + .seconds(300)
        while true {
            guard clock.now < limit else { throw BenchError(description: "the agent has not sent all of it in 300 s") }
            let status = try await local.status()
            if begin == nil, status.link?.state == .connected, status.store.kept > 0 {
                begin = try (clock.now, status.store.kept, device.seconds, router.seconds, device.memory.own)
            }
            peak = max(peak, try device.memory.own)
            work.append((clock.now, try router.seconds))
            if let begin, status.store.kept < 10 {
                let count = Double(begin.kept - status.store.kept)
                let total = try router.seconds - begin.router
                let end = work.first { $0.router - begin.router >= total * share }?.at ?? clock.now
                let result = try [
                    "rate": count * share / ((end - begin.at) / .seconds(1)),
                    "agent": (device.seconds - begin.device) / count * 1_000_000,
                    "router": total / count * 1_000_000,
                    "before": begin.own, "peak": peak, "after": device.memory.own,
                ]
                await local.close()
                return result
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension Workshop {
    /// Connects to an agent on this machine, once it is there.
    func local(_ socket: String = "agent.sock") async throws -> ClientConnection {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            do {
                return try await ClientConnection.local(path(socket))
            } catch  where error.code == .unreachable {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        throw BenchError(description: "the agent does not start")
    }
}

extension ClientConnection {
    /// How the agent is.
    fileprivate mutating func status() async throws -> AgentStatus {
        guard case .status(let status)? = try await ask(.status).first else {
            throw BenchError(description: "the agent does not say how it is")
        }
        return status
    }
}
