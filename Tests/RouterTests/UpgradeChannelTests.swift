import DeviceModel
import HALTestKit
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport

@testable import Router

/// Promise: devices that come too fast are told when to come again, before anything is done for them; people and others
/// are not concerned.
@Suite(.timeLimit(.minutes(1))) struct UpgradeChannelTests {
    /// A port that takes connections as a router's does, but without TLS.
    private struct Port {
        let time = ManualTime()
        private let folder: TemporaryDirectory
        private let core: RouterCore
        private let group = MultiThreadedEventLoopGroup.singleton
        /// What the kernel says of the sockets of those who came.
        private let timeouts = Mailbox<Int>(bound: 100, policy: .refuseNewest)

        init(perSecond: Int, burst: Int) throws {
            folder = try TemporaryDirectory()
            let store = try RouterStore(inMemoryAt: time)
            let rate = RouterSettings.AdmissionRate(perSecond: perSecond, burst: burst)
            core = RouterCore(
                settings: RouterSettings(dataDirectory: folder.path, admission: rate), store: store,
                hasher: SecretHasher(pepper: [1], rounds: 2),
                audit: try AuditDesk(folder: folder.path, time: time),
                publicKeyHash: [], caDigest: nil, time: time,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        /// Asks for a WebSocket at each of these paths, in turn.
        ///
        /// - Returns: The first words of each answer, and what it says of another try.
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
        let retryAfter: String?

        init(head: String) {
            let lines = head.split(separator: "\r\n")
            status = String(lines.first?.dropFirst("HTTP/1.1 ".count) ?? "")
            retryAfter = lines.first { $0.lowercased().hasPrefix("retry-after: ") }
                .map { String($0.dropFirst("retry-after: ".count)) }
        }

        init(_ status: String, retryAfter: String? = nil) { (self.status, self.retryAfter) = (status, retryAfter) }

        static let upgraded = Answer("101 Switching Protocols")
        static func busy(_ seconds: Int) -> Answer { Answer("503 Service Unavailable", retryAfter: "\(seconds)") }
    }

    private let device = UpgradeChannel.devicePath
    private let person = UpgradeChannel.personPath

    @Test("Devices beyond the rate are sent away, each for longer than the one before, and come in when it is over")
    func rate() async throws {
        let port = try Port(perSecond: 1, burst: 2)
        #expect(
            try await port.ask([device, device, device, device, device])
                == [.upgraded, .upgraded, .busy(1), .busy(2), .busy(3)])
        port.time.advance(by: .seconds(1))
        #expect(try await port.ask([device, device]) == [.upgraded, .busy(3)])
    }

    @Test("Less than a second is told as one, and a part of a second as a whole one")
    func wholeSeconds() async throws {
        let port = try Port(perSecond: 4, burst: 1)
        let answers = try await port.ask([String](repeating: device, count: 7))
        #expect(answers == [.upgraded, .busy(1), .busy(1), .busy(1), .busy(1), .busy(2), .busy(2)])
    }

    @Test("People come in at any time, and what is no path of a WebSocket takes nobody's place")
    func others() async throws {
        let port = try Port(perSecond: 1, burst: 1)
        let answers = try await port.ask(["/elsewhere", "\(device)?x", device, device, person, person, "/elsewhere"])
        #expect(
            answers == [
                Answer("404 Not Found"), Answer("404 Not Found"), .upgraded, .busy(1), .upgraded, .upgraded,
                Answer("404 Not Found"),
            ])
    }

    @Test("The kernel gives up on whoever takes nothing for 45 s")
    func userTimeout() async throws {
        let port = try Port(perSecond: 1, burst: 1)
        _ = try await port.ask([device])
        #expect(await port.timeout() == 45_000)
    }
}
