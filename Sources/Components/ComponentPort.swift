public import DeviceModel
public import Logging

/// What connects a component with everything else: observations go out, orders come in.
public struct ComponentPort: Sendable {
    /// The component's name.
    public let id: ComponentID
    /// The clock.
    public let time: any TimeSource
    /// Where to log; it names the component.
    public let logger: Logger

    private let orders: Mailbox<Order>
    private let observe: @Sendable (MonotonicTime, Observation.Content) -> Void

    /// A port.
    ///
    /// - Parameters:
    ///   - id: The component's name.
    ///   - time: The clock.
    ///   - logger: Where to log.
    ///   - orders: Where orders for the component arrive; the component is their reader.
    ///   - observe: Takes what the component observes. It must not wait.
    public init(
        id: ComponentID, time: any TimeSource, logger: Logger, orders: Mailbox<Order>,
        observe: @escaping @Sendable (MonotonicTime, Observation.Content) -> Void
    ) {
        self.id = id
        self.time = time
        self.logger = logger
        self.orders = orders
        self.observe = observe
    }

    /// Reports that a property has a value, in SI units.
    public func report(_ property: String, _ value: Value) {
        observe(time.now, .reading(Reading(component: id, property: property, value: value)))
    }

    /// Reports that a property could not be measured this time, though the component goes on.
    public func report(_ property: String, failed reason: String) {
        let reading = Reading(component: id, property: property, value: nil, quality: .failed, reason: reason)
        observe(time.now, .reading(reading))
    }

    /// Reports that something happened.
    ///
    /// - Parameters:
    ///   - event: What; one of the model's events.
    ///   - moment: When, on the device's own clock.
    public func emit(_ event: String, at moment: MonotonicTime) {
        observe(moment, .event(Event(component: id, name: event)))
    }

    /// Waits for the next order.
    ///
    /// One whose time has run out is answered here and never seen.
    ///
    /// - Parameter deadline: How long to wait; nil: as long as it takes.
    /// - Returns: An order, the deadline, or the end: the component has to stop.
    public func next(until deadline: MonotonicTime? = nil) async -> Mailbox<Order>.Received {
        while true {
            let received = await orders.next(until: deadline, on: time)
            guard case .element(let order) = received, order.command.deadline <= time.now else { return received }
            order.answer(.expired, Command.cameTooLate)
        }
    }

    /// Waits until the component has to stop.
    ///
    /// - Throws: `CancellationError`, which is the end.
    public func untilStopped() async throws {
        while case .element(let order) = await next() { order.answer(.refused, "\(id) does nothing by itself") }
        throw CancellationError()
    }

    /// Does something again and again.
    ///
    /// - Parameters:
    ///   - interval: From one beginning to the next. Where one takes longer, those that it ran over are left out.
    ///   - body: What is done.
    /// - Throws: What `body` throws, or `CancellationError` when the component has to stop.
    public func repeatedly(every interval: Duration, _ body: () async throws -> Void) async throws {
        var due = time.now
        while true {
            try await body()
            due = due + interval
            if due < time.now { due = time.now }
            try await time.sleep(until: due)
        }
    }
}

/// A command on its way to the component that is to do it.
///
/// It has to be answered exactly once.
public struct Order: Sendable {
    /// The command; its action and parameters have been checked against the component's description.
    public let command: Command

    private let reply: @Sendable (CommandStatus, String?) -> Void

    /// An order.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - reply: Takes how it ended, and why where it was not done.
    public init(_ command: Command, reply: @escaping @Sendable (CommandStatus, String?) -> Void) {
        self.command = command
        self.reply = reply
    }

    /// Says how the command ended.
    ///
    /// - Parameters:
    ///   - status: How.
    ///   - reason: Why it was not done, in words.
    public func answer(_ status: CommandStatus, _ reason: String? = nil) {
        reply(status, reason)
    }
}
