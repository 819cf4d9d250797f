import DeviceModel
import Foundation
import Store

/// Rows into the agent's store, a hundred in a transaction, against plain C with the same pragmas, table and indexes.
enum StoreBenchmark: Benchmark {
    static let name = "store"
    static let summary = "store: 200 000 rows, 100 in a transaction, each on the disk when the call is back"
    private static let rows = 200_000

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var rounds = Rounds()
        for round in 0..<Rounds.count {
            let path = workshop.path("bench-\(round).db")
            let clock = ContinuousClock()
            let (start, worked) = (clock.now, ProcessFigures.ownSeconds)
            try await fill(path, rows: rows, at: try SystemTime().timestamp)
            rounds.note("rows", Double(rows) / ((clock.now - start) / .seconds(1)))
            rounds.note("work", (ProcessFigures.ownSeconds - worked) / Double(rows) * 1_000_000)
            let peer = try Peers.measure("store", ["ROWS": rows, "BATCH": 100])
            rounds.note(peer: "rows", peer["rows_per_second"])
            rounds.note(peer: "work", (peer["cpu_seconds"] ?? .nan) / Double(rows) * 1_000_000)
        }
        return [
            Figure(
                "store", rounds.ours["rows"] ?? [], "rows/s", goal: .atLeastTimes(0.6),
                peer: rounds.peer("plain C", "rows")),
            Figure(
                "store, processor for a row", rounds.ours["work"] ?? [], "µs", peer: rounds.peer("plain C", "work")),
        ]
    }

    /// Stores readings in a run of its own, which ends in order.
    static func fill(_ path: String, rows: Int, at first: Timestamp) async throws {
        let bounds = Store.Bounds(size: 1 << 30, age: .seconds(30 * 86_400), hasRouter: true)
        let store = try Store(path: path, bounds: bounds, time: try SystemTime())
        for batch in 0..<(rows / 100) {
            _ = try await store.append((0..<100).map { reading(batch * 100 + $0, first) }, lost: [])
        }
        try await store.finish()
    }

    /// One of two sensors that take turns.
    static func reading(_ number: Int, _ first: Timestamp) -> Observation {
        let isFirst = number.isMultiple(of: 2)
        guard let component = ComponentID(rawValue: isFirst ? "climate" : "cellar") else {
            preconditionFailure("both names are as they may be")
        }
        var time = first
        time.monotonic = first.monotonic + .milliseconds(number)
        let reading = Reading(
            component: component, property: isFirst ? "temperature" : "pressure",
            value: .number((isFirst ? 290 : 100_000) + Double(number % 1_000) / 100))
        return Observation(time: time, content: .reading(reading))
    }
}

/// What the store gives the disk to write in a day, with two sensors that each measure once a second.
enum WearBenchmark: Benchmark {
    static let name = "wear"
    static let summary = "wear: bytes written in a day by two sensors at 1 Hz, for two commit intervals"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        var figures: [Figure] = []
        // A part of the day is enough: what is written comes round with each checkpoint.
        for (interval, part) in [(1, 20), (30, 2)] {
            let (rows, commits) = (2 * interval, 86_400 / interval / part)
            let written = try await written(workshop.path("wear-\(interval).db"), rows: rows, commits: commits)
            let peer = try Peers.measure("store", ["ROWS": rows * commits, "BATCH": rows])
            let theirs = (peer["written_bytes"] ?? .nan) * Double(part) / 1e9
            figures.append(
                Figure(
                    "written in a day, commits every \(interval) s", written * Double(part) / 1e9, "GB",
                    peer: Figure.Peer(name: "plain C, nothing trimmed", value: theirs)))
        }
        return figures
    }

    /// Stores, and lets go what the router acknowledges, as a connected agent does.
    private static func written(_ path: String, rows: Int, commits: Int) async throws -> Double {
        let bounds = Store.Bounds(size: 67_108_864, age: .seconds(30 * 86_400), hasRouter: true)
        let time = try SystemTime()
        let store = try Store(path: path, bounds: bounds, time: time)
        let before = try ProcessFigures.own.written
        for commit in 0..<commits {
            let stored = try await store.append(
                (0..<rows).map { StoreBenchmark.reading(commit * rows + $0, time.timestamp) }, lost: [])
            guard let last = stored.last?.position else { continue }
            let numbers = SequenceRanges([last.sequence + 1 - UInt64(rows)...last.sequence])
            try await store.acknowledge(StreamReception(stream: last.stream, epoch: last.epoch, received: numbers))
        }
        try await store.finish()
        return try ProcessFigures.own.written - before
    }
}
