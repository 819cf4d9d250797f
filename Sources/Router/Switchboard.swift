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
        /// The owner has accepted the device.
        case accepted(Owner)
        /// Said by the connection to itself: from now on there is another time to watch for.
        case connected
        /// Another connection has taken this one's place, or another key has.
        case replaced
    }

    /// A device that is connected.
    private struct Online {
        var device: Device
        /// Notices for the connection: 64 wait, one more is refused.
        var notices: Mailbox<Notice>
        /// The device's own clock, less ours, by its last word: never ahead, so that deadlines come early.
        var clockOffset: Duration
        var lastHeard: WallTime
    }

    /// A command that waits for its answer; ids are the callers' own, so two devices may know the same one.
    private struct PendingCall: Hashable {
        var device: Int64
        var id: CommandID
    }

    /// A renewal that waits for its answer.
    private struct PendingRenewal: Hashable {
        var device: Int64
        var id: String
    }

    private let time: any TimeSource
    private var online: [Int64: Online] = [:]
    private var watchers: [Int64: [Int: Mailbox<Item>]] = [:]
    /// Where the answers arrive: one each, and the first counts.
    private var calls: [PendingCall: Mailbox<CommandResult>] = [:]
    private var renewals: [PendingRenewal: Mailbox<CommandOutcome>] = [:]
    private var waiting: [[UInt8]: Mailbox<Notice>] = [:]
    private var nextWatcher = 0

    init(time: any TimeSource) {
        self.time = time
    }

    // MARK: Devices come and go

    /// A device has proved who it is.
    ///
    /// A connection that it had before is replaced.
    func connect(_ device: Device, notices: Mailbox<Notice>, clock: MonotonicTime) {
        replace(device.row)
        online[device.row] = Online(
            device: device, notices: notices, clockOffset: clock - time.now, lastHeard: time.wall)
        tell(device.owner, .device(summary(device, isOnline: true)))
    }

    /// The connection that a device has is told that it is no longer the one that counts.
    func replace(_ device: Int64) {
        guard let old = online[device] else { return }
        old.notices.send(.replaced)
        old.notices.finish()  // also where so many notices wait that this one was refused
    }

    /// A device's connection has ended.
    ///
    /// - Returns: Whether the device is gone with it; false when another connection has taken its place.
    func disconnect(_ device: Device, notices: Mailbox<Notice>) -> Bool {
        guard online[device.row]?.notices === notices else { return false }
        online[device.row] = nil
        for (call, answer) in calls where call.device == device.row { answer.finish() }
        for (renewal, answer) in renewals where renewal.device == device.row { answer.finish() }
        tell(device.owner, .device(summary(device, isOnline: false)))
        return true
    }

    /// A device said what its clock says.
    func hear(_ device: Device, clock: MonotonicTime?) {
        online[device.row]?.lastHeard = time.wall
        if let clock { online[device.row]?.clockOffset = clock - time.now }
    }

    /// Whether a device is connected, and when it was heard last.
    func presence(of device: Int64, owner: Owner) -> WallTime? {
        guard let online = online[device], online.device.owner == owner else { return nil }
        return online.lastHeard
    }

    private func summary(_ device: Device, isOnline: Bool) -> DeviceSummary {
        DeviceSummary(device: device.name, isOnline: isOnline, lastSeen: time.wall)
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
        func ended(_ status: CommandStatus, _ reason: String) -> CommandResult {
            CommandResult(id: request.id, component: component, action: request.action, status: status, reason: reason)
        }
        guard let target = online[device], target.device.owner == owner else {
            return ended(.unreachable, "the device is not connected")
        }
        let pending = PendingCall(device: device, id: request.id)
        guard calls[pending] == nil else { return ended(.refused, "a command with this id is being done already") }
        let deadline = request.deadline(at: time.now)
        guard deadline > time.now else { return ended(.expired, "the command came too late and was not done") }
        let call = Call(
            id: request.id, component: component, action: request.action, parameters: request.parameters,
            deadline: deadline + target.clockOffset, by: owner.name, lease: request.lease)
        switch target.notices.send(.call(call)) {
        case .accepted, .dropped: break
        case .refused:
            return ended(.refused, "too many commands are waiting for this device; try again in a moment")
        case .finished: return ended(.unreachable, "the device is not connected")
        }
        let answer = Mailbox<CommandResult>(bound: 1, policy: .refuseNewest)
        calls[pending] = answer
        defer { calls[pending] = nil }
        guard case .element(let result) = await answer.next(until: deadline + Self.grace, on: time) else {
            return ended(.unknown, "no answer came; it may have been done")
        }
        return result
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
        let isGone = CommandOutcome(.unreachable, "the device is not connected")
        guard let target = online[device], target.device.owner == owner else { return isGone }
        let deadline = request.deadline(at: time.now)
        let renewal = LeaseRenewal(
            component: component, lease: request.lease, duration: request.duration,
            deadline: deadline + target.clockOffset)
        var generator = SystemRandomNumberGenerator()
        let pending = PendingRenewal(device: device, id: LeaseID(using: &generator).rawValue)
        switch target.notices.send(.renew(Renew(id: pending.id, renewal))) {
        case .accepted, .dropped: break
        case .refused: return CommandOutcome(.unreachable, "too many commands are waiting for this device")
        case .finished: return isGone
        }
        let answer = Mailbox<CommandOutcome>(bound: 1, policy: .refuseNewest)
        renewals[pending] = answer
        defer { renewals[pending] = nil }
        guard case .element(let outcome) = await answer.next(until: deadline + Self.grace, on: time) else {
            return CommandOutcome(.unknown, "no answer came from the device; the lease may have been renewed")
        }
        return outcome
    }

    /// A device said what became of a renewal.
    func renewed(_ message: Renewed, by device: Device) {
        renewals[PendingRenewal(device: device.row, id: message.id)]?.send(message.outcome)
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
                calls[PendingCall(device: device.row, id: result.id)]?.send(result)
            }
            tell(device.owner, .observation(ReportedObservation(record, of: device.name, description)))
        }
        for gap in new.gaps { tell(device.owner, .gap(ReportedGap(device: device.name, gap: gap))) }
    }

    private func tell(_ owner: Owner, _ item: Item) {
        for watcher in (watchers[owner.id] ?? [:]).values { watcher.send(item) }
    }
}

extension ReportedObservation {
    /// An observation as a person is told of it.
    init(_ record: RecordedObservation, of device: DeviceID, _ description: DeviceDescription?) {
        var quantity: Quantity?
        if case .reading(let reading) = record.observation.content {
            quantity = description?.component(reading.component)?.property(reading.property)?.quantity
        }
        self.init(
            device: device, time: record.observation.time.wall, content: record.observation.content,
            quantity: quantity, sequence: record.position.sequence)
    }
}
