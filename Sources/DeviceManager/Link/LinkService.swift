public import DeviceManager
import DeviceModel
public import Logging
public import NIOCore
public import ServiceLifecycle
import Transport

/// Keeps the link to the router: for ever, whatever happens to it.
///
/// What it does when is decided by ``LinkMachine``.
public struct LinkService: Service {
    private let manager: DeviceManager
    private let access: RouterAccess
    private let client: WebSocketClient
    private let group: any EventLoopGroup
    private let logger: Logger
    private let record: LinkRecordFile
    /// What happens to the link: 16, of which the oldest goes; a try sends three at most, and news of the network leaves
    /// them room.
    private let events = Mailbox<LinkMachine.Event>(bound: 16, policy: .dropOldest)

    /// A link.
    ///
    /// - Parameters:
    ///   - manager: What is linked.
    ///   - access: The router, and how it is known.
    ///   - group: Where the connections live.
    ///   - logger: The program's logger.
    public init(_ manager: DeviceManager, access: RouterAccess, group: any EventLoopGroup, logger: Logger) {
        self.manager = manager
        self.access = access
        self.group = group
        // The session watches over the connection by itself.
        let limits = WebSocketLimits(keepAlive: nil)
        client = WebSocketClient(group: group, agent: manager.description.software, limits: limits)
        self.logger = logger
        record = LinkRecordFile(access.recordFile)
    }

    /// Runs until the shutdown, and sends what is left then.
    public func run() async {
        let network = await NetworkMonitor(on: group) { [events, logger] in
            logger.debug("the network has come back")
            // Many at once are as good as one, and must not push out what is told only once.
            if events.count < 8 { events.send(.networkCameBack) }
        }
        if network == nil {
            logger.notice("the kernel does not tell when the network comes back: the link waits for its next try then")
        }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                await keep(in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: { [events] in
            events.send(.stop)
        }
        await network?.close()
        manager.link.update(.closed)
    }

    private func keep(in group: inout DiscardingTaskGroup) async {
        var machine = LinkMachine()
        var generator = SystemRandomNumberGenerator()
        let history = LinkHistory(logger)
        var attempt: LinkAttempt?
        events.send(.start)
        while !machine.isClosed {
            let event: LinkMachine.Event
            switch await events.next(until: machine.deadline, on: manager.time) {
            case .element(let element): event = element
            case .deadline: event = .tick
            case .finished: return
            }
            for action in machine.handle(event, at: manager.time.now, using: &generator) {
                switch action {
                case .dial:
                    let new = LinkAttempt()
                    attempt = new
                    group.addTask { await dial(new, history) }
                case .drain: attempt?.orders.send(.drain)
                case .hangUp: attempt?.orders.send(.hangUp)
                case .tell(let state):
                    let reason = state == .reconnecting ? history.reason : nil
                    manager.link.update(state, reason: reason, failedAttempts: machine.failures)
                }
            }
        }
    }

    /// One try, from its beginning to the end of the connection that came of it.
    private func dial(_ attempt: LinkAttempt, _ history: LinkHistory) async {
        var problem: (any Error)?
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await connect(attempt, history) }
                group.addTask { try await attempt.carryOutOrders() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is CancellationError {
            // Somebody wanted it so.
        } catch {
            problem = error
        }
        guard let explained = problem?.explained(by: manager.time) else { return _ = events.send(.ended(LinkEnd())) }
        history.ended(explained.words)
        events.send(.ended(explained.end))
    }

    /// How long the link waits for what is to be said of the device's files; then it says that later.
    private static let claimPatience: Duration = .seconds(20)

    /// One connection, from its beginning to its end.
    private func connect(_ attempt: LinkAttempt, _ history: LinkHistory) async throws {
        guard let key = try DeviceKey.load(access.keyFile) else { throw NotEnrolled() }
        // Before the router waits: a device may take its time to look at its files for the first time.
        let claim = await manager.integrity?.claim(until: manager.time.now + Self.claimPatience)
        let channel = try await client.connect(
            to: access.router.address, path: RouterAccess.path, trust: access.trust)
        let (record, problem) = await record.count(on: manager.time)
        if let problem { history.forgets(problem) }
        let identity = LinkSession.Identity(
            device: manager.description.id, boot: manager.time.boot, publicKey: key.publicKey,
            routerKeyHash: Fingerprint.sha256(channel.peer.publicKey ?? []), sign: key.sign, record: record,
            integrity: claim)
        let connection = LinkConnection(
            channel, identity, manager, backlogRate: access.router.backlogRate
        ) { [events, manager, record = self.record] opening in
            events.send(.opened)
            if let verdict = opening.integrity { manager.hear(verdict, on: claim) }
            history.opened(opening)
            if let head = opening.auditHead { record.remember(head) }
        } onLoss: { [events] in
            events.send(.lost)
        }
        attempt.begin(connection)
        try await connection.run()
    }
}
