import Foundation
import Synchronization
import Testing

/// What outputs do agrees with a small model of what is promised, over random histories of commands, leases, losses of
/// the link, kills and reboots, and a witness at the lines sees nothing that must never be; a machine that lacks one of
/// its rules is found out by both.
struct OutputsModelTests {
    private static let histories: UInt64 = 10_000
    private static let parts: UInt64 = 8
    /// How often the lines changed in each part that went as promised.
    private static let edges = Mutex<[UInt64: Int]>([:])

    /// `M2M_SEED=1714 swift test --filter OutputsModelTests` lives through one history again.
    private static let replay = ProcessInfo.processInfo.environment["M2M_SEED"].flatMap { UInt64($0) }

    @Test("Ten thousand random histories go as promised", arguments: 0..<parts)
    func histories(_ part: UInt64) async throws {
        if let seed = Self.replay {
            if part == 0 { try OutputsHistory.run(seed: seed) }
            return
        }
        var edges = 0
        for seed in stride(from: part, to: Self.histories, by: Int(Self.parts)) {
            edges += try OutputsHistory.run(seed: seed)
            await Task.yield()  // others have their time limits
        }
        #expect(edges > 1_000, "the lines hardly moved: these histories prove nothing")
        Self.tell(edges, of: part)
    }

    /// Says once how many histories went as promised, when all parts have.
    private static func tell(_ count: Int, of part: UInt64) {
        let all = edges.withLock { edges -> [UInt64: Int] in
            edges[part] = count
            return edges
        }
        guard all.count == parts else { return }
        print("\(histories) histories from seed 0: \(all.values.reduce(0, +)) edges, no difference")
    }

    @Test("The model finds out a machine without one of its rules", arguments: OutputsWorld.Sabotage.all)
    func broken(_ sabotage: OutputsWorld.Sabotage) {
        #expect(
            (0..<1_000).contains { Self.isFoundOut(sabotage, seed: $0) },
            "a machine without \(sabotage.lacks) lived through a thousand histories")
    }

    @Test(
        "What must never be is seen at the lines, too, whatever the model thinks",
        arguments: OutputsWorld.Sabotage.all.filter(\.isSeenAtTheLines))
    func witnessed(_ sabotage: OutputsWorld.Sabotage) {
        var sabotage = sabotage
        sabotage.isCompared = false
        #expect(
            (0..<1_000).contains { Self.isFoundOut(sabotage, seed: $0) },
            "the lines of a machine without \(sabotage.lacks) never did what they must not")
    }

    private static func isFoundOut(_ sabotage: OutputsWorld.Sabotage, seed: UInt64) -> Bool {
        do throws(OutputDifference) {
            try OutputsHistory.run(seed: seed, sabotage: sabotage, isTold: false)
            return false
        } catch {
            return true
        }
    }
}
