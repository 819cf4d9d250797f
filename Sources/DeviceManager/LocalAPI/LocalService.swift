public import DeviceManager
public import DeviceModel
import Glibc
public import HAL
public import Logging
public import NIOCore
public import ServiceLifecycle
import Synchronization
import Transport

/// The agent's door on the device itself: a Unix socket on which programs ask and command, by the same messages and on
/// the same roads as the router.
public struct LocalService: Service {
    /// Drives a line of a simulated board from outside.
    public typealias Finger = @Sendable (LineReference, LineValue) throws(HALError) -> Void

    private let settings: AgentConfiguration.Local
    private let handler: LocalRequestHandler
    private let group: any EventLoopGroup
    /// Finished when the socket is open.
    private let opened = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    private let logger: Logger

    /// A door.
    ///
    /// - Parameters:
    ///   - settings: Where the socket is, and who may use it.
    ///   - manager: What is behind it.
    ///   - finger: Drives a line of a simulated board from outside; nil on a real one.
    ///   - group: Where the connections live.
    ///   - logger: The program's logger.
    public init(
        _ settings: AgentConfiguration.Local, manager: DeviceManager, finger: Finger?, group: any EventLoopGroup,
        logger: Logger
    ) {
        self.settings = settings
        handler = LocalRequestHandler(
            manager: manager,
            access: LocalAccess(controlGroup: settings.controlGroup, readGroup: settings.readGroup), finger: finger)
        self.group = group
        self.logger = logger
    }

    /// Runs until the shutdown.
    ///
    /// - Throws: ``TransportError`` when the socket can't be made.
    public func run() async throws {
        makeFolder()
        let server = try await LocalSocket.listen(on: settings.socket, group: group)
        // Everybody may knock; who may come in is decided by the kernel's word for who they are.
        chmod(settings.socket, 0o666)
        opened.finish()
        logger.info("local socket is open", metadata: ["path": "\(settings.socket)"])
        try await untilGracefulShutdown { try await serve(server) }
        unlink(settings.socket)
    }

    /// Its part in the agent's life: the socket is open, and its event loop turns.
    public var vital: Vital {
        Vital("local socket") { [opened, group] in
            _ = await opened.next()
            await withCheckedContinuation { continuation in
                group.next().execute { continuation.resume() }
            }
        }
    }

    private func serve(_ server: NIOAsyncChannel<MessageChannel, Never>) async throws {
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                let places = Places()
                for try await channel in connections {
                    // Those who may not even read are told so.
                    guard let user = channel.peer.user,
                        let place = places.taken.withLock({ $0.take(user, handler.access.level(of: user)) })
                    else {
                        await channel.close(.policyViolation)
                        continue
                    }
                    group.addTask {
                        await talk(channel, user)
                        places.taken.withLock { $0.leave(place) }
                    }
                }
            }
        }
    }

    /// The places of all connections.
    private final class Places: Sendable {
        let taken = Mutex(LocalPlaces())
    }

    private func talk(_ channel: MessageChannel, _ user: UInt32) async {
        var messages = channel.inbound.makeAsyncIterator()
        do {
            try await ConversationServer(on: channel).run(&messages) { request, conversation in
                try await handler.answer(request, from: user, conversation)
            }
        } catch {
            logger.debug("local connection ended", metadata: ["reason": "\(error.explanation)"])
        }
        await channel.close()
    }

    /// Makes the folder of the socket where nobody has: on a machine without systemd's RuntimeDirectory.
    private func makeFolder() {
        guard let end = settings.socket.lastIndex(of: "/"), end != settings.socket.startIndex else { return }
        mkdir(String(settings.socket[..<end]), 0o755)
    }
}
