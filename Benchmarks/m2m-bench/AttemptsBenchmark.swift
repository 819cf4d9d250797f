import ConfigurationSchema
import DeviceManager
import DeviceModel
import Foundation
import HALSimulated
import Link
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import Synchronization
import TOMLFile

/// Whether a device whose router is away for years grows: the agent's own link, here in this process, whose pauses take
/// no time.
enum AttemptsBenchmark: Benchmark {
    static let name = "attempts"
    static let summary = "attempts: memory after 5000 failed tries to connect, and after 50 000; of two kinds"
    private static let count = 50_000

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
            Figure("growth from 5000 to 50 000 refused attempts", refused, "MB", goal: .atMost(0.5)),
            Figure("growth from 5000 to 50 000 attempts cut off in TLS", hungUp, "MB", goal: .atMost(0.5)),
        ]
    }

    /// How much memory of its own the process has more after many tries than once it has all that a try needs, in MB.
    private static func grow(_ workshop: Workshop, port: Int) async throws -> Double {
        let manager = try manager(workshop, port: port)
        guard let router = manager.router else { throw BenchError(description: "no router") }
        let access = RouterAccess(router, stateDirectory: workshop.path("state"))
        let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let link = LinkService(
            manager.manager, access: access, group: .singletonMultiThreadedEventLoopGroup, logger: silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await link.run() }
            defer { group.cancelAll() }
            try await tries(5_000, of: manager.manager)
            let before = try ProcessFigures.own.memory.own
            try await tries(count, of: manager.manager)
            return try ProcessFigures.own.memory.own - before
        }
    }

    private static func tries(_ count: Int, of manager: DeviceManager) async throws {
        let end = ContinuousClock.now + .seconds(600)
        while manager.link.status?.failedAttempts ?? 0 < count {
            guard ContinuousClock.now < end else { throw BenchError(description: "\(count) tries take over 600 s") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A device that is nothing but its link.
    private static func manager(
        _ workshop: Workshop, port: Int
    ) throws -> (manager: DeviceManager, router: AgentConfiguration.Router?) {
        let text = """
            [device]
            id = "bench"
            state_directory = "\(workshop.path("state"))"
            [router]
            url = "wss://127.0.0.1:\(port)"
            ca_file = "\(workshop.path("router/tls/ca.pem"))"
            """
        var findings = Findings(file: "bench")
        guard let configuration = AgentConfiguration.read(TOMLFile.parse(text, &findings), &findings) else {
            throw BenchError(description: findings.lines.joined(separator: "\n"))
        }
        let time = try HurriedTime()
        let bounds = Store.Bounds(size: 1 << 20, age: .seconds(86_400), hasRouter: true)
        let store = try Store(path: workshop.path("attempts-\(port).db"), bounds: bounds, time: time)
        let world = DeviceManager.Surroundings(
            board: SimulatedBoard(time: time), outbox: store, log: store, time: time,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        return (DeviceManager(configuration, software: "bench", in: world), configuration.router)
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
