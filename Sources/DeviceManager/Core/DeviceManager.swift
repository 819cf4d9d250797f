public import DeviceModel
public import HAL
public import Logging
public import ServiceLifecycle

/// The heart of the agent: components on a board, the road up to the outbox and the road down from whoever commands.
///
/// What connects to it (the link to the router, the local socket) uses the same few doors, and nothing has a private
/// one. Docs/Architecture.md draws the roads.
public final class DeviceManager: Sendable {
    /// What the device is and can do.
    public let description: DeviceDescription
    /// The road up.
    public let observations: ObservationHub
    /// The road down.
    public let commands: CommandRouter
    /// Where observations are safe.
    public let outbox: any Outbox
    /// How the link to the router is; whoever makes the link keeps it up to date.
    public let link: LinkMonitor
    /// The clock.
    public let time: any TimeSource
    /// Everything that runs, in the order in which it starts.
    ///
    /// It stops in the reverse order: components before the recorder, so that what they say last is stored.
    public let services: [any Service]

    private let board: any Board
    private let components: ComponentService
    private let notes: [String]
    private let startedAt: MonotonicTime

    /// Puts everything together; nothing runs yet.
    ///
    /// - Parameters:
    ///   - configuration: The checked configuration.
    ///   - software: The program that speaks for the device, such as `m2m-agent 0.1.0`.
    ///   - board: The board.
    ///   - outbox: Where observations are kept.
    ///   - log: Where commands are written down.
    ///   - notes: What this installation can't promise.
    ///   - time: The clock.
    ///   - logger: The program's logger.
    public init(
        _ configuration: AgentConfiguration, software: String, board: any Board, outbox: any Outbox,
        log: any CommandLog, notes: [String], time: any TimeSource, logger: Logger
    ) {
        description = configuration.description(software: software)
        self.board = board
        self.outbox = outbox
        self.time = time
        self.notes = notes
        startedAt = time.now
        link = LinkMonitor(router: configuration.router?.address)
        let filters = configuration.components.map { ($0.id, $0.filters) }
        observations = ObservationHub(
            device: description, filters: Dictionary(uniqueKeysWithValues: filters), time: time)
        let desks = Dictionary(uniqueKeysWithValues: configuration.components.map { ($0.id, OrderDesk()) })
        commands = CommandRouter(
            device: description, desks: desks, hub: observations, log: log, time: time, logger: logger)
        components = ComponentService(
            plans: configuration.components, board: board, desks: desks, hub: observations, time: time, logger: logger)
        let recorder = RecorderService(
            hub: observations, outbox: outbox, time: time, interval: configuration.store.commitInterval,
            logger: logger)
        let bindings = BindingService(
            bindings: configuration.bindings, hub: observations, commands: commands, time: time, logger: logger)
        services = [recorder, components, commands, bindings]
    }

    /// How everything is.
    public func status() async -> AgentStatus {
        var store = await outbox.status()
        store.dropped += observations.lostSinceStart
        return AgentStatus(
            device: description.id, software: description.software, board: board.name, uptime: time.now - startedAt,
            link: link.status, store: store, components: components.status, notes: notes)
    }

    /// What is on the board.
    public func inventory() async -> BoardInventory {
        await board.inventory()
    }
}
