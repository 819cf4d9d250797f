import CSimulatedDisk
import Foundation
import TestSupport
import Testing

/// Promise: whatever happens to disks, network, clocks and processes of either side, an observation that was committed is
/// at the router once, or named as missing.
///
/// Each seed is another history of faults, and always the same one.
@Suite(.serialized, .timeLimit(.minutes(20))) struct SimulationTests {
    /// One seed by `SIMULATION_SEED`, or so many by `SIMULATIONS`.
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["SIMULATION_SEED"].flatMap({ UInt64($0) }) { return [one] }
        return Array(1...(environment["SIMULATIONS"].flatMap { UInt64($0) } ?? 500))
    }()

    @Test("Nothing that was committed is lost, comes twice or is anything else, in 500 histories of faults")
    func nothingIsLost() async throws {
        simulated_disk_seed_randomness(1)
        var faults: [String: Int] = [:]
        for seed in Self.seeds {
            let outcome = try await Simulation.run(seed: seed, isVerbose: Self.seeds.count == 1)
            faults.merge(outcome.faults) { $0 + $1 }
            if Self.seeds.count == 1 { print(outcome.trace.tail, outcome.verdict) }
            #expect(
                outcome.violations.isEmpty,
                "seed \(seed): \(outcome.violations.prefix(5)); `make simulation SEED=\(seed)` shows all that happened")
            #expect(outcome.verdict.committed > 100, "seed \(seed)")
            try Task.checkCancellation()
        }
    }

    @Test("A seed replays byte for byte", arguments: [3, 77, 1_234] as [UInt64]) func replays(seed: UInt64) async throws
    {
        let first = try await Simulation.run(seed: seed).trace
        let second = try await Simulation.run(seed: seed).trace
        #expect(first.hash == second.hash)
        #expect(first.count == second.count)
        #expect(first.tail == second.tail)
        #expect(try await Simulation.run(seed: seed &+ 1).trace.hash != first.hash)
    }
}
