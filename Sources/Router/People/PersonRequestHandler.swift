import DeviceModel
import Transport
import Wire

/// Answers what a person asks of the router: about their own space, and no other.
struct PersonRequestHandler: Sendable {
    let core: RouterCore
    let session: Session
    /// The address from which it is asked.
    let source: String

    /// How many observations go in one message.
    static let portion = 100
    /// How many observations a history gives when nobody says how many, and at most.
    private static let historyLimit = 100_000

    var owner: RouterStore.Owner { session.owner }

    func answer(_ request: Request, _ conversation: Conversation) async throws {
        switch request {
        case .whoami:
            let account = AccountSummary(user: owner.name, place: "router", expires: session.expires)
            try await conversation.send([.account(account)])
        case .devices: try await conversation.send(try await devices())
        case .describe(let address): try await conversation.send(try await describe(address))
        case .read(let address): try await conversation.send(try await read(address))
        case .watch(let address): try await watch(address, conversation)
        case .history(let query): try await history(query, conversation)
        case .call(let call): try await conversation.send([.observation(try await perform(call))])
        case .renew(let renewal): try await renew(renewal)
        case .claim(let device): try await conversation.send([.ticket(try await claim(device))])
        case .accept(let device, let fingerprint):
            try await conversation.send(try await accept(device, fingerprint))
        case .sessions: try await conversation.send(try await sessions())
        case .endSession(let name): try await endSession(name, conversation)
        case .audit(let query): try await audit(query, conversation)
        case .revoke(let device): try await conversation.send(try await revoke(device))
        case .enable(let device): try await conversation.send(try await enable(device))
        case .integrity(let request): try await answer(request, conversation)
        case .status, .probe, .drive:
            throw Failure(.unsupported, "'\(request.type)' is answered on the device itself, not by the router")
        }
    }

    // MARK: Devices

    private func devices() async throws -> [Item] {
        var items: [Item] = []
        let losses = try await core.store.losses(of: owner)
        for device in try await core.store.devices(of: owner) {
            items.append(.device(await summary(device, losses)))
        }
        return items
    }

    func summary(_ device: RouterStore.ListedDevice, _ losses: [Int64: DeviceLosses]) async -> DeviceSummary {
        let heard = await core.switchboard.presence(of: device.row, owner: owner)
        return DeviceSummary(
            device: device.name, label: device.description?.label,
            isOnline: heard != nil && device.revoked == nil,  // its connection is being cut off
            lastSeen: heard ?? device.lastSeen, losses: losses[device.row] ?? DeviceLosses(), alarm: device.alarm,
            isRevoked: device.revoked != nil, disabledBecause: device.disabledBecause,
            objection: device.objection?.words)
    }

    /// The devices that are meant; somebody else's is no other than one that does not exist.
    private func meant(_ address: Address) async throws -> [RouterStore.ListedDevice] {
        let devices = try await core.store.devices(of: owner, named: address.device)
        guard let name = address.device else { return devices }
        guard let device = devices.first else {
            throw Failure(.notFound, "there is no device '\(name)' in your space; `m2m devices` lists them")
        }
        if let component = address.component, let description = device.description {
            try Self.check(component, address.property, description)
        }
        return devices
    }

    /// The one device that is meant.
    func one(_ address: Address) async throws -> RouterStore.ListedDevice {
        guard address.device != nil, let device = try await meant(address).first else {
            throw Failure(.badRequest, "say which device is meant, as DEVICE/COMPONENT")
        }
        return device
    }

    private static func check(
        _ id: ComponentID, _ property: String?, _ description: DeviceDescription
    ) throws(Failure) {
        guard let component = description.component(id) else {
            let known = description.components.map(\.id.rawValue).joined(separator: ", ")
            throw Failure(.notFound, "\(description.id) has no component '\(id)'; it has \(known)")
        }
        if let property, component.property(property) == nil {
            let known = component.properties.map(\.name).joined(separator: ", ")
            throw Failure(.notFound, "\(id) has no property '\(property)'; it has \(known)")
        }
    }

    private func describe(_ address: Address) async throws -> [Item] {
        try await meant(address).compactMap { device in
            guard var description = device.description else { return nil }
            if let id = address.component { description.components.removeAll { $0.id != id } }
            return .description(description)
        }
    }

    // MARK: Readings

    private func read(_ address: Address) async throws -> [Item] {
        var items: [Item] = []
        for device in try await meant(address) {
            let isOnline = await core.switchboard.presence(of: device.row, owner: owner) != nil
            for component in device.description?.components ?? [] {
                guard address.component == nil || component.id == address.component else { continue }
                for property in component.properties where address.property ?? property.name == property.name {
                    let record = try await core.store.newest(owner, device.row, component.id, property.name)
                    guard let record else { continue }
                    var report = ReportedObservation(record, of: device.name, device.description)
                    if !isOnline { report.becomeStale() }
                    items.append(.observation(report))
                }
            }
        }
        return items
    }

    private func watch(_ address: Address, _ conversation: Conversation) async throws {
        let known = try await meant(address)
        let (id, arrivals) = await core.switchboard.watch(owner)
        conversation.onStop { arrivals.finish() }
        var items: [Item] = []
        do {
            let losses = try await core.store.losses(of: owner, device: known.count == 1 ? known[0].row : nil)
            for device in known { items.append(.device(await summary(device, losses))) }
            try await conversation.send(items)
            while let first = await arrivals.next() {
                items = [first]
                while items.count < Self.portion, let more = arrivals.takeIfWaiting() { items.append(more) }
                try await conversation.send(items.filter { $0.isAbout(address) })
            }
        } catch {
            await core.switchboard.endWatch(owner, id: id)
            throw error
        }
        await core.switchboard.endWatch(owner, id: id)
    }

