import Client
import DeviceModel
import Foundation
import Wire

/// What a router takes for devices that do nothing, and how much goes through it.
enum RouterBenchmark: Benchmark {
    static let name = "router"
    static let summary = "router: memory for 2000 devices over TLS that do nothing, and messages a second"
    private static let devices = 2_000
    private static let messages = 100_000

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var rounds = Rounds()
        let fleet = try await Fleet(devices, workshop)
        for _ in 0..<Rounds.count {
            rounds.note("memory", try await fleet.memoryOfEach())
            let peer = try Peers.measure("crowd", ["CLIENTS": devices])
            rounds.note(peer: "memory", ((peer["after_kb"] ?? .nan) - (peer["before_kb"] ?? .nan)) / Double(devices))
        }
        for _ in 0..<Rounds.count {
            for (name, value) in try await route(workshop) { rounds.note(name, value) }
            rounds.note(
                peer: "rate", try Peers.measure("deliver", ["MESSAGES": messages])["readings_per_second"])
        }
        return [
            Figure(
                "router, resident memory for a device of \(devices)", rounds.ours["memory"] ?? [], "kB",
                goal: .atMostTimes(1), peer: rounds.peer("mosquitto", "memory")),
            Figure(
                "routed to a person, stored on the way", rounds.ours["rate"] ?? [], "/s", goal: .atLeastTimes(1),
                peer: rounds.peer("mosquitto QoS 1, not stored", "rate")),
            Figure("of \(messages) that were routed, the person saw", rounds.ours["seen"] ?? [], ""),
        ]
    }

    /// What a device has kept goes through the router to a person who watches: how many a second, and how many of them.
    private static func route(_ workshop: Workshop) async throws -> [String: Double] {
        try await StoreBenchmark.fill(workshop.path("state/store.db"), rows: messages, at: SystemTime().timestamp)
        var person = try await workshop.person()
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(120)
        var (seen, first, last) = (0, clock.now, clock.now)
        do {
            try await person.ask(.watch(Address()), within: nil) { items in
                let count = items.count { if case .observation = $0 { true } else { false } }
                let now = clock.now
                // Where some have passed the person by, what the device measures later ends this.
                if now > end || (seen > 1_000 && now - last > .seconds(3)) { throw Enough() }
                if seen == 0 { first = now }
                seen += count
                if count > 0 { last = now }
                if seen >= messages { throw Enough() }
            }
        } catch is Enough {}
        await person.close()
        return ["rate": Double(seen) / ((last - first) / .seconds(1)), "seen": Double(seen)]
    }
}

/// Nobody has to watch any longer.
private struct Enough: Error {}
