import Client
import ConfigurationSchema
import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import LocalAPI
import Logging
import NIOPosix
import ServiceLifecycle
import TOMLFile
import TestSupport
import Wire

/// An agent on a simulated board with its local socket, a store in memory and a clock that a test turns.
final class LocalAgent: Sendable {
    let folder: TemporaryDirectory
    let time = ManualTime()
    let board: SimulatedBoard
    let store = InMemoryStore()
    let configuration: AgentConfiguration
    let manager: DeviceManager

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An agent whose socket is in a folder, under a name.
    init(_ folder: TemporaryDirectory, socket: String = "agent.sock") throws {
        self.folder = folder
        var findings = Findings(file: folder.file("agent.toml"))
        let text = """
            [device]
            id = "greenhouse"
            label = "Gewächshaus"
            [local]
            socket = "\(folder.file(socket))"
            control_group = "m2m"
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
            """
        guard let configuration = AgentConfiguration.read(TOMLFile.parse(text, &findings), &findings) else {
            throw HarnessError(description: findings.lines.joined(separator: "\n"))
        }
        self.configuration = configuration
        board = SimulatedBoard(time: time)
        var world = DeviceManager.Surroundings(
            board: board, outbox: store, log: store, time: time, logger: Self.logger)
        world.patience = .seconds(3_600)  // time runs by itself here, and lines are driven by a thread
        manager = DeviceManager(configuration, software: "test", in: world)
    }

    /// The socket.
    var socket: String { configuration.local.socket }

    /// Whether the relay is on.
    var isHeating: Bool {
        get throws { try board.look(at: .name("GPIO5")) == .active }
    }

    /// Presses the button, or lets go of it.
    func press(_ isPressed: Bool) throws {
        try board.drive(.name("GPIO17"), isPressed ? .active : .inactive)
    }

    /// Drives a line of the board from outside.
    var finger: LocalService.Finger {
        { [board] (line, value) throws(HALError) in try board.drive(line, value) }
    }

    /// The door alone.
    func service(isSimulated: Bool = true) -> LocalService {
        LocalService(
            configuration.local, manager: manager, finger: isSimulated ? finger : nil,
            group: .singletonMultiThreadedEventLoopGroup, logger: Self.logger)
    }

    /// Runs the whole agent while a test looks at it, from when all components have said how they are and the door is
    /// open, and shuts it down as a signal would.
    func run(isSimulated: Bool = true, _ body: @escaping @Sendable () async throws -> Void) async throws {
        time.allow(until: time.now + .seconds(5))  // readings wait for each other, but not for the test
        try await runServices(manager.services + [service(isSimulated: isSimulated)]) { [self] in
            while manager.observations.read(Address()).count < properties { _ = await store.stored.next() }
            try await opened()
            try await body()
        }
    }

    /// How many properties its components have.
    var properties: Int { manager.description.components.map(\.properties.count).reduce(0, +) }

    /// Waits until somebody answers on the socket.
    func opened() async throws {
        while true {
            do {
                let connection = try await ClientConnection.local(socket)
                return await connection.close()
            } catch {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    /// Asks on a connection of its own.
    func ask(_ request: Request) async throws -> [Item] {
        var connection = try await ClientConnection.local(socket)
        let items: [Item]
        do {
            items = try await connection.ask(request)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return items
    }

    /// Asks for something that is refused.
    ///
    /// - Returns: Why.
    func refusal(_ request: Request) async -> Failure? {
        do {
            _ = try await ask(request)
            return nil
        } catch {
            return error as? Failure
        }
    }
}

/// Runs services while a test looks at them, and shuts them down as a signal would.
func runServices(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
    let group = ServiceGroup(
        configuration: .init(services: services.map { .init(service: $0) }, logger: LocalAgent.logger))
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
