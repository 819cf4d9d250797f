import Components
import DeviceModel
import Synchronization

/// Where commands for one component are handed over: one mailbox, one reader, and an answer for each, come what may.
final class OrderDesk: CommandDesk {
    private struct State {
        /// Why the component takes no orders; nil: it takes them.
        var closedBecause: String? = "it has not started yet"
        var replies: [CommandID: @Sendable (CommandOutcome) -> Void] = [:]
    }

    /// How many orders may wait; one more is refused.
    ///
    /// Nobody wants a relay to work off a longer list.
    private static let bound = 16

    /// What waits for the component, which is the reader.
    let mailbox = Mailbox<Order>(bound: bound, policy: .refuseNewest)
    private let state = Mutex(State())

    /// The component is ready for orders.
    func open() {
        state.withLock { $0.closedBecause = nil }
    }

    /// The component has stopped: whatever waits is answered, and whatever comes is, until it is back.
    func close(because reason: String) {
        let replies = state.withLock { state in
            state.closedBecause = reason
            // Under the same lock as `submit`, so that no order slips in behind and is done after its answer.
            while mailbox.takeIfWaiting() != nil {}
            defer { state.replies = [:] }
            return state.replies.values
        }
        for reply in replies { reply(CommandOutcome(.failed, reason)) }
    }

    /// There is nothing here that could be claimed.
    let takesLeases = false

    /// Whether one more order would be refused.
    func isFull(_ component: ComponentID) -> Bool { mailbox.count >= Self.bound }

    /// Hands a command over; it has its place in the queue when this returns.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - reply: Told once how it ended.
    func submit(_ command: Command, reply: @escaping @Sendable (CommandOutcome) -> Void) {
        let order = Order(command) { [weak self] status, reason in
            self?.answer(command.id, CommandOutcome(status, reason))
        }
        let refusal = state.withLock { state -> String? in
            if let closed = state.closedBecause { return "\(command.component) does not work: \(closed)" }
            guard case .accepted = mailbox.send(order) else {
                return "\(command.component) has too many commands waiting"
            }
            state.replies[command.id] = reply
            return nil
        }
        if let refusal { reply(CommandOutcome(.failed, refusal)) }
    }

    private func answer(_ id: CommandID, _ outcome: CommandOutcome) {
        state.withLock { $0.replies.removeValue(forKey: id) }?(outcome)
    }
}
