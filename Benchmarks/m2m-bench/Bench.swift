import Foundation

/// Measures the programs of a folder: a table for people on standard error, JSON for programs on standard output.
///
/// Figures depend on the machine: they are printed, and decide nothing.
@main
struct Bench {
    private static let benchmarks: [any Benchmark.Type] = [
        // The first one looks at this process's own memory: nothing may have been allocated and freed before.
        AttemptsBenchmark.self, StartBenchmark.self, IdleBenchmark.self, KeeperBenchmark.self, CommandBenchmark.self,
        StoreBenchmark.self, WearBenchmark.self, UplinkBenchmark.self, RouterBenchmark.self, IntegrityBenchmark.self,
        VerdictBenchmark.self, LossBenchmark.self, SoakBenchmark.self,
    ]

    static func main() async {
        var arguments = CommandLine.arguments.dropFirst()
        guard let programs = arguments.popFirst() else { return usage() }
        let wanted = benchmarks.filter { arguments.isEmpty ? $0.isUsual : arguments.contains($0.name) }
        guard arguments.isEmpty || wanted.count == arguments.count else { return usage() }
        do {
            let figures = try await measure(wanted, in: try Workshop(programs: programs))
            show(figures)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            print(String(decoding: try encoder.encode(figures), as: UTF8.self))
        } catch {
            say("m2m-bench: \(error)")
            exit(1)
        }
    }

    /// The figures; programs that were started end with them, whatever happens.
    private static func measure(_ wanted: [any Benchmark.Type], in workshop: Workshop) async throws -> [Figure] {
        let outcome: Result<[Figure], any Error>
        do {
            var figures: [Figure] = []
            for benchmark in wanted {
                say("\(benchmark.summary) …")
                figures += try await benchmark.run(in: workshop)
            }
            outcome = .success(figures)
        } catch {
            outcome = .failure(error)
        }
        try workshop.close()
        return try outcome.get()
    }

    private static func show(_ figures: [Figure]) {
        let rows = [Figure.titles] + figures.map(\.row)
        let widths = Figure.titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            say(zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  "))
        }
    }

    private static func usage() {
        say("usage: m2m-bench FOLDER-WITH-THE-PROGRAMS [BENCHMARK…]")
        for benchmark in benchmarks { say("  \(benchmark.name): \(benchmark.summary)") }
        exit(2)
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