    private func history(_ query: HistoryQuery, _ conversation: Conversation) async throws {
        let device = try await one(query.address)
        guard let component = query.address.component else { throw Failure(.badRequest, "which component's history?") }
        let entries = try await core.store.history(
            owner, device.row, component, property: query.address.property, since: query.since,
            limit: min(query.limit ?? Self.historyLimit, Self.historyLimit))
        for start in stride(from: 0, to: entries.count, by: Self.portion) {
            let part = entries[start..<min(start + Self.portion, entries.count)]
            try await conversation.send(part.map { Item($0, of: device.name, device.description) })
        }
    }

    // MARK: Doing

    private func perform(_ call: CallRequest) async throws -> ReportedObservation {
        let device = try await one(call.address)
        guard let component = call.address.component else { throw Failure(.badRequest, "which component is meant?") }
        let result = await core.switchboard.call(call, device: device.row, owner: owner, component: component)
        core.audit.note(.command, party, call.auditText, result: result.auditText)
        return ReportedObservation(device: device.name, time: core.time.wall, content: .result(result))
    }

    private func renew(_ request: LeaseRenewalRequest) async throws {
        let device = try await one(request.address)
        guard let component = request.address.component else { throw Failure(.badRequest, "which component is meant?") }
        let outcome = await core.switchboard.renew(request, device: device.row, owner: owner, component: component)
        // Whoever lets an output go makes it safe: this is a command. That a lease goes on is none.
        if request.duration == .zero {
            core.audit.note(
                .command, party, "\(device.name)/\(component) lease ends",
                result: outcome.status == .done ? AuditEntry.done : outcome.status.rawValue)
        }
        if let failure = Failure(renewal: outcome) { throw failure }
    }

    private func claim(_ device: DeviceID) async throws -> ClaimTicket {
        var generator = SystemRandomNumberGenerator()
        let code = ClaimCode(caDigest: core.caDigest, using: &generator)
        let expires = try await audited(.claimMade, device.rawValue) {
            try await core.store.addClaim(owner, device: device, secretHash: Digest.sha256(code.secret.utf8))
        }
        return ClaimTicket(device: device, code: code.description, expires: expires)
    }

    private static func nobodyWaits(
        _ device: DeviceID, _ store: RouterStore, _ owner: RouterStore.Owner
    ) async throws -> String {
        guard try await store.isFull(owner) else {
            return "no device waits as '\(device)'; run `m2m-agent enroll` on it"
        }
        return
            "no device waits as '\(device)', and no more can: \(RouterStore.pendingLimit) others do, for a day at most; "
            + "`m2m claim \(device)` makes a code with which it need not wait"
    }

    private func accept(_ device: DeviceID, _ fingerprint: String?) async throws -> [Item] {
        let waiting = try await core.store.pending(of: owner, named: device).map { key, since in
            (key: key, since: since, fingerprint: KeyFingerprint(digest: Digest.sha256(key)))
        }
        guard !waiting.isEmpty else { throw Failure(.notFound, try await Self.nobodyWaits(device, core.store, owner)) }
        guard let fingerprint else {
            return waiting.map {
                .pending(PendingDevice(device: device, fingerprint: $0.fingerprint.description, since: $0.since))
            }
        }
        guard let meant = waiting.first(where: { $0.fingerprint.matches(fingerprint) }) else {
            throw Failure(.notFound, "no device with this fingerprint waits as '\(device)'")
        }
        try await audited(.deviceAccepted, "\(device), key \(meant.fingerprint)") {
            guard try await core.store.accept(owner, device: device, key: meant.key) else {
                throw Failure(.conflict, "'\(device)' does not wait any more")
            }
        }
        await core.switchboard.accept(key: meant.key, by: owner)
        try await core.retireOtherKeys(of: meant.key)
        return [.device(DeviceSummary(device: device, isOnline: false, lastSeen: nil))]
    }
}

extension ReportedObservation {
    /// The device is not there: what was good is so no more.
    fileprivate mutating func becomeStale() {
        guard case .reading(var reading) = content, reading.quality == .good else { return }
        (reading.quality, reading.reason) = (.stale, "the device is not connected")
        content = .reading(reading)
    }
}

extension Item {
    /// A piece of the past as a person is told of it.
    fileprivate init(_ entry: HistoryEntry, of device: DeviceID, _ description: DeviceDescription?) {
        self =
            switch entry {
            case .observation(let record): .observation(ReportedObservation(record, of: device, description))
            case .gap(let gap): .gap(ReportedGap(device: device, gap: gap))
            }
    }

    /// Whether a piece of news is about what somebody watches.
    fileprivate func isAbout(_ address: Address) -> Bool {
        switch self {
        case .observation(let report):
            let component: ComponentID =
                switch report.content {
                case .reading(let reading): reading.component
                case .event(let event): event.component
                case .result(let result): result.component
                }
            return (address.device ?? report.device) == report.device && (address.component ?? component) == component
        case .gap(let report): return (address.device ?? report.device) == report.device
        case .device(let device): return (address.device ?? device.device) == device.device
        default: return true
        }
    }
}
