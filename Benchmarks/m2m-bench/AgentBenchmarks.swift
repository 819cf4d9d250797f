import Client
import DeviceModel
import Foundation
import Wire

/// From the start of the program to the moment when the router says that the device is online.
enum StartBenchmark: Benchmark {
    static let name = "start"
    static let summary = "agent: from its start until it is online"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var times: [Double] = []
        for _ in 0..<7 {
            let clock = ContinuousClock()
            let start = clock.now
            let agent = try workshop.startAgent()
            try await workshop.untilOnline()
            times.append((clock.now - start) / .milliseconds(1))
            workshop.stop(agent)
        }
        return [Figure("start to online, median of 7", times, "ms", goal: .atMost(1_000))]
    }
}

/// What a connected agent with three components takes while nothing happens.
enum IdleBenchmark: Benchmark {
    static let name = "idle"
    static let summary = "agent: memory and wake-ups while it is connected and nothing happens, for a minute"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        try await workshop.untilOnline()
        try await Task.sleep(for: .seconds(15))
        let process = ProcessFigures(id: agent.processIdentifier)
        let before = try process.wakeups
        try await Task.sleep(for: .seconds(60))
        let wakeups = try process.wakeups - before
        let memory = try process.memory
        return [
            Figure("idle memory, share (PSS)", memory.share, "MB", goal: .atMost(18)),
            Figure("idle memory, its own (private)", memory.own, "MB", goal: .atMost(3)),
            // Counted with the one measurement a minute and the router's three heartbeats.
            Figure("idle wake-ups of all threads", wakeups, "a minute"),
        ]
    }
}

/// Person → router → device → line driven → stored result → router → person, over TLS.
enum CommandBenchmark: Benchmark {
    static let name = "command"
    static let summary = "command: from the person to the driven line and back, 500 times"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        try await workshop.untilOnline()
        var person = try await workshop.person()
        let heater = Address(device: DeviceID(rawValue: "bench"), component: ComponentID(rawValue: "heater"))
        var times: [Double] = []
        for number in 0..<500 {
            guard let id = CommandID(rawValue: "bench-\(UInt64.random(in: 0...(.max)))-\(number)") else { break }
            let clock = ContinuousClock()
            let start = clock.now
            let answer = try await person.ask(.call(CallRequest(id: id, address: heater, action: "toggle")))
            times.append((clock.now - start) / .milliseconds(1))
            guard case .observation(let report)? = answer.first, case .result(let result) = report.content,
                result.status == .done
            else { throw BenchError(description: "a command was not done: \(answer)") }
        }
        await person.close()
        let peer = try Peers.measure("ask", ["QUESTIONS": times.count])
        return [("p50", 0.5), ("p99", 0.99)].map { name, share in
            Figure(
                "command round trip, \(name)", times.percentile(share), "ms", goal: .atMostTimes(1),
                peer: Figure.Peer(name: "libmosquitto QoS 1", value: peer["\(name)_ms"] ?? .nan))
        }
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
