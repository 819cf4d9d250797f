public import DeviceModel
public import Logging
public import ServiceLifecycle

/// Tells the agent's supervisor that it is ready, and that it lives, for as long as all vital parts make progress.
public struct WatchdogService: Service {
    private let vitals: [Vital]
    private let supervisor: any Supervisor
    private let time: any TimeSource
    private let logger: Logger
    /// What is heard: at most one answer of each part is on its way.
    private let events: Mailbox<Watchdog.Event>

    /// A watchdog.
    ///
    /// - Parameters:
    ///   - vitals: The parts that have to make progress.
    ///   - supervisor: Who is told.
    ///   - time: The clock.
    ///   - logger: The program's logger.
    public init(
        vitals: [Vital], supervisor: any Supervisor, time: any TimeSource, logger: Logger
    ) {
        self.vitals = vitals
        self.supervisor = supervisor
        self.time = time
        self.logger = logger
        events = Mailbox(bound: max(1, vitals.count), policy: .dropOldest)
    }

    /// Runs until the shutdown.
    public func run() async throws {
        try await untilGracefulShutdown { try await watch() }
        supervisor.tell(.stopping)
    }

    private func watch() async throws {
        // Three times in the time after which the supervisor loses its patience, so that two may be late.
        let interval = supervisor.watchdogPeriod.map { $0 / 3 }
        var incident = Incident(logger, "the agent does not live in all its parts", over: "all parts live again")
        var watchdog = Watchdog(vitals.map(\.name))
        var due = interval.map { time.now + $0 }
        var actions = watchdog.begin()
        while true {
            for action in actions {
                switch action {
                case .ask(let name): ask(name)
                case .ready: supervisor.tell(.ready)
                case .alive:
                    supervisor.tell(.alive)
                    incident.end()
                case .stuck(let names): incident.happened("no sign of life from: \(names.joined(separator: ", "))")
                }
            }
            switch await events.next(until: due, on: time) {
            case .element(let event): actions = watchdog.handle(event)
            case .deadline:
                due = interval.map { time.now + $0 }
                actions = watchdog.handle(.tick)
            case .finished: throw CancellationError()
            }
        }
    }

    /// Asks a part for a sign of life.
    ///
    /// A task of its own, in no group: a part that hangs must not keep this service from its end, for which everything
    /// else waits, the outputs first.
    private func ask(_ name: String) {
        guard let vital = vitals.first(where: { $0.name == name }) else { return }
        Task { [events] in
            await vital.beat()
            events.send(.progress(name))
        }
    }
}
