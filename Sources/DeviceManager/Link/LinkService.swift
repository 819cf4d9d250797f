public import DeviceManager
import DeviceModel
public import Logging
public import NIOCore
public import ServiceLifecycle
import Synchronization
import Transport

/// Keeps the link to the router: for ever, whatever happens to it.
public struct LinkService: Service {
    private let manager: DeviceManager
    private let access: RouterAccess
    private let client: WebSocketClient
    private let logger: Logger

    /// The longest pause between two tries.
    static let longestPause: Duration = .seconds(60)
    /// For how long a link has to be stable until the pauses begin small again.
    static let stableAfter: Duration = .seconds(60)
    /// How often a device that was never enrolled looks whether it is by now.
    static let enrolmentPause: Duration = .seconds(5)

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
        // The session watches over the connection by itself.
        let limits = WebSocketLimits(keepAlive: nil)
        client = WebSocketClient(group: group, agent: manager.description.software, limits: limits)
        self.logger = logger
    }

    /// Runs until the shutdown.
    public func run() async throws {
        try await untilGracefulShutdown { try await keepConnected() }
        manager.link.update(.closed)
    }

    private func keepConnected() async throws {
        let history = LinkHistory(logger)
        manager.link.update(.connecting)
        while true {
            let began = manager.time.now
            var problem: any Error = LinkProblem("the link ended")
            do {
                try await connect(history)
            } catch {
                problem = error
            }
            try Task.checkCancellation()
            let pause = history.failed(problem, after: manager.time.now - began)
            manager.link.update(.reconnecting, reason: problem.explanation, failedAttempts: history.failures)
            try await manager.time.sleep(until: manager.time.now + pause)
        }
    }

    /// One connection, from its beginning to its end.
    private func connect(_ history: LinkHistory) async throws {
        guard let key = try DeviceKey.load(access.keyFile) else { throw NotEnrolled() }
        let channel = try await client.connect(
            to: access.router.address, path: RouterAccess.path, trust: access.trust)
        let identity = LinkSession.Identity(
            device: manager.description.id, boot: manager.time.boot, publicKey: key.publicKey,
            routerKeyHash: Fingerprint.sha256(channel.peer.publicKey ?? []), sign: key.sign)
        let connection = LinkConnection(channel, identity, manager) { [manager] owner in
            manager.link.update(.connected)
            history.opened(owner: owner)
        }
        try await connection.run()
    }
}

/// The ups and downs of the link: its pauses, and what is logged of them.
private final class LinkHistory: Sendable {
    private struct State {
        var backoff = Backoff(first: .seconds(1), cap: LinkService.longestPause, jitter: .full)
        var incident: Incident
        var isOpen = false
    }

    private let logger: Logger
    private let state: Mutex<State>

    init(_ logger: Logger) {
        self.logger = logger
        state = Mutex(
            State(incident: Incident(logger, "no link to the router", over: "the link to the router is back")))
    }

    /// How many tries failed in a row.
    var failures: Int { state.withLock { $0.backoff.failures } }

    /// The router has accepted the device.
    func opened(owner: String) {
        logger.notice("connected to the router", metadata: ["owner": "\(owner)"])
        state.withLock { state in
            state.isOpen = true
            state.incident.end()
        }
    }

    /// A try ended, however far it came.
    ///
    /// - Parameters:
    ///   - problem: Why.
    ///   - duration: How long it lasted.
    /// - Returns: The pause before the next one.
    func failed(_ problem: any Error, after duration: Duration) -> Duration {
        state.withLock { state in
            if state.isOpen, duration >= LinkService.stableAfter { state.backoff.succeeded() }
            state.isOpen = false
            state.incident.happened(problem.explanation)
            if problem is NotEnrolled { return LinkService.enrolmentPause }
            var generator = SystemRandomNumberGenerator()
            let wanted = (problem as? LinkProblem)?.retryAfter ?? (problem as? TransportError)?.retryAfter
            return max(state.backoff.failed(using: &generator), wanted ?? .zero)
        }
    }
}

/// The device has no key yet: nobody has enrolled it.
struct NotEnrolled: ExplainedError {
    var code: ErrorCode { .notAuthenticated }
    var resource: String { "" }
    var description: String { "this device is not enrolled yet; run `m2m-agent enroll`" }
}
