import Crypto
import DeviceModel
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Router
@testable import Transport

/// A server that echoes messages over TLS, on loopback, with whatever certificate a test gives it.
private struct EchoServer {
    let channel: any Channel
    var address: RouterAddress { RouterAddress(host: "localhost", port: channel.localAddress?.port ?? 0) }

    /// Runs a server while a test talks to it.
    static func run(
        _ authority: CertificateAuthority, names: [String] = ["localhost"], now: Date = Date(),
        limits: WebSocketLimits = WebSocketLimits(), _ body: (EchoServer) async throws -> Void
    ) async throws {
        let key = P256.Signing.PrivateKey()
        let server = try authority.issue(key.publicKey, names: names, now: now)
        let chain = try [server, authority.certificate].map { certificate in
            try NIOSSLCertificate(bytes: Array(certificate.serializeAsPEM().pemString.utf8), format: .pem)
        }
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem))))
        let bound = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel, tls, limits) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await body(EchoServer(channel: bound))
        try await bound.close()
    }

    private static func configure(_ channel: any Channel, _ tls: NIOSSLContext, _ limits: WebSocketLimits) throws {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        try channel.pipeline.syncOperations.addHandler(BusyHandler())
        let upgrader = WebSocketServer.upgrader(limits: { $0 == "/echo" ? limits : nil }) { connection, _ in
            Task {
                do {
                    for try await message in connection.inbound { try await connection.send(message) }
                } catch {}
                await connection.close()
            }
            return ()
        }
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: [upgrader]) { channel in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
    }
}

/// Answers every request for `/busy` with the wish to be left alone, before anybody else sees it.
private final class BusyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let request = unwrapInboundIn(data)
        guard String(buffer: request).hasPrefix("GET /busy ") else { return context.fireChannelRead(data) }
        let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}

/// Speaks first, and no TLS.
private final class GreetingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "SSH-2.0-something\r\n")), promise: nil)
    }
}

