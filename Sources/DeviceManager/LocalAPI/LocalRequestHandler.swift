import DeviceManager
import DeviceModel
import HAL
import Transport
import Wire

/// Answers what is asked on the local socket.
struct LocalRequestHandler: Sendable {
    let manager: DeviceManager
    let access: LocalAccess
    let finger: LocalService.Finger?

    /// How many observations go in one message.
    private static let portion = 100
    /// How many readings a history gives when nobody says how many.
    private static let historyLimit = 10_000

    func answer(_ request: Request, from uid: UInt32, _ conversation: Conversation) async throws {
        try access.check(request, from: uid)
        switch request {
        case .whoami:
            let account = AccountSummary(user: LocalAccess.name(of: uid), place: manager.description.id.rawValue)
            try await conversation.send([.account(account)])
        case .devices: try await conversation.send([.device(summary)])
        case .describe(let address): try await conversation.send([.description(try description(address))])
        case .read(let address):
            try check(address)
            try await conversation.send(manager.observations.read(address).map(Item.observation))
        case .watch(let address): try await watch(address, conversation)
        case .history(let query): try await history(query, conversation)
        case .call(let call): try await conversation.send([.observation(try await perform(call, uid))])
        case .renew(let renewal): try await renew(renewal)
        case .status: try await conversation.send([.status(await manager.status())])
        case .probe: try await conversation.send([.inventory(await manager.inventory())])
        case .drive(let line, let isActive): try drive(line, isActive)
        case .integrity(let request): try await answer(request, conversation)
        case .claim, .accept, .revoke, .enable, .sessions, .endSession, .audit:
            throw Failure(
                .notPermitted,
                "who may be a device, and who may come in, is decided at the router: log in with `m2m login`")
        }
    }

    // MARK: Files

    private func answer(_ request: IntegrityRequest, _ conversation: Conversation) async throws {
        try check(Address(device: request.device))
        let snapshot = manager.integrity?.snapshot
        switch request {
        case .status: break
        case .changes:
            let changes = snapshot?.changes ?? []
            for start in stride(from: 0, to: changes.count, by: Self.portion) {
                let part = changes[start..<min(start + Self.portion, changes.count)]
                try await conversation.send(
                    part.map { .change(ReportedChange(device: manager.description.id, change: $0)) })
            }
        case .approve, .release, .enable, .window:
            throw Failure(
                .notPermitted,
                "what the files of this device are meant to be is said by its owner, through the router: log in with "
                    + "`m2m login`")
        }
        var status = manager.integrity?.status ?? IntegrityStatus(state: .off)
        status.found = snapshot?.root
        try await conversation.send([.integrity(ReportedIntegrity(device: manager.description.id, status: status))])
    }

    private var summary: DeviceSummary {
        DeviceSummary(
            device: manager.description.id, label: manager.description.label, isOnline: true,
            lastSeen: manager.time.wall)
    }

    // MARK: Looking

    private func check(_ address: Address) throws(Failure) {
        if let device = address.device, device != manager.description.id {
            throw Failure(
                .notFound, "this is \(manager.description.id); for \(device) log in to its router with `m2m login`")
        }
        guard let id = address.component else { return }
        guard let component = manager.description.component(id) else {
            let known = manager.description.components.map(\.id.rawValue).joined(separator: ", ")
            throw Failure(.notFound, "there is no component '\(id)' here; there is \(known)")
        }
        if let property = address.property, component.property(property) == nil {
            let known = component.properties.map(\.name).joined(separator: ", ")
            throw Failure(.notFound, "\(id) has no property '\(property)'; it has \(known)")
        }
    }

    private func description(_ address: Address) throws(Failure) -> DeviceDescription {
        try check(address)
        var description = manager.description
        if let id = address.component { description.components.removeAll { $0.id != id } }
        return description
    }

    private func watch(_ address: Address, _ conversation: Conversation) async throws {
        try check(address)
        let (arrivals, end) = manager.observations.watch(bound: 1_024)
        conversation.onStop(end)
        defer { end() }
        while let record = await arrivals.next() {
            var items = [record]
            while items.count < Self.portion, let more = arrivals.takeIfWaiting() { items.append(more) }
            let meant = items.filter { address.component == nil || $0.observation.component == address.component }
            try await conversation.send(meant.map { .observation(report($0)) })
        }
    }

    private func history(_ query: HistoryQuery, _ conversation: Conversation) async throws {
        try check(query.address)
        guard let component = query.address.component else { throw Failure(.badRequest, "which component's history?") }
        let entries = try await manager.outbox.history(
            of: component, property: query.address.property, since: query.since,
            limit: min(query.limit ?? Self.historyLimit, Self.historyLimit))
        for start in stride(from: 0, to: entries.count, by: Self.portion) {
            let part = entries[start..<min(start + Self.portion, entries.count)]
            try await conversation.send(
                part.map { entry in
                    switch entry {
                    case .observation(let record): .observation(report(record))
                    case .gap(let gap): .gap(ReportedGap(device: manager.description.id, gap: gap))
                    }
                })
        }
    }

    private func report(_ record: RecordedObservation) -> ReportedObservation {
        var quantity: Quantity?
        if case .reading(let reading) = record.observation.content {
            quantity = manager.description.component(reading.component)?.property(reading.property)?.quantity
        }
        return ReportedObservation(
            device: manager.description.id, time: record.observation.time.wall, content: record.observation.content,
            quantity: quantity, position: record.position, isDated: record.observation.time.isSynchronised)
    }

    // MARK: Doing

    private func perform(_ call: CallRequest, _ uid: UInt32) async throws(Failure) -> ReportedObservation {
        try check(Address(device: call.address.device))
        guard let component = call.address.component else { throw Failure(.badRequest, "which component is meant?") }
        let deadline = call.deadline(at: manager.time.now)
        let command = Command(
            id: call.id, component: component, action: call.action, parameters: call.parameters, deadline: deadline,
            origin: .local(uid: uid, user: LocalAccess.name(of: uid)), lease: call.lease)
        var result = await manager.commands.perform(command)
        result.author = nil  // who asks knows
        return ReportedObservation(
            device: manager.description.id, time: manager.time.wall, content: .result(result))
    }

    private func renew(_ request: LeaseRenewalRequest) async throws(Failure) {
        try check(Address(device: request.address.device))
        guard let component = request.address.component else { throw Failure(.badRequest, "which component is meant?") }
        let renewal = LeaseRenewal(
            component: component, lease: request.lease, duration: request.duration,
            deadline: request.deadline(at: manager.time.now))
        if let failure = Failure(renewal: await manager.commands.renew(renewal)) { throw failure }
    }

    private func drive(_ text: String, _ isActive: Bool) throws {
        guard let finger else {
            throw Failure(.unsupported, "this is a real board: nobody but the world itself drives its lines")
        }
        guard let line = LineReference(text) else {
            throw Failure(.badRequest, "'\(text)' is no line; write a name such as GPIO17, or 'pin 11'")
        }
        try finger(line, isActive ? .active : .inactive)
    }
}
