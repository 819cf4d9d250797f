import DeviceManager
import DeviceModel
import Foundation
import Link
import NIOCore
import NIOPosix
import Synchronization

/// Whether a device whose router is away for years grows: the agent's own link, here in this process, whose pauses take
/// no time.
enum AttemptsBenchmark: Benchmark {
    static let name = "attempts"
    static let summary = "attempts: memory after 5000 failed tries to connect, and after 100 000 more; of two kinds"
    private static let count = 100_000

    static func run(in workshop: Workshop) async throws -> [Figure] {
        // A port where nobody listens, and one where everybody is hung up on.
        let rude = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { $0.close() }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = rude.localAddress?.port else { throw BenchError(description: "no port") }
        let refused = try await grow(workshop, port: 1)
        let hungUp = try await grow(workshop, port: port)
        try await rude.close()
        return [
            Figure("growth over 100 000 refused attempts", refused, "MB", goal: .atMost(1)),
            Figure("growth over 100 000 attempts cut off in TLS", hungUp, "MB", goal: .atMost(1)),
        ]
    }

    /// How much memory of its own the process has more after many tries than once it has all that a try needs, in MB.
    private static func grow(_ workshop: Workshop, port: Int) async throws -> Double {
        let device = try BareDevice(
            "bench", url: "wss://127.0.0.1:\(port)", authority: workshop.path("router/tls/ca.pem"),
            folder: workshop.path("state"), store: workshop.path("attempts-\(port).db"), time: try HurriedTime())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await device.link.run() }
            defer { group.cancelAll() }
            try await tries(5_000, of: device.manager)
            let before = try ProcessFigures.own.memory.own
            try await tries(5_000 + count, of: device.manager)
            return try ProcessFigures.own.memory.own - before
        }
    }

    private static func tries(_ count: Int, of manager: DeviceManager) async throws {
        let end = ContinuousClock.now + .seconds(1_200)
        while manager.link.status?.failedAttempts ?? 0 < count {
            guard ContinuousClock.now < end else { throw BenchError(description: "\(count) tries take over 1200 s") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// A clock on which whoever sleeps has slept.
private final class HurriedTime: TimeSource {
    private let real: SystemTime
    private let ahead = Mutex(Duration.zero)

    init() throws(SystemTimeError) { real = try SystemTime() }

    var boot: BootID { real.boot }
    var now: MonotonicTime { real.now + ahead.withLock { $0 } }
    var wall: WallTime { real.wall }
    var isWallSynchronised: Bool { real.isWallSynchronised }

    func sleep(until deadline: MonotonicTime) async throws {
        try Task.checkCancellation()
        let rest = deadline - now
        if rest > .zero { ahead.withLock { $0 += rest } }
        await Task.yield()
    }
}
