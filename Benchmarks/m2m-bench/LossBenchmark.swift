import Foundation

/// What becomes of observations under kills, cuts, full disks and wrong clocks: `make chaos`, and the last lines of its
/// table.
enum LossBenchmark: Benchmark {
    static let name = "loss"
    static let summary = "loss: faults of every kind, of all programs; OBSERVATIONS says until how many (100 000)"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let count = ProcessInfo.processInfo.environment["OBSERVATIONS"] ?? "100000"
        process.arguments = ["make", "chaos", "OBSERVATIONS=\(count)"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let words = text.split(separator: "\n").first { $0.hasPrefix("all ") }?.split(separator: " ") ?? []
        // Of the table's last line: faults, committed, arrived, twice, missing, explained.
        let numbers = words.dropFirst().compactMap { Double($0) }
        guard process.terminationStatus == 0, numbers.count == 6 else {
            throw BenchError(description: "make chaos failed:\n\(text)")
        }
        return [
            Figure("observations under \(Int(numbers[0])) faults", numbers[1], ""),
            Figure("of these lost and not named", numbers[4], "", goal: .atMost(0)),
            Figure("of these twice", numbers[3], "", goal: .atMost(0)),
            Figure("of these lost and named by a gap", numbers[5], ""),
        ]
    }
}
