import DeviceModel
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

@testable import Link
@testable import Router
@testable import Transport

/// A router over TLS, on loopback, whose words come from a test.
final class FakeRouter: Sendable {
    /// Where its CA is.
    let caFile: String
    /// SHA-256 over its CA, as claim codes carry it.
    let caDigest: [UInt8]
    /// SHA-256 over the public key of its certificate, as proofs carry it.
    let keyHash: [UInt8]
    private let door: Door
    private let channel: any Channel

    /// Listens; its CA is the one in a folder, made when there is none.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - days: In how many days its certificates are made, or before how many they were.
    /// - Throws: What goes wrong.
    init(_ folder: TemporaryDirectory, certifiedInDays days: Int = 0) async throws {
        let date = Date(timeIntervalSinceNow: Double(days) * 86_400)
        let authority = try CertificateAuthority(folder: folder.file("tls"), now: date)
        let files = try authority.serverFiles(names: ["localhost"], now: date)
        caFile = folder.file("tls/ca.pem")
        caDigest = try authority.digest
        let chain = try NIOSSLCertificate.fromPEMFile(files.chain)
        keyHash = Fingerprint.sha256(try chain[0].extractPublicKey().toSPKIBytes())
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: files.key, format: .pem))))
        let door = Door()
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try door.configure(channel, tls) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.door = door
    }

    /// The port on which it listens.
    var port: Int { channel.localAddress?.port ?? 0 }

    /// Where it listens.
    var address: RouterAddress { RouterAddress(host: "localhost", port: port) }

    /// The keys of `[router]` for a device that trusts it.
    var settings: String { "url = \"\(address)\"\nca_file = \"\(caFile)\"" }

    /// The next connection of a device.
    func next() async throws -> RouterEnd {
        guard let channel = await door.connections.next() else {
            throw HarnessError(description: "no connection came")
        }
        return RouterEnd(channel)
    }

    /// Whether a device is connected that nobody has looked at yet.
    var hasVisitor: Bool { door.connections.count > 0 }

    /// From now on every device is told to come again after so many seconds; nil: they are let in.
    func turnAway(for seconds: Int?) {
        door.manner.withLock { $0 = seconds.map(Manner.turnAway) ?? .letIn }
    }

    /// From now on it hangs up on every device before it says anything.
    func hangUpOnAll() {
        door.manner.withLock { $0 = .hangUp }
    }

    func close() async throws {
        try await channel.close()
    }
}

/// What happens to those who connect.
private enum Manner: Sendable {
    case letIn
    case turnAway(seconds: Int)
    case hangUp
}

/// Where those come who connect.
private final class Door: Sendable {
    let connections = Mailbox<MessageChannel>(bound: 64, policy: .refuseNewest)
    let manner = Mutex(Manner.letIn)

    func configure(_ channel: any Channel, _ tls: NIOSSLContext) throws {
        let pipeline = channel.pipeline.syncOperations
        let manner = manner.withLock(\.self)
        if case .hangUp = manner { return channel.close(promise: nil) }
        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
        if case .turnAway(let seconds) = manner { return try pipeline.addHandler(BusyHandler(seconds)) }
        let upgrader = WebSocketServer.upgrader(
            limits: { $0 == RouterAccess.path ? WebSocketLimits(keepAlive: nil) : nil },
            onUpgrade: { [connections] channel, _ in _ = connections.send(channel) })
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Void>(upgraders: [upgrader]) { channel in
            channel.eventLoop.makeSucceededVoidFuture()
        }
        _ = try pipeline.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
    }
}

/// Answers every request with the wish to be left alone.
private final class BusyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let seconds: Int

    init(_ seconds: Int) {
        self.seconds = seconds
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: \(seconds)\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}
