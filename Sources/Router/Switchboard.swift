import DeviceModel
import Synchronization
import Wire

/// Where devices and people meet: who is connected, who watches, which commands wait for their answer.
///
/// An actor because the connections of everybody come together here. Whatever is asked is asked in the name of an owner,
/// and nobody hears of anybody else's devices.
actor Switchboard {
    typealias Owner = RouterStore.Owner
    typealias Device = RouterStore.Device

    /// What a device's connection is told from outside.
    enum Notice: Sendable {
        /// Send a command.
        case call(Call)
        /// Let a lease go on, or end.
        case renew(Renew)
        /// Ask about its files.
        case inquire(IntegrityAsk)
        /// The owner has accepted the device.
        case accepted(Owner)
        /// Said by the connection to itself: from now on there is another time to watch for.
        case connected
        /// Another connection has taken this one's place, or another key has.
        case replaced
        /// Somebody else has come with this device's key: show that you are there.
        case areYouThere
        /// The owner wants the device no more.
        case revoked
    }

    let time: any TimeSource
    private(set) var online: [Int64: Online] = [:]
    private var watchers: [Int64: [Int: Mailbox<Item>]] = [:]
    /// Where the answers arrive: one each, and the first counts.
    private var pending: [Pending: Mailbox<CommandOutcome>] = [:]
    var inquiries: [Inquiry: Mailbox<IntegrityAnswer>] = [:]
    /// The devices for which something is just being approved.
    var approvals: Set<Int64> = []
    private var waiting: [[UInt8]: Mailbox<Notice>] = [:]
    private var nextWatcher = 0

    init(time: any TimeSource) {
        self.time = time
    }

    // MARK: Devices come and go

    /// What became of a device that connects.
    enum Arrival: Hashable {
        case alone
        /// It had another connection, which is replaced.
        case tookOver
        /// Another machine with its key is connected.
        case elsewhere
    }

    /// How long a device may take to show that it is there.
    static let patience: Duration = .seconds(5)

    /// Whether another machine is connected with a device's key: another boot, that answers when it is asked.
    ///
    /// A device that has been started anew, and whose old connection nobody has noticed to be dead, is no other.
    ///
    /// - Returns: Whether it is; and, where it is not, the connection that is silent, where there is one.
    func silentConnection(of device: Device, boot: BootID) async -> (isElsewhere: Bool, silent: Mailbox<Notice>?) {
        guard let old = online[device.row], old.boot != boot else { return (false, nil) }
        let answer = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        online[device.row]?.askers.append(answer)
        old.notices.send(.areYouThere)
        guard case .element = await answer.next(until: time.now + Self.patience, on: time) else {
            return (false, old.notices)
        }
        return (true, old.notices)
    }

    /// A device has proved who it is.
    ///
    /// A connection that it had before is replaced: one of the same boot, or one that is silent.
    @discardableResult
    func connect(
        _ device: Device, notices: Mailbox<Notice>, clock: MonotonicTime, boot: BootID, silent: Mailbox<Notice>? = nil
    ) -> Arrival {
        let old = online[device.row]
        if let old, old.boot != boot, old.notices !== silent { return .elsewhere }
        replace(device.row)
        online[device.row] = Online(
            device: device, notices: notices, clockOffset: clock - time.now, lastHeard: time.wall, boot: boot,
            alarm: device.alarm)
        tell(device.owner, .device(summary(device, isOnline: true, alarm: device.alarm)))
        return old == nil ? .alone : .tookOver
    }

    /// A device that is connected is, by the database as it is now, still one that may come in: it can be commanded.
    ///
    /// What was decided of it just before it was connected reached nobody here.
    ///
    /// - Parameters:
    ///   - device: The device, as it is now.
    ///   - notices: Its connection; one that was replaced meanwhile changes nothing.
    func confirm(_ device: Device, notices: Mailbox<Notice>) {
        guard let known = online[device.row], known.notices === notices else { return }
        online[device.row]?.isConfirmed = true
        online[device.row]?.confirmations = []
        for waiting in known.confirmations { waiting.finish() }
        guard !known.isAlarmNew, known.alarm != device.alarm else { return }
        online[device.row]?.alarm = device.alarm
        tell(device.owner, .device(summary(device, isOnline: true, alarm: device.alarm)))
    }

    /// A device is commanded no more until its owner trusts it again: whoever watches is told.
    func withhold(_ device: Device, because reason: String) {
        online[device.row]?.alarm = reason
        online[device.row]?.isAlarmNew = true
        tell(device.owner, .device(summary(device, isOnline: online[device.row] != nil, alarm: reason)))
    }

    /// The owner trusts a device again.
    func trust(_ device: Int64, owner: Owner) {
        guard let known = online[device], known.device.owner == owner else { return }
        online[device]?.alarm = nil
        online[device]?.isAlarmNew = true
        tell(owner, .device(summary(known.device, isOnline: true, alarm: nil)))
    }

    /// The owner wants a device no more: its connection ends.
    func revoke(_ device: Int64, owner: Owner) {
        guard let known = online[device], known.device.owner == owner else { return }
        online[device]?.isRevoked = true
        known.notices.send(.revoked)
        known.notices.finish()
    }

    /// The connection that a device has is told that it is no longer the one that counts.
    ///
    /// Renewals are answered on the connection on which they were asked for, or never; results come on the next one, too.
    func replace(_ device: Int64) {
        guard let old = online[device] else { return }
        for waiting in old.confirmations { waiting.finish() }
        old.notices.send(.replaced)
        old.notices.finish()  // also where so many notices wait that this one was refused
        for (asked, answer) in pending where asked.device == device {
            if case .renewal = asked.question { answer.finish() }
        }
        endInquiries(of: device)
    }

    /// A device's connection has ended.
    ///
    /// - Returns: Whether the device is gone with it; false when another connection has taken its place.
    func disconnect(_ device: Device, notices: Mailbox<Notice>) -> Bool {
        guard let old = online[device.row], old.notices === notices else { return false }
        for waiting in old.askers + old.confirmations { waiting.finish() }
        online[device.row] = nil
        for (asked, answer) in pending where asked.device == device.row { answer.finish() }
        endInquiries(of: device.row)
        tell(device.owner, .device(summary(device, isOnline: false, alarm: old.alarm, isRevoked: old.isRevoked)))
        return true
    }

    /// A device said what its clock says.
    ///
    /// What a connection says that was replaced by now is about another boot, perhaps, and no word of the device.
    func hear(_ device: Device, clock: MonotonicTime?, on notices: Mailbox<Notice>) {
        guard online[device.row]?.notices === notices else { return }
        online[device.row]?.lastHeard = time.wall
        for asker in online[device.row]?.askers ?? [] { asker.send(()) }
        online[device.row]?.askers = []
        if let clock { online[device.row]?.clockOffset = clock - time.now }
    }

    /// Whether a device is connected, and when it was heard last.
    func presence(of device: Int64, owner: Owner) -> WallTime? {
        guard let online = online[device], online.device.owner == owner else { return nil }
        return online.lastHeard
    }

    private func summary(
        _ device: Device, isOnline: Bool, alarm: String?, isRevoked: Bool = false
    ) -> DeviceSummary {
        DeviceSummary(
            device: device.name, isOnline: isOnline, lastSeen: time.wall, alarm: alarm, isRevoked: isRevoked)
    }

    // MARK: Devices that wait

    /// A device waits until it is accepted.
    func wait(key: [UInt8], notices: Mailbox<Notice>) {
        waiting[key] = notices
    }

    /// A device waits no more.
    func stopWaiting(key: [UInt8], notices: Mailbox<Notice>) {
        if waiting[key] === notices { waiting[key] = nil }
    }

    /// A device was accepted: it is told, where it waits.
    func accept(key: [UInt8], by owner: Owner) {
        waiting[key]?.send(.accepted(owner))
    }

    // MARK: Commands

    /// Gives a command to a device, and waits for its result.
    ///
    /// - Parameters:
    ///   - request: The command.
    ///   - device: The device's row.
    ///   - owner: Whose it is.
    ///   - component: The component that is meant.
    /// - Returns: How it ended.
    func call(_ request: CallRequest, device: Int64, owner: Owner, component: ComponentID) async -> CommandResult {
        let outcome = await ask(
            .call(request.id), request, device: device, owner: owner, whenFull: .refused
        ) { deadline in
            .call(
                Call(
                    id: request.id, component: component, action: request.action, parameters: request.parameters,
                    deadline: deadline, by: owner.name, lease: request.lease))
        }
        let words: String? =
            switch outcome.status {
            case .expired: Command.cameTooLate
            case .unknown: "no answer came; it may have been done"
            default: nil
            }
        return CommandResult(
            id: request.id, component: component, action: request.action, status: outcome.status,
            reason: outcome.reason ?? words)
    }

    /// Lets a lease on a device go on, or end, and waits for the answer.
    ///
    /// - Parameters:
    ///   - request: What its holder asks for.
    ///   - device: The device's row.
    ///   - owner: Whose it is.
    ///   - component: The component that is meant.
    /// - Returns: How it ended.
    func renew(
        _ request: LeaseRenewalRequest, device: Int64, owner: Owner, component: ComponentID
    ) async -> CommandOutcome {
        // Not a number, which would tell devices how much is going on in other people's spaces.
        let id = SecretHasher.random(8).hexadecimal
        // With too much in its way it is not refused for good: the next one may be done.
        return await ask(.renewal(id), request, device: device, owner: owner, whenFull: .unreachable) { deadline in
            .renew(
                Renew(
                    id: id,
                    LeaseRenewal(
                        component: component, lease: request.lease, duration: request.duration, deadline: deadline)))
        }
    }

    /// A device that can be commanded, as soon as it is known that it may be; nil: it is not connected.
    func confirmed(_ device: Int64, _ owner: Owner, until deadline: MonotonicTime) async -> Online? {
        if let target = online[device], target.device.owner == owner, !target.isConfirmed {
            let confirmation = Mailbox<Void>(bound: 1, policy: .refuseNewest)
            online[device]?.confirmations.append(confirmation)
            _ = await confirmation.next(until: deadline, on: time)
        }
        guard let target = online[device], target.device.owner == owner, target.isConfirmed else { return nil }
        return target
    }

    /// Asks a device for something, and waits until it has answered, or can't answer in time any more.
    ///
    /// - Parameters:
    ///   - question: By what the answer is known.
    ///   - request: What is asked for.
    ///   - device: The device's row.
    ///   - owner: Whose it is.
    ///   - whenFull: What it comes to when too many notices wait for the device.
    ///   - notice: What the device's connection is told, with the deadline on the device's own clock.
    /// - Returns: The answer; without a reason `expired` where it came too late for the device to be asked, and
    ///   `unknown` where no answer came.
    private func ask(
        _ question: Pending.Question, _ request: some Expiring, device: Int64, owner: Owner, whenFull: CommandStatus,
        _ notice: (_ deadline: MonotonicTime) -> Notice
    ) async -> CommandOutcome {
        let isGone = CommandOutcome(.unreachable, "the device is not connected")
        let deadline = request.deadline(at: time.now)
        guard let target = await confirmed(device, owner, until: deadline) else { return isGone }
        if let alarm = target.alarm {
            return CommandOutcome(
                .refused, "commands are withheld: \(alarm); `m2m enable \(target.device.name)` trusts it again")
        }
        let asked = Pending(device: device, question: question)
        guard pending[asked] == nil else {
            return CommandOutcome(.refused, "a command with this id is being done already")
        }
        guard deadline > time.now else { return CommandOutcome(.expired) }
        switch target.notices.send(notice(deadline + target.clockOffset)) {
        case .accepted, .dropped: break
        case .refused:
            return CommandOutcome(whenFull, "too many commands are waiting for this device; try again in a moment")
        case .finished: return isGone
        }
        let answer = Mailbox<CommandOutcome>(bound: 1, policy: .refuseNewest)
        pending[asked] = answer
        defer { pending[asked] = nil }
        guard case .element(let outcome) = await answer.next(until: deadline + Self.grace, on: time) else {
            return CommandOutcome(.unknown)
        }
        return outcome
    }

    /// A device said what became of a renewal.
    func renewed(_ message: Renewed, by device: Device) {
        answer(.renewal(message.id), by: device, message.outcome)
    }

    /// A device said what became of a command: whoever waits for it is told.
    func called(_ message: Called, by device: Device) {
        answer(.call(message.id), by: device, message.outcome)
    }

    private func answer(_ question: Pending.Question, by device: Device, _ outcome: CommandOutcome) {
        pending[Pending(device: device.row, question: question)]?.send(outcome)
    }

    /// How long after its expiry a command's answer may take: it was begun in time, and is on its way.
    private static let grace: Duration = .seconds(5)

    // MARK: Watching

    /// Subscribes to everything in somebody's space from now on: 1024 pieces wait, the oldest goes when one more comes.
    func watch(_ owner: Owner) -> (id: Int, arrivals: Mailbox<Item>) {
        nextWatcher += 1
        let arrivals = Mailbox<Item>(bound: 1_024, policy: .dropOldest)
        watchers[owner.id, default: [:]][nextWatcher] = arrivals
        return (nextWatcher, arrivals)
    }

    /// Ends a subscription.
    func endWatch(_ owner: Owner, id: Int) {
        watchers[owner.id]?.removeValue(forKey: id)?.finish()
        if watchers[owner.id]?.isEmpty == true { watchers[owner.id] = nil }
    }

    /// A device's observations were stored: whoever watches is told, and whoever waits for a result gets it.
    func publish(_ new: RouterStore.Ingested, of device: Device, _ description: DeviceDescription?) {
        for record in new.new {
            if case .result(let result) = record.observation.content {
                answer(.call(result.id), by: device, CommandOutcome(result.status, result.reason))
            }
            tell(device.owner, .observation(ReportedObservation(record, of: device.name, description)))
        }
        for gap in new.gaps { tell(device.owner, .gap(ReportedGap(device: device.name, gap: gap))) }
    }

    /// What is missing of a device's observations has become more: whoever watches is told.
    func warn(of losses: DeviceLosses, _ device: Device) {
        var news = summary(device, isOnline: online[device.row] != nil, alarm: online[device.row]?.alarm)
        news.losses = losses
        tell(device.owner, .device(news))
    }

    /// Whoever watches somebody's space is told.
    func tell(_ owner: Owner, _ item: Item) {
        for watcher in (watchers[owner.id] ?? [:]).values { watcher.send(item) }
    }
}

extension ReportedObservation {
    /// An observation, whose time is the one that is known by now, as a person is told of it.
    init(_ record: RecordedObservation, of device: DeviceID, _ description: DeviceDescription?) {
        var quantity: Quantity?
        if case .reading(let reading) = record.observation.content {
            quantity = description?.component(reading.component)?.property(reading.property)?.quantity
        }
        self.init(
            device: device, time: record.observation.time.wall, content: record.observation.content,
            quantity: quantity, position: record.position, isDated: record.observation.time.isSynchronised)
    }
}
