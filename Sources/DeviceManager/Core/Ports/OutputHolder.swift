public import Components
public import DeviceModel
public import HAL

/// Who holds the output lines: the agent itself by its board, or a keeper that outlives it.
public protocol OutputHolder: Sendable {
    /// What it can't promise, a sentence each.
    var notes: [String] { get }
    /// How often it wants to hear of the agent while an output is away from safe; nil: never, because it dies with it.
    var heartbeat: Duration? { get }
    /// Says whom to tell what it does by itself; before it runs.
    ///
    /// - Parameter hear: Told of it before anything is answered that was asked afterwards; it must not wait.
    func listen(_ hear: @escaping @Sendable (OutputNews) -> Void)

    /// The outputs are these from now on: of those that stay as they were, nothing changes. The first time is before
    /// it runs.
    func configure(_ outputs: [ComponentID: OutputPlan])

    /// Returns when that is done, or when it takes too long: the lines of those that left are free then.
    func settled() async

    /// Lives until the task is cancelled.
    func run() async

    /// Takes an output. A line that nobody held is driven to its safe value by the request itself.
    ///
    /// - Returns: The output, which is the caller's until it is released.
    /// - Throws: ``HALError``, such as `busy` with the name of who is in the way.
    func take(_ id: ComponentID, _ plan: OutputPlan) async throws(HALError) -> any HeldOutput

    /// Says that the agent lives.
    func beat()
}

/// An output that was taken.
public protocol HeldOutput: Sendable {
    /// How it was found.
    var found: FoundOutput { get }

    /// Drives it.
    ///
    /// - Parameters:
    ///   - value: What it is to be.
    ///   - until: When it is made safe again, even if the agent is gone by then; nil: never.
    ///   - notAfter: From when on this must not be done any more; nil: it has to be done whenever.
    /// - Returns: false when it came too late, and nothing was done.
    /// - Throws: ``HALError`` when the line can't be driven; what it is then is not known.
    func drive(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool

    /// Lets it be what it is, for longer or shorter; its line is not driven.
    ///
    /// - Parameters:
    ///   - value: What it is, as far as the caller knows.
    ///   - until: When it is made safe; nil: never.
    ///   - notAfter: From when on this must not be done any more; nil: whenever.
    /// - Returns: false when it is something else by now, or this came too late: nothing was done.
    /// - Throws: ``HALError`` when its holder does not answer.
    func keep(
        _ value: LineValue, until: MonotonicTime?, notAfter: MonotonicTime?
    ) async throws(HALError) -> Bool

    /// Gives it back; the agent has made it safe, as far as it could.
    func release() async
}

/// What a holder of output lines does by itself.
public enum OutputNews: Hashable, Sendable {
    /// It made an output safe.
    case madeSafe(ComponentID, KeeperReason)
    /// An output can't be driven any more, and has to be taken anew; nil: none can.
    case lost(ComponentID?, String)
    /// Its lines can be had, now or again.
    case back
}
