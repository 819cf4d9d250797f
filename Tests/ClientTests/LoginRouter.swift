import DeviceModel
import Foundation
import HALTestKit
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TestSupport

@testable import Router
@testable import Transport

/// A router as people see it, over TLS on loopback, with one account; its secrets are hashed faster than real ones.
final class LoginRouter: Sendable {
    let time = ManualTime()
    /// Its CA, as PEM.
    let ca: String
    private let channel: any Channel

    static let password = "correct horse"
    static let code = "123456"

    /// Listens; its files are in a folder.
    init(_ folder: TemporaryDirectory) async throws {
        let authority = try CertificateAuthority(folder: folder.file("tls"), now: Date())
        let files = try authority.serverFiles(names: ["localhost"], now: Date())
        ca = String(decoding: try SafeFile.read(folder.file("tls/ca.pem")) ?? [], as: UTF8.self)
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(files.chain).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: files.key, format: .pem))))

        let store = try RouterStore(path: folder.file("router.db"), time: time)
        let hasher = SecretHasher(pepper: [1, 2, 3], rounds: 2)
        try await store.addAccount(
            "anna", password: try await hasher.hash(password: Self.password),
            code: try await hasher.hash(code: Self.code))
        let core = RouterCore(
            settings: RouterSettings(dataDirectory: folder.path), store: store, hasher: hasher,
            audit: try AuditDesk(folder: folder.path, time: time), publicKeyHash: [],
            caDigest: nil, time: time,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.configure(channel, tls, core) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Where it listens.
    var address: RouterAddress { RouterAddress(host: "localhost", port: channel.localAddress?.port ?? 0) }

    func close() async throws {
        try await channel.close()
    }

    private static func configure(_ channel: any Channel, _ tls: NIOSSLContext, _ core: RouterCore) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let upgrader = WebSocketServer.upgrader(
            limits: { $0 == UpgradeChannel.personPath ? WebSocketLimits() : nil },
            onUpgrade: { channel, _ -> Void in
                Task { await PersonConnection(channel: channel, core: core, logger: logger).run() }
            })
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: [upgrader]) { channel in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        _ = try pipeline.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
    }
}
