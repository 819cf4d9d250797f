import DeviceModel
import Wire

@testable import Router

extension LoginDesk {
    /// Begins a session from nowhere in particular.
    func begin(_ owner: RouterStore.Owner) async throws -> (Session, token: String) {
        try await begin(owner, from: Origin(source: "here", agent: "test"))
    }
}

extension RouterStore {
    /// Begins a session with a token that hashes to this.
    @discardableResult
    func addSession(_ owner: Owner, tokenHash: [UInt8]) async throws -> WallTime {
        let session = Session(
            tokenHash: tokenHash, owner: owner, name: tokenHash.hexadecimal, source: "here", agent: "test",
            at: time.timestamp)
        try await add(session)
        return session.expires
    }

    /// Uses a session.
    func touchSession(tokenHash: [UInt8]) async throws {
        guard var session = try await session(tokenHash: tokenHash) else { return }
        session.use(at: time.timestamp)
        _ = try await update(session)
    }

    /// Ends a session.
    func removeSession(tokenHash: [UInt8]) async throws {
        guard let session = try await session(tokenHash: tokenHash) else { return }
        try await removeSession(of: session.owner, tokenHash: tokenHash)
    }
}

extension DeviceSession.Event {
    /// A device has proved who it is.
    static func proved(owner: String, receptions: [StreamReception]) -> Self {
        .proved(Welcome(owner: owner, heartbeat: .seconds(20), streams: receptions))
    }
}
