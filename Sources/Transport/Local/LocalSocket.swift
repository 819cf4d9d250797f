import CLinux
import DeviceModel
public import NIOCore
import NIOPosix

/// Messages over a Unix socket: the same ones as over a WebSocket, each with its length before it.
public enum LocalSocket {
    /// How many bytes a message may have.
    public static let messageSize = 1_048_576

    /// Connects to a socket.
    ///
    /// - Parameters:
    ///   - path: The socket.
    ///   - group: Where the connection lives.
    /// - Returns: The connection.
    /// - Throws: ``TransportError`` when nobody listens there, or this user may not connect.
    public static func connect(
        to path: String, on group: any EventLoopGroup
    ) async throws(TransportError) -> MessageChannel {
        do {
            return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel, MessageChannel.Peer(address: path)) }
            }
        } catch {
            throw explain(error, path)
        }
    }

    /// Listens on a socket.
    ///
    /// A socket that a dead process left behind is replaced; one on which somebody listens is not.
    ///
    /// - Parameters:
    ///   - path: The socket.
    ///   - group: Where the connections live.
    /// - Returns: The connections, each with the credentials of its other end.
    /// - Throws: ``TransportError`` when the socket can't be made.
    public static func listen(
        on path: String, group: any EventLoopGroup
    ) async throws(TransportError) -> NIOAsyncChannel<MessageChannel, Never> {
        guard await !isAnswering(path, group) else {
            throw TransportError(
                .occupied, path, "is in use: another agent listens there; stop it, or set local.socket")
        }
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 16)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                    credentials(of: channel).flatMapThrowing { credentials in
                        let address = "process \(credentials.pid) of user \(credentials.uid)"
                        return try configure(channel, MessageChannel.Peer(address: address, user: credentials.uid))
                    }
                }
        } catch {
            throw explain(error, path)
        }
    }

    private static func isAnswering(_ path: String, _ group: any EventLoopGroup) async -> Bool {
        let channel = try? await connect(to: path, on: group)  // safe: whatever is in the way, nobody answers
        channel?.abort()
        return channel != nil
    }

    private static func configure(_ channel: any Channel, _ peer: MessageChannel.Peer) throws -> MessageChannel {
        try Framing.addLengths(to: channel)
        return try MessageQueueHandler.add(to: channel, peer: peer)
    }

    private static func credentials(of channel: any Channel) -> EventLoopFuture<clinux_peer> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        return provider.unsafeGetSocketOption(
            level: .init(rawValue: clinux_peer_level), name: .init(rawValue: clinux_peer_option))
    }

    private static func explain(_ error: any Error, _ path: String) -> TransportError {
        switch error {
        case SocketAddressError.unixDomainSocketPathTooLong:
            return TransportError(.unreachable, path, "is too long for a socket's name; 107 bytes are the most")
        case is UnixDomainSocketPathWrongType:
            return TransportError(.occupied, path, "is no socket but something else; remove it, or set local.socket")
        default: break
        }
        guard let error = error as? IOError else { return TransportError(error, resource: path) }
        return TransportError(.unreachable, path, "cannot be reached: \(errorText(error.errnoCode))")
    }
}
