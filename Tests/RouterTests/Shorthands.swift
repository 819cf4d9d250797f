import DeviceModel
import TestSupport
import Wire

@testable import Router

extension LoginDesk {
    /// Begins a session from nowhere in particular.
    func begin(_ owner: RouterStore.Owner) async throws -> (Session, token: String) {
        try await begin(owner, from: Origin(source: "here", agent: "test"))
    }
}

extension RouterStore {
    /// A wrong code was given.
    ///
    /// - Returns: Whether the account is locked now.
    func countWrongCode(_ owner: Owner) async throws -> Bool {
        try await countCode(owner)
        return try await lockIfDue(owner)
    }

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

extension Switchboard {
    /// A device comes in, and can be commanded.
    func enter(_ device: Device, notices: Mailbox<Notice>, clock: MonotonicTime) {
        connect(device, notices: notices, clock: clock, boot: 1)
        confirm(device, notices: notices)
    }

    /// Whether a device can be commanded.
    func isConfirmed(_ device: Int64) -> Bool { online[device]?.isConfirmed ?? false }

    /// Whether a command waits until a device can be commanded.
    func isAwaited(_ device: Int64) -> Bool { online[device]?.confirmations.isEmpty == false }
}
