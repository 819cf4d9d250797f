import DeviceModel
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import Transport

/// A server that answers 404 to everything, over TLS, on loopback, and notes what was said to it.
private struct FixtureServer {
    private let channel: any Channel
    private let heard: Heard

    var address: RouterAddress { RouterAddress(host: "localhost", port: channel.localAddress?.port ?? 0) }

    /// Starts one.
    ///
    /// - Parameters:
    ///   - name: Its certificates in `Fixtures/certificates`.
    ///   - change: Changes how it speaks TLS.
    /// - Throws: What NIOSSL throws for certificates that are none.
    init(_ name: String, _ change: (inout TLSConfiguration) -> Void = { _ in }) async throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try FixtureCertificate.chain(name).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: FixtureCertificate.path(name), format: .pem)))
        change(&configuration)
        let tls = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup.singleton
        let heard = Heard(group.any().makePromise())
        self.heard = heard
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.closeFuture.cascade(to: heard.end)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: tls), NotFoundHandler(heard),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// What the first visitor said until it went.
    func end() async throws -> String {
        try await heard.end.futureResult.get()
        try await channel.close()
        return heard.bytes.withLock { String(decoding: $0, as: UTF8.self) }
    }
}

/// What was said to a server.
private final class Heard: Sendable {
    let bytes = Mutex([UInt8]())
    /// The first visitor has gone.
    let end: EventLoopPromise<Void>

    init(_ end: EventLoopPromise<Void>) {
        self.end = end
    }
}

private final class NotFoundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let heard: Heard

    init(_ heard: Heard) {
        self.heard = heard
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        heard.bytes.withLock { $0 += bytes.readableBytesView }
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// A server whose certificates break a rule hears not a word.
@Suite(.timeLimit(.minutes(1))) struct CertificateGuardTests {
    private let client = WebSocketClient(group: .singletonMultiThreadedEventLoopGroup, agent: "test")

    private func error(_ server: FixtureServer, _ trust: TLSTrust) async -> TransportError? {
        await error(at: server.address, trust)
    }

    private func error(at address: RouterAddress, _ trust: TLSTrust) async -> TransportError? {
        do throws(TransportError) {
            let channel = try await client.connect(to: address, path: "/", trust: trust)
            await channel.close()
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Who is good enough is talked to, over TLS 1.2 and 1.3",
        arguments: [
            ("good", "ca"), ("good-by-intermediate", "ca"), ("good-rsa", "ca-rsa"), ("good-pss", "ca-rsa"),
            ("good-by-ca-sha-1", "ca-sha-1"),
        ], [TLSVersion.tlsv12, .tlsv13])
    func good(_ names: (name: String, ca: String), _ version: TLSVersion) async throws {
        let server = try await FixtureServer(names.name) { $0.maximumTLSVersion = version }
        let error = await error(server, .file(FixtureCertificate.path(names.ca)))
        #expect(error?.kind == .rejected)
        #expect(error?.cause == "is no m2m router: it answered 404 Not Found")
        #expect(try await server.end().hasPrefix("GET / HTTP/1.1"))
    }

    @Test(
        "Who is not hears nothing, and whoever asked hears why",
        arguments: [
            ("common-name-only", "ca", "names nobody by a subjectAltName"),
            ("rsa-1024", "ca", "its key is RSA with 1024 bits"),
            ("by-intermediate-rsa-1024", "ca", "between it and the trusted one is RSA with 1024 bits"),
            ("by-ca-rsa-1024", "ca-rsa-1024", "the key of its CA is RSA with 1024 bits"),
            ("sha-1", "ca", "its certificate is signed with SHA-1"),
            ("by-intermediate-sha-1", "ca", "between it and the trusted one is signed with SHA-1"),
            ("md5", "ca-rsa", "its certificate is signed with MD5"),
            ("for-clients", "ca", "not meant for servers (extended key usage clientAuth)"),
            ("ca-as-server", "ca", "is that of a CA"),
            ("by-no-ca", "ca", "signed by a certificate that is not that of a CA"),
            ("by-ca-that-is-none", "ca-that-is-none", "but is not that of a CA"),
            ("demands-policies", "ca", "demands certificate policies"),
            ("self-signed", "ca", "signed itself"),
            ("wrong-ca", "ca", "signed by another CA"),
            ("wrong-host", "ca", "is for router.example, 192.0.2.1, not for localhost"),
            ("address-only", "ca", "is for 127.0.0.1, ::1, not for localhost"),
        ])
    func bad(_ name: String, _ ca: String, _ words: String) async throws {
        let server = try await FixtureServer(name)
        let error = await error(server, .file(FixtureCertificate.path(ca)))
        #expect(error?.kind == .untrusted)
        #expect(error?.cause.hasPrefix("cannot be trusted: ") == true)
        #expect(error?.cause.contains(words) == true, "\(String(describing: error))")
        #expect(try await server.end() == "")
    }

    @Test("Who is asked for by an address needs no name", arguments: ["good", "address-only"])
    func address(_ name: String) async throws {
        let server = try await FixtureServer(name)
        let address = RouterAddress(host: "127.0.0.1", port: server.address.port)
        let error = await error(at: address, .file(FixtureCertificate.path("ca")))
        #expect(error?.kind == .rejected)
        #expect(try await server.end().hasPrefix("GET / HTTP/1.1"))
    }

    @Test("Certificates that are given as text are judged as those of a file are: no pinned CA may be weak either")
    func pinned() async throws {
        let server = try await FixtureServer("by-ca-rsa-1024")
        let pem = try Fixture.text("certificates/ca-rsa-1024.pem")
        let error = await error(server, .certificates(Array(pem.utf8)))
        #expect(error?.cause.contains("the key of its CA is RSA with 1024 bits") == true)
        #expect(try await server.end() == "")
    }

    // MARK: Versions and ciphers

    @Test("A server that speaks nothing newer than TLS 1.1 is told to be old", arguments: [TLSVersion.tlsv1, .tlsv11])
    func old(_ version: TLSVersion) async throws {
        let server = try await FixtureServer("good") { $0.maximumTLSVersion = version }
        let error = await error(server, .file(FixtureCertificate.path("ca")))
        #expect(error?.kind == .untrusted)
        #expect(error?.cause == "speaks no TLS of version 1.2 or later; bring it up to date")
        #expect(try await server.end() == "")
    }

    @Test(
        "A cipher without forward secrecy, or that encrypts and authenticates apart, is none",
        arguments: [
            "AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA",
        ])
    func weak(_ suite: String) async throws {
        let server = try await FixtureServer("good-rsa") { configuration in
            configuration.maximumTLSVersion = .tlsv12
            configuration.cipherSuites = suite
        }
        let error = await error(server, .file(FixtureCertificate.path("ca-rsa")))
        #expect(error?.kind == .untrusted)
        #expect(error?.cause.hasPrefix("offers no cipher that is good enough") == true, "\(String(describing: error))")
        #expect(try await server.end() == "")
    }

    @Test(
        "The good ones are spoken",
        arguments: ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"])
    func strong(_ suite: String) async throws {
        let server = try await FixtureServer("good-rsa") { configuration in
            configuration.maximumTLSVersion = .tlsv12
            configuration.cipherSuites = suite
        }
        #expect(await error(server, .file(FixtureCertificate.path("ca-rsa")))?.kind == .rejected)
        #expect(try await server.end().hasPrefix("GET /"))
    }
}
