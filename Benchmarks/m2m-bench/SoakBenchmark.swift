import Foundation

/// Whether an agent grows while its router comes and goes: its memory, its descriptors and its threads, over an hour.
///
/// `SOAK_MINUTES` says how long instead.
enum SoakBenchmark: Benchmark {
    static let name = "soak"
    static let summary = "soak: an agent whose router comes and goes every 15 s, for an hour"
    /// It takes long: only whoever asks for it gets it.
    static let isUsual = false

    /// How long the router is there, and then away, each time.
    private static let pause = Duration.seconds(15)

    /// What is looked at, second by second.
    private struct Sample {
        let hours: Double
        let resident: Double
        let own: Double
        let descriptors: Double
        let threads: Double
    }

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let minutes = ProcessInfo.processInfo.environment["SOAK_MINUTES"].flatMap(Double.init) ?? 60
        let agent = try workshop.startAgent()
        defer { workshop.stop(agent) }
        try await workshop.untilOnline()
        let process = ProcessFigures(id: agent.processIdentifier)
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + .seconds(minutes * 60)
        var samples: [Sample] = []
        var bounces = 0.0
        var next = start + pause
        while clock.now < end {
            if clock.now >= next {
                try workshop.bounceRouter()
                bounces += 0.5
                next += pause
            }
            try await Task.sleep(for: .seconds(1))
            guard agent.isRunning else { throw BenchError(description: "the agent has ended") }
            samples.append(
                Sample(
                    hours: (clock.now - start) / .seconds(3_600), resident: try process.resident,
                    own: try process.memory.own, descriptors: try process.descriptors, threads: try process.threads))
        }
        // The first tenth is what it takes to have done everything once.
        let settled = samples.dropFirst(samples.count / 10)
        func slope(_ value: (Sample) -> Double) -> Double {
            Array(settled).slope(over: \.hours, of: value)
        }
        return [
            Figure("router was there and away", bounces, "times"),
            Figure("resident memory", samples.map(\.resident), "MB"),
            Figure("resident memory, slope", slope(\.resident), "MB an hour", goal: .atMost(0.5)),
            Figure("private memory, slope", slope(\.own), "MB an hour", goal: .atMost(0.5)),
            Figure("descriptors", samples.map(\.descriptors), ""),
            Figure("descriptors, slope", slope(\.descriptors), "an hour", goal: .atMost(0.5)),
            Figure("threads", samples.map(\.threads), ""),
            Figure("threads, slope", slope(\.threads), "an hour", goal: .atMost(0.5)),
        ]
    }
}

extension Array {
    /// How much a value grows for each of a unit of another: the line of the least squares.
    func slope(over place: (Element) -> Double, of value: (Element) -> Double) -> Double {
        let many = Double(count)
        let (meanPlace, meanValue) = (map(place).reduce(0, +) / many, map(value).reduce(0, +) / many)
        let together = reduce(0) { $0 + (place($1) - meanPlace) * (value($1) - meanValue) }
        let alone = reduce(0) { $0 + (place($1) - meanPlace) * (place($1) - meanPlace) }
        return together / alone
    }
}
