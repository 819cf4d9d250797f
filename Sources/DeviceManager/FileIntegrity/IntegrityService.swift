public import DeviceManager
import DeviceModel
public import Logging
public import ServiceLifecycle

/// Watches over the files of the device, until the shutdown.
public struct IntegrityService: Service {
    private let monitor: IntegrityMonitor
    private let manager: DeviceManager
    private let settings: AgentConfiguration.Integrity
    private let folder: IntegrityFolder
    private let isEnrolled: Bool
    private let logger: Logger

    /// A watch over files.
    ///
    /// - Parameters:
    ///   - monitor: The desk at which others ask.
    ///   - manager: What is disabled, and by which everything goes up.
    ///   - settings: Which files, and what is done about a change.
    ///   - folder: Where things are kept.
    ///   - isEnrolled: Whether a router knows of this device.
    ///   - logger: The program's logger.
    public init(
        _ monitor: IntegrityMonitor, manager: DeviceManager, settings: AgentConfiguration.Integrity,
        folder: IntegrityFolder, isEnrolled: Bool, logger: Logger
    ) {
        self.monitor = monitor
        self.manager = manager
        self.settings = settings
        self.folder = folder
        self.isEnrolled = isEnrolled
        self.logger = logger
    }

    /// Runs until the shutdown.
    ///
    /// - Throws: An ``ExplainedError`` where it can't be begun.
    public func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            let isNew = monitor.isOff
            guard await monitor.untilWanted() else { return }
            manager.describeAnew()
            // Where nothing was watched until now, no baseline was lost either: the router need not be asked first.
            let world = world(isEnrolled: isEnrolled && !isNew)
            let thread = BlockingQueue(label: "m2m.integrity")
            _ = try await thread.run { [monitor] in try IntegrityWorker(world, monitor: monitor).run() }
        } onCancelOrGracefulShutdown: { [monitor] in
            monitor.stop()
        }
    }

    private func world(isEnrolled: Bool) -> IntegrityWorker.World {
        IntegrityWorker.World(
            settings: settings, folder: folder, isEnrolled: isEnrolled,
            disable: { [manager] in manager.disable($0) }, enable: { [manager] in manager.enable() },
            observe: { [manager] in manager.observations.observe(at: manager.time.now, $0) }, time: manager.time,
            logger: logger)
    }
}
