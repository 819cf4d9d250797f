import Components
import DeviceModel
import HAL
import Logging
import ServiceLifecycle
import Synchronization

/// The door to all outputs: commands go in and are answered, and the output loop behind it runs as a service.
final class OutputService: Service, CommandDesk {
    /// What the output loop reads.
    enum Input: Sendable {
        case event(Outputs.Event)
        /// What a driver says; one that was replaced meanwhile is not listened to.
        case driver(Mailbox<OutputDriver.Work>, Outputs.Event)
        /// A driver has come to its end.
        case ended(Mailbox<OutputDriver.Work>, ComponentID)
        /// Whoever holds the lines did something by itself.
        case news(OutputNews)
        /// The outputs are these from now on; told when it is so.
        case configure([ComponentPlan], done: @Sendable () -> Void)
        /// Says that the loop lives.
        case ping(@Sendable () -> Void)
    }

    fileprivate struct State {
        var actuators: [ComponentID: any Actuator] = [:]
        var next = 0
        var replies: [Int: (component: ComponentID?, reply: @Sendable (CommandOutcome) -> Void)] = [:]
        var farewell = "how the outputs are is not known"
        var health: [ComponentID: (problem: String?, failures: Int)] = [:]
    }

    /// How many orders for one output may wait for their end; one more is refused.
    private static let orderBound = 16
    /// What the loop reads: orders have their own bound, and of each output a few events are under way at most, so that
    /// this one is not reached; where it were, a command would be refused.
    let inputs = Mailbox<Input>(bound: 4_096, policy: .refuseNewest)
    private let state: Mutex<State>
    private let plans: [ComponentPlan]
    private let holder: any OutputHolder
    private let journal: OutputJournalFile?
    private let patience: Duration
    private let hub: ObservationHub
    private let time: any TimeSource
    private let logger: Logger

    init(
        plans: [ComponentPlan], holder: any OutputHolder, journal: OutputJournalFile?, patience: Duration,
        hub: ObservationHub, time: any TimeSource, logger: Logger
    ) {
        self.plans = plans
        self.patience = patience
        self.holder = holder
        self.journal = journal
        self.hub = hub
        self.time = time
        self.logger = logger
        state = Mutex(State(actuators: Self.actuators(plans)))
    }

    private static func actuators(_ plans: [ComponentPlan]) -> [ComponentID: any Actuator] {
        plans.reduce(into: [:]) { $0[$1.id] = $1.component as? any Actuator }
    }

    /// Runs until the shutdown.
    ///
    /// When this returns, ``farewell`` says how the outputs were left behind.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                var loop = OutputLoop(
                    service: self, holder: holder, journal: journal, patience: patience, hub: hub, time: time,
                    logger: logger)
                await loop.run(plans, in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: { [inputs] in
            inputs.send(.event(.stop))
        }
        inputs.finish()
        while let input = inputs.takeIfWaiting() {
            switch input {
            case .configure(_, let done): done()
            case .ping(let answer): answer()
            case .event, .driver, .ended, .news: break
            }
        }
        for reply in state.withLock({ $0.takeReplies() }) { reply(CommandOutcome(.refused, "the agent is stopping")) }
    }

    /// What its outputs can't promise.
    var notes: [String] {
        state.withLock { $0.actuators.isEmpty } ? [] : holder.notes
    }

    // MARK: From outside

    let takesLeases = true

    func isFull(_ component: ComponentID) -> Bool {
        state.withLock { state in state.count(component) >= Self.orderBound }
    }

    func submit(_ command: Command, reply: @escaping @Sendable (CommandOutcome) -> Void) {
        guard let actuator = state.withLock({ $0.actuators[command.component] }) else {
            return reply(CommandOutcome(.failed, "\(command.component) is being changed; try again"))
        }
        let entered = state.withLock { state in
            state.count(command.component) < Self.orderBound ? state.enter(command.component, reply) : nil
        }
        guard let number = entered else {
            return reply(CommandOutcome(.refused, "\(command.component) has too many commands waiting; try again"))
        }
        let wish = actuator.wish(for: command)
        if case .pulse = wish, command.lease != nil {
            return answer(number, CommandOutcome(.refused, "a pulse ends by itself: give it without a lease"))
        }
        let order = OutputOrder(
            number: number, component: command.component, wish: wish, lease: command.lease,
            deadline: command.deadline, origin: command.origin)
        send(.order(order), number)
    }

    /// Lets a lease go on, or end.
    func renew(_ renewal: LeaseRenewal) async -> CommandOutcome {
        await withCheckedContinuation { continuation in
            let number = state.withLock { $0.enter(nil) { continuation.resume(returning: $0) } }
            send(.renew(renewal, number: number), number)
        }
    }

    private func send(_ event: Outputs.Event, _ number: Int) {
        if case .accepted = inputs.send(.event(event)) { return }
        answer(number, CommandOutcome(.refused, "the agent is stopping, or too many commands are waiting"))
    }

    /// The link to the router is there, or is lost.
    func link(isUp: Bool) {
        inputs.send(.event(.link(isUp: isUp)))
    }

    /// The outputs are those of these plans from now on; what stays as it was is not touched.
    ///
    /// One change at a time: whoever makes another waits for the one before.
    func configure(_ plans: [ComponentPlan]) async {
        state.withLock { $0.actuators = Self.actuators(plans) }
        await withCheckedContinuation { continuation in
            let sent = inputs.send(.configure(plans) { continuation.resume() })
            if case .accepted = sent { return }
            continuation.resume()
        }
    }

    /// Returns when the loop has come by.
    func ping() async {
        await withCheckedContinuation { continuation in
            let sent = inputs.send(.ping { continuation.resume() })
            if case .accepted = sent { return }
            continuation.resume()
        }
    }

    // MARK: From the loop

    func answer(_ number: Int, _ outcome: CommandOutcome) {
        state.withLock { $0.replies.removeValue(forKey: number) }?.reply(outcome)
    }

    func note(_ id: ComponentID, problem: String?) {
        state.withLock { state in
            let before = state.health[id]
            let isNew = problem != nil && before?.problem == nil
            state.health[id] = (problem, (before?.failures ?? 0) + (isNew ? 1 : 0))
        }
    }

    /// An output is gone; what comes under its name is another one.
    func forget(_ id: ComponentID) {
        state.withLock { $0.health[id] = nil }
    }

    /// The loop is over.
    func leave(_ words: String) {
        state.withLock { $0.farewell = words }
    }

    /// How the outputs were left behind, in words.
    var farewell: String { state.withLock(\.farewell) }

    /// How an output is; nil: it is none, or nothing is known yet.
    func health(_ id: ComponentID) -> (problem: String?, failures: Int)? {
        state.withLock { $0.health[id] }
    }
}

extension OutputService.State {
    fileprivate func count(_ component: ComponentID) -> Int {
        replies.values.count { $0.component == component }
    }

    fileprivate mutating func enter(
        _ component: ComponentID?, _ reply: @escaping @Sendable (CommandOutcome) -> Void
    ) -> Int {
        next += 1
        replies[next] = (component, reply)
        return next
    }

    fileprivate mutating func takeReplies() -> [@Sendable (CommandOutcome) -> Void] {
        defer { replies = [:] }
        return replies.values.map(\.reply)
    }
}
