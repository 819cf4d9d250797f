import Foundation
import Testing

/// Whatever happens to a store, whatever was stored is in the end at the router, once, or named as missing.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OutboxPropertyTests {
    private static let histories: UInt64 = 300
    private static let parts: UInt64 = 6

    /// `M2M_SEED=17 swift test --filter OutboxPropertyTests` lives through one history again, and tells it.
    private static let replay = ProcessInfo.processInfo.environment["M2M_SEED"].flatMap { UInt64($0) }

    @Test("hundreds of random histories end with all of it at the router, once, or named", arguments: 0..<parts)
    func histories(_ part: UInt64) async throws {
        if let seed = Self.replay {
            if part == 0 { try await Self.tell(seed) }
            return
        }
        var (observations, differences): (Int, [String]) = (0, [])
        for seed in stride(from: part, to: Self.histories, by: Int(Self.parts)) {
            let world = try Self.world(seed)
            do {
                try await world.live()
            } catch {
                differences.append("seed \(seed): \(error)")
            }
            observations += world.count
        }
        #expect(differences == [])
        #expect(observations > 3_000, "hardly anything was stored: these histories prove nothing")
    }

    private static func world(_ seed: UInt64) throws -> OutboxWorld {
        let disasters = OutboxWorld.Disaster.allCases
        return try OutboxWorld(seed: seed, disasters[Int(seed % UInt64(disasters.count))])
    }

    /// Lives through one history, and tells it.
    private static func tell(_ seed: UInt64) async throws {
        let world = try world(seed)
        defer { print(world.log) }
        try await world.live()
    }
}
