import Components
import DeviceModel
import HAL
import Logging
import ServiceLifecycle
import Synchronization

/// Runs all components, each for itself: one that fails is tried again with growing pauses and never stops another.
///
/// What actuators do is decided elsewhere, for all of them together: see ``OutputService``.
final class ComponentService: Service {
    /// What the service is told while it runs.
    private enum Change: Sendable {
        case start([ComponentPlan], done: @Sendable () -> Void)
        case stop(Set<ComponentID>, done: @Sendable () -> Void)
    }

    /// A component that runs, or is to run.
    private struct Entry: Sendable {
        var plan: ComponentPlan
        let desk = OrderDesk()
        /// Runs it; in no group: one that hangs must keep neither a change nor the service from their ends.
        var task: Task<Void, Never>?
        /// Finished when it has ended.
        let ended = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        var health = Health()
    }

    /// How a component is.
    private struct Health {
        var problem: String?
        var failures = 0
    }

    /// How long a component may take to end, when it leaves the configuration or the agent stops.
    private static let farewell: Duration = .seconds(2)

    private let board: any Board
    private let hub: ObservationHub
    private let time: any TimeSource
    private let logger: Logger
    private let entries: Mutex<[ComponentID: Entry]>
    /// Changes of the configuration: a person makes one at a time; one more is refused, and not waited for.
    private let changes = Mailbox<Change>(bound: 16, policy: .refuseNewest)

    init(
        plans: [ComponentPlan], board: any Board, hub: ObservationHub, time: any TimeSource, logger: Logger
    ) {
        self.board = board
        self.hub = hub
        self.time = time
        self.logger = logger
        entries = Mutex(plans.reduce(into: [:]) { $0[$1.id] = Entry(plan: $1) })
    }

    /// Runs until the shutdown.
    ///
    /// Every component has stopped when this returns, but for those that hang.
    func run() async throws {
        try await untilGracefulShutdown { [self] in
            for entry in entries.withLock(\.self).values { start(entry) }
            while let change = await changes.next() {
                switch change {
                case .start(let plans, let done):
                    for plan in plans { start(Entry(plan: plan)) }
                    done()
                case .stop(let ids, let done):
                    await end(ids)
                    done()
                }
            }
        }
        dismissChanges()
        await end(entries.withLock { Set($0.keys) })
    }

    /// Nobody waits for a change that will not be made.
    private func dismissChanges() {
        changes.finish()
        while let change = changes.takeIfWaiting() {
            switch change {
            case .start(_, let done), .stop(_, let done): done()
            }
        }
    }

    private func start(_ entry: Entry) {
        let id = entry.plan.id
        entries.withLock { $0[id] = entry }  // before it says anything
        let task = Task {
            await keepRunning(entry)
            entry.ended.finish()
        }
        entries.withLock { $0[id]?.task = task }
    }

    /// Ends components; one that hangs, because its driver does, is left behind.
    private func end(_ ids: Set<ComponentID>) async {
        let running = entries.withLock { $0.filter { ids.contains($0.key) } }
        for entry in running.values { entry.task?.cancel() }
        let deadline = time.now + Self.farewell
        for (id, entry) in running where entry.task != nil {
            if case .deadline = await entry.ended.next(until: deadline, on: time) {
                logger.error("component hangs, and is left behind", metadata: ["component.id": "\(id)"])
                entry.desk.close(because: "\(id) hangs, and was left behind")
            }
        }
        entries.withLock { entries in
            for id in ids { entries[id] = nil }
        }
    }

    // MARK: Changes

    /// Where commands for the components go.
    var desks: [ComponentID: any CommandDesk] {
        entries.withLock { $0.mapValues(\.desk) }
    }

    /// Stops components, and returns when they have stopped.
    func stop(_ ids: Set<ComponentID>) async {
        await changes.ask { .stop(ids, done: $0) }
    }

    /// Starts components, of which none with the same name may run.
    func start(_ plans: [ComponentPlan]) async {
        await changes.ask { .start(plans, done: $0) }
    }

    /// How a component is; nil: it does not run.
    func status(_ plan: ComponentPlan) -> ComponentStatus {
        let health = entries.withLock { $0[plan.id]?.health } ?? Health()
        return ComponentStatus(
            id: plan.id, model: plan.description.model, problem: health.problem, failures: health.failures)
    }

    // MARK: One component

    private func keepRunning(_ entry: Entry) async {
        let (plan, desk) = (entry.plan, entry.desk)
        var logger = logger
        logger[metadataKey: "component.id"] = "\(plan.id)"
        let run = ComponentRun(logger: logger)
        let port = ComponentPort(
            id: plan.id, time: time, logger: logger, orders: desk.mailbox,
            observe: { [self] moment, content in
                // One that was left behind says nothing under the name of its successor.
                guard entries.withLock({ $0[plan.id]?.desk === desk }) else { return }
                if case .reading(let reading) = content, reading.quality == .good, run.works() { heal(plan.id) }
                hub.observe(at: moment, content)
            })
        while !Task.isCancelled {
            desk.open()
            do {
                try await plan.component.run(on: board, port)
                try Task.checkCancellation()
                throw EndedByItself(component: plan.id)
            } catch  where Task.isCancelled || error is CancellationError {
                // Also where it says otherwise: one that was left behind has nothing to say of its successor.
                return desk.close(because: "the agent is stopping, or its configuration is being changed")
            } catch {
                desk.close(because: error.explanation)
                fail(plan, error.explanation)
                let pause = run.failed(error.explanation)
                try? await time.sleep(until: time.now + pause)  // safe: a cancellation ends the loop
            }
        }
    }

    private func fail(_ plan: ComponentPlan, _ reason: String) {
        entries.withLock { entries in
            entries[plan.id]?.health.problem = reason
            entries[plan.id]?.health.failures += 1
        }
        for property in plan.description.properties {
            let reading = Reading(
                component: plan.id, property: property.name, value: nil, quality: .failed, reason: reason)
            hub.observe(at: time.now, .reading(reading))
        }
    }

    private func heal(_ id: ComponentID) {
        entries.withLock { $0[id]?.health.problem = nil }
    }
}

/// A component ended though nobody had asked it to: a mistake of ours, treated like any other failure.
private struct EndedByItself: ExplainedError {
    let component: ComponentID

    var code: ErrorCode { .internalFailure }
    var resource: String { component.rawValue }
    var description: String { "\(component) stopped by itself, which no component should" }
}

/// The ups and downs of one component: its pauses, and what is logged of them.
private final class ComponentRun: Sendable {
    private struct State {
        var backoff = Backoff(first: .seconds(1), cap: .seconds(30), jitter: .none)
        var incident: Incident
    }

    private let state: Mutex<State>

    init(logger: Logger) {
        state = Mutex(State(incident: Incident(logger, "component does not work", over: "component works again")))
    }

    /// The component has failed.
    ///
    /// - Returns: The pause before it is run again.
    func failed(_ reason: String) -> Duration {
        state.withLock { state in
            state.incident.happened(reason)
            var generator = SystemRandomNumberGenerator()
            return state.backoff.failed(using: &generator)
        }
    }

    /// The component works.
    ///
    /// - Returns: Whether it did not before.
    func works() -> Bool {
        state.withLock { state in
            guard state.incident.isOn else { return false }
            state.incident.end()
            state.backoff.succeeded()
            return true
        }
    }
}
