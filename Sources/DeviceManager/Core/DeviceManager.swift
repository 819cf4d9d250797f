public import DeviceModel
public import HAL
public import Logging
public import ServiceLifecycle
import Synchronization

/// The heart of the agent: components on a board, the road up to the outbox and the road down from whoever commands.
///
/// What connects to it (the link to the router, the local socket) uses the same few doors, and nothing has a private
/// one. Docs/Architecture.md draws the roads.
public final class DeviceManager: Sendable {
    /// The road up.
    public let observations: ObservationHub
    /// The road down.
    public let commands: CommandRouter
    /// Where observations are safe.
    public let outbox: any Outbox
    /// How the link to the router is; whoever makes the link keeps it up to date.
    public let link: LinkMonitor
    /// The watch over the device's files; nil: there is none.
    public let integrity: (any IntegrityDesk)?
    /// The clock.
    public let time: any TimeSource
    /// Everything that runs, in the order in which it starts.
    ///
    /// It stops in the reverse order: outputs first, the recorder last, so that what they say last is stored.
    public let services: [any Service]

    /// The parts of the core that have to make progress for the agent to be alive.
    ///
    /// The link is none of them: a network that is away is no reason to be restarted.
    public let vitals: [Vital]

    private let board: any Board
    private let components: ComponentService
    private let outputs: OutputService
    private let bindings: BindingService
    private let software: String
    private let startedAt: MonotonicTime
    private let configured: Mutex<AgentConfiguration>
    private let watchers = Mutex<[Mailbox<DeviceDescription>]>([])

    /// What the core needs of the world around it.
    public struct Surroundings: Sendable {
        /// The board.
        public var board: any Board
        /// Who holds the output lines; nil: the agent itself, by the board.
        public var holder: (any OutputHolder)?
        /// Where the outputs are written down for the next run; nil: nowhere.
        public var journal: OutputJournalFile?
        /// How long an output line may take to be there and to be driven, until people are told that it does not answer.
        public var patience = Outputs.usualPatience
        /// Where observations are kept.
        public var outbox: any Outbox
        /// Where commands are written down.
        public var log: any CommandLog
        /// The watch over the device's files; nil: there is none.
        public var integrity: (any IntegrityDesk)?
        /// The clock.
        public var time: any TimeSource
        /// The program's logger.
        public var logger: Logger

        /// What the core needs; the agent itself holds the output lines.
        public init(
            board: any Board, outbox: any Outbox, log: any CommandLog, time: any TimeSource, logger: Logger
        ) {
            self.board = board
            self.outbox = outbox
            self.log = log
            self.time = time
            self.logger = logger
        }
    }

    /// Puts everything together; nothing runs yet.
    ///
    /// - Parameters:
    ///   - configuration: The checked configuration.
    ///   - software: The program that speaks for the device, such as `m2m-agent 0.1.0`.
    ///   - world: What is around the core.
    public init(_ configuration: AgentConfiguration, software: String, in world: Surroundings) {
        let (time, logger) = (world.time, world.logger)
        let plans = configuration.components
        board = world.board
        outbox = world.outbox
        integrity = world.integrity
        self.time = time
        self.software = software
        startedAt = time.now
        configured = Mutex(configuration)
        let device = configuration.description(software: software, integrity: integrity?.description)
        observations = ObservationHub(device: device, filters: configuration.filters, time: time)
        components = ComponentService(
            plans: plans, board: world.board, hub: observations, time: time, logger: logger)
        let holder = world.holder ?? BoardHolder(board: world.board, time: time)
        outputs = OutputService(
            plans: plans,
            in: OutputService.Surroundings(
                holder: holder, journal: world.journal, patience: world.patience, hub: observations, time: time,
                logger: logger))
        link = LinkMonitor(router: configuration.router?.address) { [outputs] in outputs.link(isUp: $0 == .connected) }
        commands = CommandRouter(
            Self.addressees(device, plans, components, outputs), outputs: outputs, hub: observations, log: world.log,
            time: time, logger: logger)
        bindings = BindingService(
            bindings: configuration.bindings, hub: observations, commands: commands, time: time, logger: logger)
        let recorder = RecorderService(
            hub: observations, outbox: world.outbox, time: time, interval: configuration.store.commitInterval,
            logger: logger)
        services = [recorder, components, outputs, commands, bindings]
        vitals = [
            outputs.vital, commands.vital, recorder.vital,
            Vital("store") { [outbox] in _ = await outbox.status() },
        ]
    }

