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
            let world = world(isNew: isNew)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [monitor] in
                    let thread = BlockingQueue(label: "m2m.integrity")
                    _ = try await thread.run { try IntegrityWorker(world, monitor: monitor)?.run() }
                }
                group.addTask { await watchThread() }
                try await group.next()
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: { [monitor] in
            monitor.stop()
        }
    }

    /// How often it is looked whether the thread goes on: seldom, for each time wakes the processor.
    private static let pause: Duration = .seconds(60)
    /// How long the thread may take to stop; where a disk holds it up, nobody waits for it.
    private static let farewell: Duration = .seconds(2)

    /// Tells people where a file holds the thread up, and returns when the thread had its time to stop.
    private func watchThread() async {
        let time = manager.time
        var told: MonotonicTime?
        while case .deadline = await monitor.stopping.next(until: time.now + Self.pause, on: time) {
            guard let stuck = monitor.stuck(at: time.now), told != stuck.since else { continue }
            told = stuck.since
            let event = Event(
                component: IntegrityComponent.id, name: IntegrityNews.Name.stuck.rawValue, detail: stuck.words)
            manager.observations.observe(at: time.now, .event(event))
            logger.error("files: stuck", metadata: ["detail": "\(stuck.words)"])
        }
        try? await time.sleep(until: time.now + Self.farewell)  // safe: cancelled, the thread has come to its end
    }

    private func world(isNew: Bool) -> IntegrityWorker.World {
        IntegrityWorker.World(
            settings: settings, folder: folder, isEnrolled: isEnrolled, isNew: isNew,
            disable: { [manager] in manager.disable($0) }, enable: { [manager] in manager.enable() },
            observe: { [manager] in manager.observations.observe(at: manager.time.now, $0) }, time: manager.time,
            logger: logger)
    }
}
