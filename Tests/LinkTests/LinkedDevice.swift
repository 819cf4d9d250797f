import ConfigurationSchema
import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import Logging
import ServiceLifecycle
import Store
import TOMLFile
import TestSupport

/// A device with a button and a relay, its store on the disk, and a clock that a test turns.
final class LinkedDevice: Sendable {
    let folder: TemporaryDirectory
    let clock: ManualTime
    let board: SimulatedBoard
    let configuration: AgentConfiguration
    let manager: DeviceManager

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A device with its store and its key in a folder.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - router: The keys of `[router]`; nil: there is none.
    ///   - clock: The clock that the test turns.
    ///   - time: A clock around that one, where a test wants to know who sleeps.
    ///   - outbox: What stands before the store.
    /// - Throws: What is wrong with the configuration or the store.
    init(
        _ folder: TemporaryDirectory, router: String? = nil, clock: ManualTime = ManualTime(),
        time: (any TimeSource)? = nil, outbox: (any Outbox) -> any Outbox = { $0 }
    ) throws {
        self.folder = folder
        self.clock = clock
        let time = time ?? clock
        var findings = Findings(file: folder.file("agent.toml"))
        let text = """
            [device]
            id = "greenhouse"
            state_directory = "\(folder.path)"
            \(router.map { "[router]\n\($0)" } ?? "")
            [store]
            commit_interval = "100ms"
            [components.switch]
            model = "button"
            line = "GPIO17"
            debounce = "0s"
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            on_link_lost = { after = "30s", do = "safe" }
            """
        guard let configuration = AgentConfiguration.read(TOMLFile.parse(text, &findings), &findings) else {
            throw HarnessError(description: findings.lines.joined(separator: "\n"))
        }
        self.configuration = configuration
        board = SimulatedBoard(time: time)
        let store = try Store(
            path: folder.file("store.db"),
            bounds: Store.Bounds(size: 67_108_864, age: .seconds(86_400), hasRouter: true), time: time)
        var world = DeviceManager.Surroundings(
            board: board, outbox: outbox(store), log: store, time: time, logger: Self.logger)
        world.patience = .seconds(3_600)  // time runs by itself here, and lines are driven by a thread
        manager = DeviceManager(configuration, software: "test", in: world)
    }

    /// Runs everything but the link while a test looks at it, from when all components have said how they are, and
    /// shuts it down as a signal would.
    ///
    /// - Parameters:
    ///   - others: What runs besides, as long as all of that does.
    ///   - body: The test.
    /// - Throws: What the test throws.
    func run(
        beside others: [any Service] = [], _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        clock.allow(until: clock.now + .seconds(5))  // readings wait for each other, but not for the test
        let (arrivals, end) = manager.observations.watch(bound: 1_000)
        try await runServices(others + manager.services) { [manager] in
            while manager.observations.read(Address()).count < 2 { _ = await arrivals.next() }
            end()
            try await body()
        }
    }

    /// Waits until a thing of a kind, which the body brings about, is on the disk.
    func stored(
        _ isIt: (Observation.Content) -> Bool, after body: () async throws -> Void
    ) async throws {
        let (arrivals, end) = manager.observations.watch(bound: 1_000)
        defer { end() }
        try await body()
        while let record = await arrivals.next() {
            if isIt(record.observation.content) { return }
        }
    }

    /// Whether the relay is on.
    var isHeating: Bool {
        get throws { try board.look(at: .name("GPIO5")) == .active }
    }

    /// How often the relay has been switched.
    var switches: Int {
        get throws { try board.switches(of: .name("GPIO5")) }
    }

    /// Presses the button and lets go of it.
    func press() throws {
        try board.drive(.name("GPIO17"), .active)
        try board.drive(.name("GPIO17"), nil)
    }
}

/// Runs services while a test looks at them, and shuts them down as a signal would.
func runServices(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
    let group = ServiceGroup(
        configuration: .init(services: services.map { .init(service: $0) }, logger: LinkedDevice.logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        tasks.addTask {
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
        }
        try await tasks.waitForAll()
    }
}
