public import DeviceModel
import NIOPosix
import Transport
import Wire

/// How a person gets into a router, and back in.
public enum RouterLogin {
    private static let path = "/api/v1/link"

    /// Logs in with name, password and security code.
    ///
    /// - Parameters:
    ///   - address: The router.
    ///   - user: The account.
    ///   - ca: Certificates (PEM) that are trusted; nil: the system's.
    ///   - password: The password.
    ///   - time: The clock; nil: this machine's.
    ///   - code: Asked for the security code once the password was right.
    /// - Returns: The session.
    /// - Throws: ``Failure`` when the router does not let the person in; ``TransportError`` when it can't be reached.
    public static func login(
        to address: RouterAddress, user: String, ca: String?, password: String, time: (any TimeSource)? = nil,
        code: () throws -> String
    ) async throws -> StoredSession {
        var connection = try await connect(address, ca, time)
        var answer = try await connection.exchange(Login(user: user, password: password))
        if answer.kind == CodeWanted.kind { answer = try await connection.exchange(Code(code: try code())) }
        let granted = try answer.decode(SessionGranted.self)
        await connection.close()
        guard let token = granted.token else {
            throw ClientError(.internalFailure, "\(address)", "\(address) let us in without a token")
        }
        return StoredSession(url: "\(address)", user: granted.user, token: token, expires: granted.expires, ca: ca)
    }

    /// Goes on with a session.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - time: The clock; nil: this machine's.
    ///   - code: Asked for the security code where the session was not used for a while.
    /// - Returns: The connection.
    /// - Throws: ``Failure`` when the session has ended; ``TransportError`` when the router can't be reached.
    public static func resume(
        _ session: StoredSession, time: (any TimeSource)? = nil, code: () throws -> String
    ) async throws -> ClientConnection {
        guard let address = RouterAddress(session.url) else {
            throw ClientError(.badRequest, session.url, "the stored session is damaged; log in again with `m2m login`")
        }
        var connection = try await connect(address, session.ca, time)
        var answer = try await connection.exchange(Resume(token: session.token))
        if answer.kind == CodeWanted.kind { answer = try await connection.exchange(Code(code: try code())) }
        connection.note(clock: try answer.decode(SessionGranted.self).monotonic)
        return connection
    }

    /// Ends a session for good.
    ///
    /// - Parameter connection: A connection of the session.
    /// - Throws: ``TransportError`` when the router can't be reached.
    public static func logout(_ connection: consuming ClientConnection) async throws {
        _ = try await connection.exchange(Logout())
        await connection.close()
    }

    private static func connect(
        _ address: RouterAddress, _ ca: String?, _ time: (any TimeSource)?
    ) async throws -> ClientConnection {
        let client = WebSocketClient(group: .singletonMultiThreadedEventLoopGroup, agent: "m2m \(Version.current)")
        let trust = ca.map { TLSTrust.certificates(Array($0.utf8)) } ?? .system
        return ClientConnection(
            try await client.connect(to: address, path: path, trust: trust), time: try ClientConnection.clock(time))
    }
}
