import Client
import DeviceModel
import Glibc
import Terminal

/// Whom a question goes to: the agent on this machine, or the router of the stored session.
enum Place {
    /// The socket of the agent on this machine.
    static var socket: String {
        getenv("M2M_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            ?? "/run/m2m-agent/agent.sock"
    }

    /// Connects to the agent on this machine.
    static func local() async throws -> ClientConnection {
        try await ClientConnection.local(socket)
    }

    /// Connects to the router of the stored session; `mayAsk` is whether the person may be asked for the security code.
    static func router(mayAsk: Bool = true) async throws -> ClientConnection {
        guard let session = try StoredSession.load() else {
            throw ClientError(
                .notAuthenticated, "session", "you are not logged in; `m2m login URL --user NAME` does that")
        }
        return try await RouterLogin.resume(session) {
            guard mayAsk, SecretReader.isInteractive else {
                throw ClientError(
                    .notAuthenticated, "session",
                    "this session was not used for a while and wants the security code; log in again with `m2m login`")
            }
            return try code()
        }
    }

    /// Asks the person for the security code.
    static func code() throws -> String { try SecretReader.read("Security code") }

    /// Connects to whom an address means: with a device the router, without one the agent on this machine; the router
    /// again where there is no agent here, but a session.
    static func of(_ address: Address) async throws -> ClientConnection {
        if address.device != nil { return try await router() }
        if try StoredSession.load() == nil { return try await local() }
        if let agent = try await localIfThere() { return agent }
        return try await router()
    }

    /// Connects to the agent on this machine; nil where none runs, though one may have left its socket.
    static func localIfThere() async throws -> ClientConnection? {
        do {
            return try await local()
        } catch let error as ClientError where error.code == .unreachable {
            return nil
        }
    }
}
