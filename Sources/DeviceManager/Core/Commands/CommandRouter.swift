public import DeviceModel
import Logging
public import ServiceLifecycle
import Synchronization

/// The road down: every command, whoever gives it, passes here to the component that is to do it, and its result goes
/// up like everything that is observed.
///
/// Commands are checked, written down so that none is done twice, and handed over one after the other in the order in
/// which they came. Those of bindings go straight on: a button has to work while the disk is busy.
public final class CommandRouter: Service {
    private struct Submission: Sendable {
        var command: Command
        var reply: @Sendable (CommandResult) -> Void
    }

    /// Who does what.
    struct Addressees: Sendable {
        var device: DeviceDescription
        var desks: [ComponentID: any CommandDesk]
    }

    private let addressees: Mutex<Addressees>
    private let outputs: OutputService
    private let hub: ObservationHub
    private let log: any CommandLog
    private let time: any TimeSource
    private let logger: Logger
    /// Why the device is disabled; nil: it is not.
    private let disabledBecause = Mutex<String?>(nil)
    /// Commands that wait to be written down: 64; one more is refused.
    private let submissions = Mailbox<Submission>(bound: 64, policy: .refuseNewest)

    init(
        _ addressees: Addressees, outputs: OutputService, hub: ObservationHub, log: any CommandLog,
        time: any TimeSource, logger: Logger
    ) {
        self.addressees = Mutex(addressees)
        self.outputs = outputs
        self.hub = hub
        self.log = log
        self.time = time
        self.logger = logger
    }

    /// The device is disabled: outputs are made safe, and whatever is no output takes no commands; nil: not any more.
    func disable(_ reason: String?) {
        disabledBecause.withLock { $0 = reason }
        outputs.disable(reason)
    }

    /// Why the device is disabled; nil: it is not.
    var disabledReason: String? { disabledBecause.withLock(\.self) }

    /// These do it from now on.
    func configure(_ addressees: Addressees) {
        self.addressees.withLock { $0 = addressees }
    }

    private func desk(_ component: ComponentID) -> (any CommandDesk)? {
        addressees.withLock { $0.desks[component] }
    }

    /// Gives a command, and waits for its end.
    public func perform(_ command: Command) async -> CommandResult {
        await withCheckedContinuation { continuation in submit(command) { continuation.resume(returning: $0) } }
    }

    /// Gives a command.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - reply: Told once how it ended.
    public func submit(_ command: Command, reply: @escaping @Sendable (CommandResult) -> Void = { _ in }) {
        let checked: Command
        do throws(CommandCheckError) {
            checked = try check(command)
        } catch {
            return end(command, .refused, error.description, reply)
        }
        if let reason = disabledReason, desk(command.component)?.takesLeases != true {
            return end(command, .refused, "this device is disabled: \(reason)", reply)
        }
        if case .binding = command.origin { return handOver(checked, reply) }
        switch submissions.send(Submission(command: checked, reply: reply)) {
        case .accepted, .dropped: break
        case .refused: end(command, .refused, "too many commands are waiting; try again in a moment", reply)
        case .finished: end(command, .refused, "the agent is stopping", reply)
        }
    }

    /// Lets a lease go on, or end.
    ///
    /// - Parameter renewal: What its holder asks for.
    /// - Returns: `done`, `refused` when there is no such lease any more, or `expired`.
    public func renew(_ renewal: LeaseRenewal) async -> CommandOutcome {
        var renewal = renewal
        renewal.deadline = min(renewal.deadline, time.now + Command.longestExpiry)
        return await outputs.renew(renewal)
    }

    /// Works off what was submitted, until the shutdown.
    public func run() async throws {
        await tellInterrupted()
        await withGracefulShutdownHandler {
            var recent = RecentCommands()
            var incident = Incident(
                logger, "commands cannot be written down", over: "commands are written down again")
            while let submission = await submissions.next() {
                await begin(submission.command, submission.reply, &recent, &incident)
            }
        } onGracefulShutdown: { [submissions] in
            submissions.finish()
        }
    }

