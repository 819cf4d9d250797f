import DeviceModel
import Wire

/// What a person asks about who may do what: their sessions, and which of their devices are trusted.
extension PersonRequestHandler {
    /// Whether a request wants a security code that was given a short while ago.
    func isDangerous(_ request: Request) async throws -> Bool {
        switch request {
        case .accept(_, let fingerprint): fingerprint != nil
        case .revoke, .enable: true
        // Whoever has the code of a claim can take the place of a device that is there.
        case .claim(let device): try await !core.store.devices(of: owner, named: device).isEmpty
        default: false
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

    func endSession(_ name: String) async throws {
        guard let meant = try await core.logins.sessions(of: owner).first(where: { $0.name == name }) else {
            throw Failure(.notFound, "you have no session '\(name)'; `m2m sessions` lists them")
        }
        try await core.logins.end(meant)
    }

    // MARK: Devices

    func revoke(_ name: DeviceID) async throws -> [Item] {
        let device = try await one(Address(device: name))
        try await core.store.revoke(owner, device: device.row)
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
        try await core.store.trust(owner, device: device.row)
        await core.switchboard.trust(device.row, owner: owner)
        return [.device(try await summary(of: name))]
    }

    private func summary(of name: DeviceID) async throws -> DeviceSummary {
        let device = try await one(Address(device: name))
        return await summary(device, try await core.store.losses(of: owner, device: device.row))
    }
}
