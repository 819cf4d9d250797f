import Components
import DeviceModel
import HAL
import Logging
import ServiceLifecycle
import Synchronization

/// The door to all outputs: commands go in and are answered, and the output loop behind it runs as a service.
final class OutputService: Service, CommandDesk {
    /// What is around the outputs.
    struct Surroundings: Sendable {
        /// Who has the lines: the keeper, or the agent itself.
        var holder: any OutputHolder
        /// Where claims outlive the agent; nil: they do not.
        var journal: OutputJournalFile?
        /// How long a line may take to be there and to be driven, until people are told that it does not answer.
        var patience: Duration
        var hub: ObservationHub
        var time: any TimeSource
        var logger: Logger
    }

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
    }

    fileprivate struct State {
        var actuators: [ComponentID: any Actuator] = [:]
        var next = 0
        /// Who waits for an answer; without a component: for that of a renewal.
        var replies: [Int: (component: ComponentID?, reply: @Sendable (CommandOutcome) -> Void)] = [:]
        var farewell = "how the outputs are is not known"
        var health: [ComponentID: (problem: String?, failures: Int)] = [:]
    }

    /// How many orders for one output may wait for their end; one more is refused.
    private static let orderBound = 16
    /// What the loop reads: orders have their own bound, renewals that of the connections they come by, and of each output
    /// a few events and news are under way at most, so that this one is not reached; where it were, a command would be
    /// refused.
    let inputs = Mailbox<Input>(bound: 4_096, policy: .refuseNewest)
    private let state: Mutex<State>
    private let plans: [ComponentPlan]
    private let world: Surroundings

    init(plans: [ComponentPlan], in world: Surroundings) {
        self.plans = plans
        self.world = world
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
                var loop = OutputLoop(service: self, in: world)
                await loop.run(plans, in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: { [inputs] in
            inputs.send(.event(.stop))
        }
        inputs.finish()
        while let input = inputs.takeIfWaiting() {
            if case .configure(_, let done) = input { done() }
        }
        for (reply, isRenewal) in state.withLock({ $0.takeReplies() }) {
            reply(.notTaken("the agent is stopping", isRenewal: isRenewal))
        }
    }

    /// What its outputs can't promise.
    var notes: [String] {
        state.withLock { $0.actuators.isEmpty } ? [] : world.holder.notes
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

    /// Makes everything safe, and takes commands to safe only, for this reason; nil: not any more.
    func disable(_ reason: String?) {
        inputs.send(.event(.disable(reason)))
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
        let isRenewal = if case .renew = event { true } else { false }
        answer(number, .notTaken("the agent is stopping, or too many commands are waiting", isRenewal: isRenewal))
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
        await inputs.ask { .configure(plans, done: $0) }
    }

    /// Its part in the agent's life: the loop comes by for what happens next.
    var vital: Vital {
        Vital("outputs") { [inputs] in await inputs.untilReaderComesBy() }
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

    fileprivate mutating func takeReplies() -> [(reply: @Sendable (CommandOutcome) -> Void, isRenewal: Bool)] {
        defer { replies = [:] }
        return replies.values.map { ($0.reply, $0.component == nil) }
    }
}

extension CommandOutcome {
    /// Nothing was done.
    ///
    /// A renewal that is `refused` would tell its holder that the lease is over, which it is not.
    fileprivate static func notTaken(_ reason: String, isRenewal: Bool) -> CommandOutcome {
        CommandOutcome(isRenewal ? .failed : .refused, reason)
    }
}
