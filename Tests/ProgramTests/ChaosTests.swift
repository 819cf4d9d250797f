import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: whatever is killed, cut, slowed down, damaged, filled up or set wrong, what was committed is in the router's
    /// history once, or named as missing.
    ///
    /// `make chaos` runs this alone, and for longer: `CHAOS_OBSERVATIONS` says until how many observations, `CHAOS_SEED`
    /// which faults come when.
    @Suite(.serialized, .timeLimit(.minutes(90))) struct ChaosTests {
        private static let variables = ProcessInfo.processInfo.environment
        private static let observations = variables["CHAOS_OBSERVATIONS"].flatMap { Int($0) } ?? 10_000
        private static let seed = variables["CHAOS_SEED"].flatMap { UInt64($0) } ?? 1

        @Test("Under faults of every kind nothing is missing, nothing comes twice, and nothing is unexplained")
        func everything() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                let port = try #require(house.url.split(separator: ":").last.flatMap { Int($0) })
                try await StallingProxy.run(toPort: port) { proxy in
                    let chaos = Chaos(house, proxy, router: router, seed: Self.seed)
                    try await chaos.begin()
                    try await chaos.rage(until: Self.observations)
                    let devices = try await chaos.calm()
                    let books = try chaos.books()
                    print(books.table)
                    books.check(devices, seed: Self.seed)
                }
            }
        }
    }
}

extension ChaosBooks {
    /// Whether all is as promised.
    ///
    /// - Parameters:
    ///   - device: What `m2m devices` says of the device.
    ///   - seed: Of the faults.
    fileprivate func check(_ device: JSON, seed: UInt64) {
        let comment: Comment = "faults of CHAOS_SEED=\(seed)"
        let total = total
        #expect(total.missing == 0, comment)
        #expect(total.twice == 0, comment)
        #expect(total.arrived + total.explained == total.committed, comment)
        #expect(waiting == 0, "something never went up: \(comment)")
        #expect(strangers.isEmpty, "the watch on the device saw what the router knows otherwise: \(comment)")
        #expect(witnessed > 50, "hardly anything was watched: this proves nothing")
        #expect(rows.filter { $0.times > 0 }.count >= Chaos.Fault.possible.count, comment)
        // The owner is told the same.
        #expect(device["missing"] == .number(Double(total.explained - unknown)))
        #expect(device["unknown"] == .number(Double(unknown)))
        #expect(device["conflicts"] == 0)
    }
}
