import DeviceManager
import DeviceModel
import FileIntegrity
import HAL
import HALLinux
import HALSimulated
import Keeper
import Link
import LocalAPI
import Logging
import NIOCore
import ServiceLifecycle
import Store

/// How the agent is put together: the only place that knows all its parts.
struct Wiring {
    /// Everything that runs, in the order in which it starts; it stops in the reverse order.
    let services: [any Service]
    /// The heart.
    let manager: DeviceManager
    /// The agent's state, which is this process's own for as long as this is kept.
    private let folder: StateDirectory

    /// Puts the agent together.
    ///
    /// - Parameters:
    ///   - loaded: The configuration.
    ///   - folder: The agent's state.
    ///   - supervisor: Who is told how the agent is.
    ///   - time: The clock.
    ///   - group: Where connections live.
    ///   - logger: The program's logger.
    /// - Throws: An ``ExplainedError`` when a part can't be made.
    init(
        _ loaded: LoadedConfiguration, folder: StateDirectory, supervisor: any Supervisor, time: any TimeSource,
        group: any EventLoopGroup, logger: Logger
    ) throws {
        self.folder = folder
        let agent = loaded.agent
        var services: [any Service] = []

        // The board, and the finger that reaches the outside of a simulated one.
        let board: any Board
        var finger: LocalService.Finger?
        switch agent.boardKind {
        case .linux: board = LinuxBoard(stateDirectory: agent.stateDirectory, time: time)
        case .simulated:
            let simulated = SimulatedBoard(scenario: loaded.scenario, time: time)
            finger = { (line, value) throws(HALError) in try simulated.drive(line, value) }
            services.append(SimulationService(board: simulated))
            board = simulated
        }

        // The store, and the heart above it.
        let bounds = Store.Bounds(
            size: agent.store.maxSize, age: agent.store.keep, whenFull: agent.store.whenFull,
            hasRouter: agent.router != nil)
        let losses = LossLog(logger, time: time)
        let store = try Store(path: folder.file("store.db"), bounds: bounds, time: time, onLoss: losses.note)
        var world = DeviceManager.Surroundings(
            board: board, outbox: store, log: store, time: time, logger: logger)
        if let keeper = agent.keeper {
            world.holder = KeeperHolder(
                socket: keeper.socket, tableFile: keeper.table, board: board, time: time, logger: logger)
            world.journal = OutputJournalFile(path: keeper.journal)
        }
        let files = IntegrityFolder(folder.path)
        let monitor =
            agent.integrity == nil && agent.router == nil
            ? nil : try IntegrityMonitor(files, isConfigured: agent.integrity != nil, time: time)
        world.integrity = monitor
        manager = DeviceManager(agent, software: M2MAgent.software, in: world)
        if let reason = DisabledMark(path: folder.file("disabled")).reason {
            logger.error("the device is disabled: its outputs are made safe", metadata: ["reason": "\(reason)"])
            manager.disable(reason)
        }
        if let monitor {
            services.append(
                IntegrityService(
                    monitor, manager: manager, settings: agent.integrity ?? loaded.ownFiles, folder: files,
                    isEnrolled: agent.router != nil && SafeFile.exists(folder.file("device.key")), logger: logger))
        }
        // The doors: one on the device itself, one to the router.
        let local = LocalService(agent.local, manager: manager, finger: finger, group: group, logger: logger)
        services.append(local)
        if let router = agent.router {
            let access = RouterAccess(router, stateDirectory: folder.path)
            services.append(LinkService(manager, access: access, group: group, logger: logger))
        }

        // The heart last, so that it stops first: outputs are safe before anything waits for the network, and what
        // components say last is stored while the link still stands.
        services += manager.services
        let vitals = manager.vitals + [local.vital]
        services.append(WatchdogService(vitals: vitals, supervisor: supervisor, time: time, logger: logger))
        self.services = services
    }
}

/// Lets a simulated board live until the shutdown.
private struct SimulationService: Service {
    let board: SimulatedBoard

    func run() async throws {
        await withGracefulShutdownHandler {
            await board.run()
        } onGracefulShutdown: {
            board.stop()
        }
    }
}