    private static func addressees(
        _ device: DeviceDescription, _ plans: [ComponentPlan], _ components: ComponentService,
        _ outputs: OutputService
    ) -> CommandRouter.Addressees {
        var desks = components.desks
        for plan in plans where plan.output != nil { desks[plan.id] = outputs }
        return CommandRouter.Addressees(device: device, desks: desks)
    }

    /// What the device is and can do.
    public var description: DeviceDescription {
        configured.withLock { $0.description(software: software, integrity: integrity?.description) }
    }

    /// How everything is.
    public func status() async -> AgentStatus {
        var store = await outbox.status()
        store.dropped += observations.lostSinceStart
        let components = configured.withLock(\.components).map(status)
        let device = description
        return AgentStatus(
            device: device.id, software: device.software, board: board.name, uptime: time.now - startedAt,
            link: link.status, store: store, components: components,
            notes: outputs.notes + (commands.disabledReason.map { ["the device is disabled: \($0)"] } ?? []))
    }

    /// Disables the device: its outputs are made safe, and of all commands only those to safe are taken, whoever gives
    /// them.
    ///
    /// - Parameter reason: Why, in words.
    public func disable(_ reason: String) {
        commands.disable(reason)
    }

    /// The device is commanded again; what was made safe stays so until somebody commands something else.
    public func enable() {
        commands.disable(nil)
    }

    /// The router has said something of the device's files.
    ///
    /// Whether or not they are watched here: what the router has disabled is disabled.
    ///
    /// - Parameters:
    ///   - verdict: What it has said.
    ///   - claim: What it was told of them before.
    public func hear(_ verdict: IntegrityVerdict, on claim: IntegrityClaim?) {
        if let reason = verdict.disabledBecause { disable(reason) }
        integrity?.hear(verdict, on: claim)
    }

    private func status(_ plan: ComponentPlan) -> ComponentStatus {
        guard let health = outputs.health(plan.id) else { return components.status(plan) }
        return ComponentStatus(
            id: plan.id, model: plan.description.model, problem: health.problem, failures: health.failures)
    }

    /// How the outputs were left behind when everything had stopped, in words.
    public var farewell: String { outputs.farewell }

    /// What is on the board.
    public func inventory() async -> BoardInventory {
        await board.inventory()
    }

    // MARK: While it runs

    /// Applies another configuration: only the components that have changed restart, and an output that has not is not
    /// touched.
    ///
    /// - Parameter new: The checked configuration; what is not about components has to be as it was.
    public func apply(_ new: AgentConfiguration) async {
        let old = configured.withLock(\.components)
        let changed = Set(old.filter { plan in !new.components.contains { $0.isSame(as: plan) } }.map(\.id))
        let added = new.components.filter { plan in !old.contains { $0.isSame(as: plan) } }
        // What leaves gives back its lines before anything that comes takes them.
        await components.stop(changed)
        // Before anything new says how it is.
        configured.withLock { $0 = new }
        let device = description
        observations.configure(device, filters: new.filters, changed: changed)
        await outputs.configure(new.components)
        bindings.configure(new.bindings)
        await components.start(added)
        commands.configure(Self.addressees(device, new.components, components, outputs))
        for watcher in watchers.withLock(\.self) { watcher.send(device) }
    }

    /// What the device is has changed without its configuration: a part of it was switched on.
    public func describeAnew() {
        let (device, filters) = (description, configured.withLock(\.filters))
        observations.configure(device, filters: filters, changed: [])
        for watcher in watchers.withLock(\.self) { watcher.send(device) }
    }

    /// Subscribes to what the device is, whenever that changes.
    ///
    /// - Returns: Where it arrives, the newest alone, and what ends the subscription.
    public func watchDescription() -> (arrivals: Mailbox<DeviceDescription>, end: @Sendable () -> Void) {
        let arrivals = Mailbox<DeviceDescription>(bound: 1, policy: .dropOldest)
        watchers.withLock { $0.append(arrivals) }
        return (arrivals, { [self] in watchers.withLock { watchers in watchers.removeAll { $0 === arrivals } } })
    }
}
