import DeviceModel
import Transport
import Wire

/// What a person asks about who may do what: their sessions, and which of their devices are trusted.
extension PersonRequestHandler {
    /// Whether a request wants a security code that was given a short while ago.
    func isDangerous(_ request: Request) async throws -> Bool {
        switch request {
        case .accept(_, let fingerprint): fingerprint != nil
        case .revoke, .enable: true
        case .integrity(let request): isDangerous(request)
        // Whoever has the code of a claim can take the place of a device that is there.
        case .claim(let device): try await !core.store.devices(of: owner, named: device).isEmpty
        // Each one by its name, so that a new one is thought about.
        case .whoami, .devices, .describe, .read, .watch, .history, .call, .renew, .sessions, .endSession, .audit: false
        case .status, .probe, .drive: false
        }
    }

    /// Who asks, for the audit log.
    var party: AuditParty { .person(owner, from: source) }

    /// Does what must not be done without its entry; where it is not done after all, another entry says so.
    func audited<Value>(
        _ act: AuditAct, _ object: String, _ body: () async throws -> Value
    ) async throws -> Value {
        try await core.audit.write(act, party, object)
        do {
            return try await body()
        } catch {
            core.audit.note(act, party, object, result: "not done: \(error.explanation)")
            throw error
        }
    }

    // MARK: Sessions

    func sessions() async throws -> [Item] {
        try await core.logins.sessions(of: owner).map { one in
            .session(
                SessionSummary(
                    name: one.name, source: one.source, agent: one.agent, begun: one.begun.wall, used: one.used.wall,
                    expires: one.expires, isCurrent: one.tokenHash == session.tokenHash))
        }
    }

    func endSession(_ name: String, _ conversation: Conversation) async throws {
        guard let meant = try await core.logins.sessions(of: owner).first(where: { $0.name == name }) else {
            throw Failure(.notFound, "you have no session '\(name)'; `m2m sessions` lists them")
        }
        core.audit.note(.sessionRevoked, party, "session \(name)")
        guard name == session.name else { return try await core.logins.end(meant) }
        try await core.logins.remove(meant)
        // Whoever ends the session that asks hears that first.
        conversation.onFinish { [endings = core.logins.endings] in endings.tell(meant) }
    }

    // MARK: Devices

    func revoke(_ name: DeviceID) async throws -> [Item] {
        let device = try await one(Address(device: name))
        try await audited(.deviceRevoked, name.rawValue) { try await core.store.revoke(owner, device: device.row) }
        await core.switchboard.revoke(device.row, owner: owner)
        return [.device(try await summary(of: name))]
    }

    func enable(_ name: DeviceID) async throws -> [Item] {
        let device = try await one(Address(device: name))
        guard device.revoked == nil else {
            throw Failure(
                .conflict, "'\(name)' was revoked; `m2m claim \(name)` makes a code with which it can be enrolled again"
            )
        }
        try await audited(.deviceEnabled, name.rawValue) { try await core.store.trust(owner, device: device.row) }
        await core.switchboard.trust(device.row, owner: owner)
        return [.device(try await summary(of: name))]
    }

    // MARK: The audit log

    /// How many entries are told when nobody says how many, and at most.
    private static let auditLimit = 10_000

    func audit(_ query: AuditQuery, _ conversation: Conversation) async throws {
        let entries = try await core.audit.log.entries(
            of: owner.id, since: query.since, limit: min(query.limit ?? Self.auditLimit, Self.auditLimit))
        for start in stride(from: 0, to: entries.count, by: Self.portion) {
            try await conversation.send(
                entries[start..<min(start + Self.portion, entries.count)].map { _, entry in
                    .audit(AuditRecord(entry))
                })
        }
    }

    func summary(of name: DeviceID) async throws -> DeviceSummary {
        let device = try await one(Address(device: name))
        return await summary(device, try await core.store.losses(of: owner, device: device.row))
    }
}

extension AuditRecord {
    /// An entry as a person is told of it.
    ///
    /// Not with its number: that tells how much is going on in other people's spaces.
    fileprivate init(_ entry: AuditEntry) {
        self.init(
            time: entry.time, times: entry.times, until: entry.until, who: entry.who,
            source: entry.source, act: entry.act.rawValue, object: entry.object, result: entry.result)
    }
}

extension CallRequest {
    /// The command as the audit log keeps it.
    var auditText: String {
        let place = [address.device?.rawValue, address.component?.rawValue].compactMap(\.self).joined(separator: "/")
        let details = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text(of: nil))" }
        return ([place, action] + details + (lease.map { ["lease=\($0.duration.text)"] } ?? [])).joined(separator: " ")
    }
}

extension CommandResult {
    /// What came of it, as the audit log keeps it.
    var auditText: String {
        status == .done ? AuditEntry.done : status.rawValue + (reason.map { ": \($0)" } ?? "")
    }
}
