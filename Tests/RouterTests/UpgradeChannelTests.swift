import DeviceModel
import HALTestKit
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport

@testable import Router

/// Promise: on the router's port devices and people come in on their paths, and nobody else does.
@Suite(.timeLimit(.minutes(1))) struct UpgradeChannelTests {
    /// A port that takes connections as a router's does, but without TLS.
    private struct Port {
        let time = ManualTime()
        private let folder: TemporaryDirectory
        private let core: RouterCore
        private let group = MultiThreadedEventLoopGroup.singleton
        /// What the kernel says of the sockets of those who came.
        private let timeouts = Mailbox<Int>(bound: 100, policy: .refuseNewest)

        init() throws {
            folder = try TemporaryDirectory()
            let store = try RouterStore(inMemoryAt: time)
            core = RouterCore(
                settings: RouterSettings(dataDirectory: folder.path), store: store,
                hasher: SecretHasher(pepper: [1], rounds: 2),
                audit: try AuditDesk(folder: folder.path, time: time),
                publicKeyHash: [], caDigest: nil, time: time,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        /// Asks for a WebSocket at each of these paths, in turn.
        ///
        /// - Returns: The first words of each answer.
        func ask(_ paths: [String]) async throws -> [Answer] {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let upgrade = UpgradeChannel(responder: { _, _, _ in }, core: core)
            let server = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    upgrade.setup(channel: channel, logger: logger).map { value in
                        Task { await upgrade.handle(value: value, logger: logger) }
                        channel.getOption(.tcpOption(.userTimeout)).whenSuccess { timeouts.send($0) }
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            var answers: [Answer] = []
            for path in paths { answers.append(try await ask(path, try #require(server.localAddress))) }
            try await server.close()
            return answers
        }

        private func ask(_ path: String, _ address: SocketAddress) async throws -> Answer {
            let channel = try await ClientBootstrap(group: group).connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.request(path)))
                var head = ""
                for try await piece in inbound {
                    head += String(buffer: piece)
                    if head.contains("\r\n\r\n") { break }
                }
                return Answer(head: head)
            }
        }

        private static func request(_ path: String) -> String {
            """
            GET \(path) HTTP/1.1\r
            Host: localhost\r
            Connection: upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Version: 13\r
            \r

            """
        }

        /// How long what is sent to somebody may stay unacknowledged, by the kernel's word.
        func timeout() async -> Int? { await timeouts.next() }
    }

    /// The head of an answer.
    private struct Answer: Hashable {
        let status: String

        init(head: String) {
            self.init(head.split(separator: "\r\n").first?.dropFirst("HTTP/1.1 ".count) ?? "")
        }

        init(_ status: some StringProtocol) { self.status = String(status) }

        static let upgraded = Answer("101 Switching Protocols")
    }

    private let device = UpgradeChannel.devicePath
    private let person = UpgradeChannel.personPath

    @Test("Devices and people get their WebSockets; what is no path of one gets none")
    func paths() async throws {
        let answers = try await Port().ask(["/elsewhere", "\(device)?x", device, person])
        let nothing = Answer("404 Not Found")
        #expect(answers == [nothing, nothing, .upgraded, .upgraded])
    }

    @Test("Whoever has proved nothing takes no device's turn, however many they are")
    func nobodysTurn() async throws {
        let answers = try await Port().ask([String](repeating: device, count: 60))
        #expect(answers.allSatisfy { $0 == .upgraded })
    }

    @Test("The kernel gives up on whoever takes nothing for 45 s")
    func userTimeout() async throws {
        let port = try Port()
        _ = try await port.ask([device])
        #expect(await port.timeout() == 45_000)
    }
}