    /// Its part in the agent's life: it comes by for the next command.
    var vital: Vital {
        Vital("commands") { [submissions] in await submissions.untilReaderComesBy() }
    }

    private func begin(
        _ command: Command, _ reply: @escaping @Sendable (CommandResult) -> Void, _ recent: inout RecentCommands,
        _ incident: inout Incident
    ) async {
        guard command.deadline > time.now else {
            return end(command, .expired, Command.cameTooLate, reply)
        }
        guard recent.insert(command.id) else {
            return end(command, .refused, Command.givenBefore, reply)
        }
        guard desk(command.component)?.isFull(command.component) != true else {
            return end(command, .refused, "\(command.component) has too many commands waiting; try again", reply)
        }
        do {
            guard try await log.claim(command) else {
                return end(command, .refused, Command.givenBefore, reply)
            }
            incident.end()
        } catch {
            // A full disk must not keep anybody from switching off; the ids of this run are still known.
            incident.happened(error.explanation)
        }
        handOver(command, reply)
    }

    private func handOver(_ command: Command, _ reply: @escaping @Sendable (CommandResult) -> Void) {
        guard let desk = desk(command.component) else {
            return end(command, .failed, "\(command.component) is not there any more", reply)
        }
        desk.submit(command) { [self] outcome in end(command, outcome.status, outcome.reason, reply) }
    }

    private func check(_ command: Command) throws(CommandCheckError) -> Command {
        let device = addressees.withLock(\.device)
        guard let component = device.component(command.component) else {
            let known = device.components.map(\.id.rawValue).joined(separator: ", ")
            throw CommandCheckError(
                code: .notFound, resource: command.component.rawValue,
                description: "\(device.id) has no component '\(command.component)'; it has \(known)")
        }
        var checked = command
        if let lease = command.lease { try check(lease, command) }
        checked.parameters = try component.check(action: command.action, parameters: command.parameters)
        checked.deadline = min(command.deadline, time.now + Command.longestExpiry)
        return checked
    }

    private func check(_ lease: Lease, _ command: Command) throws(CommandCheckError) {
        guard desk(command.component)?.takesLeases == true else {
            throw CommandCheckError(
                code: .badRequest, resource: command.component.rawValue,
                description: "\(command.component) has no output that could be held")
        }
        guard Lease.durations.contains(lease.duration) else {
            throw CommandCheckError(
                code: .badRequest, resource: command.component.rawValue,
                description: "a lease lasts from \(Lease.durations.lowerBound.text) to "
                    + "\(Lease.durations.upperBound.text), not \(lease.duration.text)")
        }
    }

    private func end(
        _ command: Command, _ status: CommandStatus, _ reason: String?,
        _ reply: @Sendable (CommandResult) -> Void
    ) {
        let result = CommandResult(of: command, status, reason: reason)
        hub.observe(at: time.now, .result(result))
        reply(result)
    }

    /// Tells of the commands that a crash of the last run interrupted.
    private func tellInterrupted() async {
        do {
            for result in try await log.interrupted() { hub.observe(at: time.now, .result(result)) }
        } catch {
            logger.warning(
                "commands that a crash may have interrupted are not known", metadata: ["reason": "\(error.explanation)"]
            )
        }
    }
}

/// The ids of the newest commands, for as long as the disk does not take them.
///
/// A plain value.
private struct RecentCommands {
    private static let bound = 1_024
    private var ids: Set<CommandID> = []
    private var order: [CommandID] = []
    private var oldest = 0

    /// - Returns: false when the id is known already.
    mutating func insert(_ id: CommandID) -> Bool {
        guard ids.insert(id).inserted else { return false }
        if order.count < Self.bound {
            order.append(id)
        } else {
            ids.remove(order[oldest])
            order[oldest] = id
            oldest = (oldest + 1) % Self.bound
        }
        return true
    }
}