@Suite(.timeLimit(.minutes(2))) struct WebSocketTests {
    private let folder: TemporaryDirectory
    private let authority: CertificateAuthority
    private let client = WebSocketClient(group: .singletonMultiThreadedEventLoopGroup, agent: "test")

    init() throws {
        folder = try TemporaryDirectory()
        authority = try CertificateAuthority(folder: folder.file("tls"), now: Date())
    }

    private var trust: TLSTrust { .file(folder.file("tls/ca.pem")) }

    private func error(_ body: () async throws -> Void) async -> TransportError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? TransportError
        }
    }

    @Test func messagesOfAllSizesComeBack() async throws {
        try await EchoServer.run(authority) { server in
            let channel = try await client.connect(to: server.address, path: "/echo", trust: trust)
            var messages = channel.inbound.makeAsyncIterator()
            for size in [0, 1, 125, 126, 65_535, 65_536, 1_048_576] {
                let message = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                try await channel.send(message)
                #expect(try await messages.next() == message)
            }
            #expect(channel.peer.publicKey?.isEmpty == false)
            await channel.close()
            #expect(try await messages.next() == nil)
        }
    }

    @Test func manyMessagesKeepTheirOrder() async throws {
        try await EchoServer.run(authority) { server in
            let channel = try await client.connect(to: server.address, path: "/echo", trust: trust)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<2_000 {
                        try await channel.send([UInt8](repeating: UInt8(number % 251), count: 300))
                    }
                }
                var messages = channel.inbound.makeAsyncIterator()
                for number in 0..<2_000 {
                    #expect(try await messages.next()?.first == UInt8(number % 251))
                }
                try await group.waitForAll()
            }
            await channel.close()
        }
    }

    @Test func aServerThatNobodyTrustsIsRefused() async throws {
        try await EchoServer.run(authority) { server in
            let error = await error { _ = try await client.connect(to: server.address, path: "/echo", trust: .system) }
            #expect(error?.kind == .untrusted)
            #expect(error?.cause.contains("signed by nobody who is trusted here") == true)
        }
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        try await EchoServer.run(authority, names: ["router.example", "192.0.2.1"]) { server in
            let error = await error { _ = try await client.connect(to: server.address, path: "/echo", trust: trust) }
            #expect(error?.kind == .untrusted)
            #expect(error?.cause.contains("is for router.example, 192.0.2.1, not for localhost") == true)
        }
    }

    @Test func anAddressIsVerifiedToo() async throws {
        try await EchoServer.run(authority, names: ["127.0.0.1"]) { server in
            let address = RouterAddress(host: "127.0.0.1", port: server.address.port)
            let channel = try await client.connect(to: address, path: "/echo", trust: trust)
            await channel.close()
        }
        try await EchoServer.run(authority, names: ["localhost"]) { server in
            let address = RouterAddress(host: "127.0.0.1", port: server.address.port)
            let error = await error { _ = try await client.connect(to: address, path: "/echo", trust: trust) }
            #expect(error?.kind == .untrusted)
        }
    }

    @Test(arguments: [-3_000.0, 3_000]) func aCertificateOutsideItsDatesIsRefused(days: Double) async throws {
        let then = Date() + days * 86_400
        let other = try CertificateAuthority(folder: folder.file("other"), now: then)
        try await EchoServer.run(other, now: then) { server in
            let error = await error {
                _ = try await client.connect(
                    to: server.address, path: "/echo", trust: .file(folder.file("other/ca.pem")))
            }
            #expect(error?.kind == .untimely)
            #expect(error?.cause.contains(days < 0 ? "expired on" : "valid only from") == true)
            #expect(error?.cause.contains("clock") == true)
        }
    }

    @Test func whatIsNoRouterSaysSo() async throws {
        try await EchoServer.run(authority) { server in
            let missing = await error { _ = try await client.connect(to: server.address, path: "/other", trust: trust) }
            #expect(missing?.kind == .rejected)
            #expect(missing?.cause.contains("is no m2m router") == true)
            let busy = await error { _ = try await client.connect(to: server.address, path: "/busy", trust: trust) }
            #expect(busy?.retryAfter == .seconds(7))
        }
    }

    @Test func whereNobodyListensItSaysSo() async throws {
        let free = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(
            host: "127.0.0.1", port: 0
        ).get()
        let address = RouterAddress(host: "127.0.0.1", port: free.localAddress?.port ?? 0)
        try await free.close()
        let refused = await error { _ = try await client.connect(to: address, path: "/echo", trust: trust) }
        #expect(refused?.kind == .unreachable)
        #expect(refused?.cause.contains("Connection refused") == true)
        let unknown = await error {
            _ = try await client.connect(to: RouterAddress(host: "no.such.host.invalid"), path: "/", trust: trust)
        }
        #expect(unknown?.kind == .unreachable)
    }

    @Test func aServerWithoutTLSSaysSo() async throws {
        let plain = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(GreetingHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = RouterAddress(host: "127.0.0.1", port: plain.localAddress?.port ?? 0)
        let error = await error { _ = try await client.connect(to: address, path: "/echo", trust: trust) }
        #expect(error?.description.contains("does not speak TLS") == true, "\(String(describing: error))")
        try await plain.close()
    }

    @Test(
        "A server that breaks off the handshake: which alert that was, in words, and nothing of the TLS library's inside",
        arguments: [
            ([0x15, 3, 3, 0, 2, 2, 46], "broke off the TLS handshake: sslv3 alert certificate unknown"),
            (
                [0x15, 3, 3, 0, 2, 2, 40],
                "offers no cipher that is good enough, or has no key for one: "
                    + "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, is needed"
            ),
            ([0x15, 3, 3, 0, 2, 2, 80], "broke off the TLS handshake: tlsv1 alert internal error"),
            ([], "hung up during the TLS handshake"),
        ] as [([UInt8], String)])
    func aBrokenHandshake(_ answer: [UInt8], _ words: String) async throws {
        let rude = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RudeHandler(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = RouterAddress(host: "127.0.0.1", port: rude.localAddress?.port ?? 0)
        let error = await error { _ = try await client.connect(to: address, path: "/echo", trust: trust) }
        #expect(error?.description == "\(address) \(words)")
        try await rude.close()
    }

    @Test func aServerThatNeverAnswersIsGivenUp() async throws {
        let silent = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(
            host: "127.0.0.1", port: 0
        ).get()
        let address = RouterAddress(host: "127.0.0.1", port: silent.localAddress?.port ?? 0)
        let limits = WebSocketLimits(connectTimeout: .milliseconds(200))
        let hasty = WebSocketClient(group: .singletonMultiThreadedEventLoopGroup, agent: "test", limits: limits)
        let error = await error { _ = try await hasty.connect(to: address, path: "/echo", trust: trust) }
        #expect(error != nil)
        try await silent.close()
    }

    @Test func cancellingGivesUpAtOnce() async throws {
        let silent = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(
            host: "127.0.0.1", port: 0
        ).get()
        let address = RouterAddress(host: "127.0.0.1", port: silent.localAddress?.port ?? 0)
        let task = Task { try await client.connect(to: address, path: "/echo", trust: trust) }
        task.cancel()
        await #expect(throws: TransportError.self) { _ = try await task.value }
        try await silent.close()
    }

    @Test func trustFilesThatAreNoneAreNamed() async throws {
        try folder.write("empty.pem", "nothing")
        for file in ["missing.pem", "empty.pem"] {
            let error = await error {
                _ = try await client.connect(
                    to: RouterAddress(host: "localhost"), path: "/", trust: .file(folder.file(file)))
            }
            #expect(error?.description.contains(file) == true)
        }
    }

    @Test func theCertificatesOfAServerCanBeLookedAt() async throws {
        try await EchoServer.run(authority) { server in
            let presented = try await PresentedCertificates.fetch(
                from: server.address, on: .singletonMultiThreadedEventLoopGroup)
            let certificates = try presented.certificates()
            #expect(certificates.count == 2)
            #expect(Digest.sha256(certificates[1].der) == (try authority.digest))
            #expect(try Certificate(pemEncoded: certificates[1].pem) == authority.certificate)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct LocalSocketTests {
    @Test func bothEndsTalkAndTheKernelSaysWhoIsThere() async throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("agent.sock")
        let server = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        try await server.executeThenClose { connections in
            let client = try await LocalSocket.connect(to: path, on: .singletonMultiThreadedEventLoopGroup)
            var iterator = connections.makeAsyncIterator()
            let accepted = try #require(try await iterator.next())
            #expect(accepted.peer.user == getuid())
            try await client.send([1, 2, 3])
            var messages = accepted.inbound.makeAsyncIterator()
            #expect(try await messages.next() == [1, 2, 3])
            await client.close()
            #expect(try await messages.next() == nil)
            await accepted.close()
        }
    }

    @Test func whereNobodyListensItSaysSo() async throws {
        await #expect {
            _ = try await LocalSocket.connect(to: "/nonexistent.sock", on: .singletonMultiThreadedEventLoopGroup)
        } throws: {
            ($0 as? TransportError)?.kind == .unreachable
        }
    }

    @Test func aSocketThatADeadProcessLeftIsReplaced() async throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("agent.sock")
        let first = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        try await first.channel.close()
        let second = try await LocalSocket.listen(on: path, group: .singletonMultiThreadedEventLoopGroup)
        try await second.channel.close()
    }
}

/// Says something in the place of an answer to the first thing that comes, and hangs up.
private final class RudeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: [UInt8]

    init(_ answer: [UInt8]) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        context.close(promise: nil)
    }
}
