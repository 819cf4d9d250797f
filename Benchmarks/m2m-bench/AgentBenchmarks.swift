import Client
import DeviceModel
import Foundation
import Wire

/// Who is idle beside the agent, by the name of the figure and for people.
private let idlePeers = [
    ("idle-libmosquitto", "libmosquitto (C)"), ("idle-paho", "paho (Python)"),
    ("idle-websockets", "websockets (Python)"),
]

/// From the start of the program to the moment when the router says that the device is online.
enum StartBenchmark: Benchmark {
    static let name = "start"
    static let summary = "agent: from its start until it is online"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var rounds = Rounds()
        for _ in 0..<7 {
            let clock = ContinuousClock()
            let start = clock.now
            let agent = try workshop.startAgent()
            try await workshop.untilOnline()
            rounds.note("online", (clock.now - start) / .milliseconds(1))
            workshop.stop(agent)
            for (figure, _) in idlePeers {
                let peer = try IdlePeer(figure)
                rounds.note(peer: figure, peer.ready)
                try peer.stop()
            }
        }
        return idlePeers.map { figure, who in
            Figure(
                "start to online", rounds.ours["online"] ?? [], "ms", goal: .atMost(1_000),
                peer: rounds.peer("\(who), connected", figure))
        }
    }
}

/// What a connected agent with three components takes while nothing happens.
enum IdleBenchmark: Benchmark {
    static let name = "idle"
    static let summary = "agent: memory and wake-ups while it is connected and nothing happens, for a minute"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        // What a sensor does every minute is no part of being idle.
        let quiet = try workshop.configuration("quiet.toml") { $0.replacing("\"60s\"", with: "\"1h\"") }
        var rounds = Rounds()
        for _ in 0..<Rounds.count {
            let agent = try workshop.startAgent(quiet)
            try await workshop.untilOnline()
            for (name, value) in try await look(at: ProcessFigures(id: agent.processIdentifier)) {
                rounds.note(name, value)
            }
            workshop.stop(agent)
            for (figure, _) in idlePeers {
                let peer = try IdlePeer(figure)
                for (name, value) in try await look(at: peer.process) { rounds.note(peer: figure + name, value) }
                try peer.stop()
            }
        }
        let goals: [(name: String, unit: String, goal: Figure.Goal)] = [
            ("share (PSS)", "MB", .atMost(18)), ("its own (private)", "MB", .atMost(3)),
            ("wake-ups of all threads", "a minute", .atMost(6)),
        ]
        return goals.flatMap { name, unit, goal in
            idlePeers.map { figure, who in
                Figure(
                    "idle, \(name)", rounds.ours[name] ?? [], unit, goal: goal, peer: rounds.peer(who, figure + name))
            }
        }
    }

    /// A process that has settled, for a minute: the agent lets go of what it needed to start after 30 s.
    private static func look(at process: ProcessFigures) async throws -> [String: Double] {
        try await Task.sleep(for: .seconds(40))
        let before = try process.wakeups
        try await Task.sleep(for: .seconds(60))
        let wakeups = try process.wakeups - before
        let memory = try process.memory
        return [
            "share (PSS)": memory.share, "its own (private)": memory.own, "wake-ups of all threads": wakeups,
        ]
    }
}

/// Person → router → device → line driven → stored result → router → person, over TLS.
enum CommandBenchmark: Benchmark {
    static let name = "command"
    static let summary = "command: from the person to the driven line and back, 500 times"
    private static let count = 500
    private static let shares = [("p50", 0.5), ("p99", 0.99)]

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        try await workshop.untilOnline()
        var person = try await workshop.person()
        var rounds = Rounds()
        for _ in 0..<Rounds.count {
            let times = try await ask(&person)
            let peer = try Peers.measure("ask", ["QUESTIONS": count])
            for (name, share) in shares {
                rounds.note(name, times.percentile(share))
                rounds.note(peer: name, peer["\(name)_ms"])
            }
        }
        await person.close()
        return shares.map { name, _ in
            Figure(
                "command round trip, \(name)", rounds.ours[name] ?? [], "ms", goal: .atMostTimes(1),
                peer: rounds.peer("libmosquitto QoS 1", name))
        }
    }

    /// Commands one after the other; how long each took, in milliseconds.
    private static func ask(_ person: inout ClientConnection) async throws -> [Double] {
        let heater = Address(device: DeviceID(rawValue: "bench"), component: ComponentID(rawValue: "heater"))
        var times: [Double] = []
        for number in 0..<count {
            guard let id = CommandID(rawValue: "bench-\(UInt64.random(in: 0...(.max)))-\(number)") else { break }
            let clock = ContinuousClock()
            let start = clock.now
            let answer = try await person.ask(.call(CallRequest(id: id, address: heater, action: "toggle")))
            times.append((clock.now - start) / .milliseconds(1))
            guard case .observation(let report)? = answer.first, case .result(let result) = report.content,
                result.status == .done
            else { throw BenchError(description: "a command was not done: \(answer)") }
        }
        return times
    }
}

extension Workshop {
    /// Waits until the router says that the device is online.
    func untilOnline() async throws {
        var person = try await person()
        do {
            try await person.ask(.watch(Address())) { items in
                for case .device(let device) in items where device.isOnline { throw Online() }
            }
        } catch is Online {}
        await person.close()
    }
}

/// The device is online.
private struct Online: Error {}
