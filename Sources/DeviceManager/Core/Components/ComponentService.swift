import Components
import DeviceModel
import HAL
import Logging
import ServiceLifecycle
import Synchronization

/// Runs all components, each for itself: one that fails is tried again with growing pauses and never stops another.
final class ComponentService: Service {
    private let plans: [ComponentPlan]
    private let board: any Board
    private let desks: [ComponentID: OrderDesk]
    private let hub: ObservationHub
    private let time: any TimeSource
    private let logger: Logger
    private let health: Mutex<[ComponentID: Health]> = Mutex([:])

    /// How a component is.
    private struct Health {
        var problem: String?
        var failures = 0
    }

    init(
        plans: [ComponentPlan], board: any Board, desks: [ComponentID: OrderDesk], hub: ObservationHub,
        time: any TimeSource, logger: Logger
    ) {
        self.plans = plans
        self.board = board
        self.desks = desks
        self.hub = hub
        self.time = time
        self.logger = logger
    }

    /// Runs until the shutdown.
    ///
    /// Every component has stopped, its outputs safe, when this returns.
    func run() async throws {
        try await untilGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                for plan in plans {
                    group.addTask { await self.keepRunning(plan) }
                }
            }
        }
    }

    /// How the components are, in the order of the configuration.
    var status: [ComponentStatus] {
        health.withLock { health in
            plans.map { plan in
                let one = health[plan.id] ?? Health()
                return ComponentStatus(
                    id: plan.id, model: plan.description.model, problem: one.problem, failures: one.failures)
            }
        }
    }

    private func keepRunning(_ plan: ComponentPlan) async {
        var logger = logger
        logger[metadataKey: "component.id"] = "\(plan.id)"
        let desk = desks[plan.id] ?? OrderDesk()
        let run = ComponentRun(logger: logger)
        let port = ComponentPort(
            id: plan.id, time: time, logger: logger, orders: desk.mailbox,
            observe: { [self] moment, content in
                if case .reading(let reading) = content, reading.quality == .good, run.works() { heal(plan.id) }
                hub.observe(at: moment, content)
            })
        while !Task.isCancelled {
            desk.open()
            do {
                try await plan.component.run(on: board, port)
                try Task.checkCancellation()
                throw EndedByItself(component: plan.id)
            } catch is CancellationError {
                return desk.close(because: "the agent is stopping")
            } catch {
                desk.close(because: error.explanation)
                fail(plan, error.explanation)
                let pause = run.failed(error.explanation)
                try? await time.sleep(until: time.now + pause)  // safe: a cancellation ends the loop
            }
        }
    }

    private func fail(_ plan: ComponentPlan, _ reason: String) {
        health.withLock { health in
            health[plan.id, default: Health()].problem = reason
            health[plan.id, default: Health()].failures += 1
        }
        for property in plan.description.properties {
            let reading = Reading(
                component: plan.id, property: property.name, value: nil, quality: .failed, reason: reason)
            hub.observe(at: time.now, .reading(reading))
        }
    }

    private func heal(_ id: ComponentID) {
        health.withLock { $0[id, default: Health()].problem = nil }
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
