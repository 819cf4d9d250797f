import Crypto
public import DeviceModel
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
public import ServiceLifecycle
import Transport

/// A router: its store, its certificates, and the one port on which devices and people reach it.
public struct RouterService: Service {
    /// Where the router's CA is, for those who have to trust it; nil: its certificate comes from elsewhere.
    public let caFile: String?
    /// The CA's fingerprint, as people compare it.
    public let caFingerprint: String?

    private let directory: StateDirectory
    private let core: RouterCore
    private let files: RouterSettings.CertificateFiles
    private let onListening: @Sendable (_ port: Int) -> Void
    private let logger: Logger

    /// Opens everything; nothing listens yet.
    ///
    /// - Parameters:
    ///   - settings: How the router is set up.
    ///   - time: The clock.
    ///   - logger: The program's logger.
    ///   - onListening: Told the port, as soon as somebody can connect.
    /// - Throws: An ``ExplainedError`` when a part can't be made.
    public init(
        _ settings: RouterSettings, time: any TimeSource, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) throws {
        directory = try StateDirectory(settings.dataDirectory, of: .init("router", setting: "--data"))
        let administration = try RouterAdministration(dataDirectory: settings.dataDirectory, time: time)
        let audit = try AuditDesk(folder: settings.dataDirectory, time: time) { words in
            logger.error("the audit log is not as it should be", metadata: ["reason": "\(words)"])
        }
        var caDigest: [UInt8]?
        if let given = settings.certificate {
            (files, caFile, caFingerprint) = (given, nil, nil)
        } else {
            let folder = "\(settings.dataDirectory)/tls"
            let now = Date()
            let authority = try CertificateAuthority(folder: folder, now: now)
            if !authority.isValid(at: now) {
                logger.error(
                    """
                    the router's own CA is not valid today, and nobody trusts this router: set this machine's clock \
                    right and start it again; if the clock is right, remove the folder, start it again, and enrol every \
                    device
                    """,
                    metadata: ["folder": "\(folder)", "valid": "\(authority.validity)"])
            }
            files = try authority.serverFiles(names: HostNames.all(settings), now: now)
            caDigest = try authority.digest
            caFile = "\(folder)/ca.pem"
            caFingerprint = try KeyFingerprint(digest: authority.digest).description
        }
        core = RouterCore(
            settings: settings, store: administration.store, hasher: administration.hasher, audit: audit,
            publicKeyHash: Digest.sha256(try Self.publicKey(files.chain)), caDigest: caDigest, time: time,
            logger: logger)
        self.onListening = onListening
        self.logger = logger
    }

    /// How many connections there may be; whoever comes next waits until one of them ends.
    public static let connectionBound = 8_192

    /// Runs until the shutdown.
    ///
    /// - Throws: ``RouterProblem`` when the port can't be had.
    public func run() async throws {
        let address = core.settings.address
        var logger = logger
        logger.logLevel = max(logger.logLevel, .notice)  // the framework's own words are for those who debug it
        let application = Application(
            router: Pages.router, server: try server(),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionBound)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? address.port) }, logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let audit = AuditService(
                    queue: core.audit.queue, log: core.audit.log, time: core.time, logger: self.logger)
                group.addTask { await audit.run() }
                // What ends with the last connections is written, too.
                defer { core.audit.queue.finish() }
                core.audit.note(.routerStarted, .router)
                try await application.run()
            }
        } catch let error as IOError {
            throw Self.explain(error, address)
        }
    }

    private func server() throws -> HTTPServerBuilder {
        let tls = try tlsConfiguration()
        return HTTPServerBuilder { responder in
            try TLSChannel(UpgradeChannel(responder: responder, core: core), tlsConfiguration: tls)
        }
    }

    private func tlsConfiguration() throws -> TLSConfiguration {
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(files.chain).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)))
            TLSParameters.restrict(&configuration)
            _ = try NIOSSLContext(configuration: configuration)  // that the two belong together shows here
            return configuration
        } catch {
            throw RouterProblem(
                .badRequest, files.key, "\(files.key) holds no private key (PEM) for \(files.chain): \(error)")
        }
    }

    /// The public key of a certificate: its SubjectPublicKeyInfo in DER.
    private static func publicKey(_ chain: String) throws -> [UInt8] {
        do {
            guard let server = try NIOSSLCertificate.fromPEMFile(chain).first else {
                throw NIOSSLError.failedToLoadCertificate
            }
            return try server.extractPublicKey().toSPKIBytes()
        } catch {
            throw RouterProblem(.badRequest, chain, "\(chain) holds no certificate (PEM): \(error)")
        }
    }

    private static func explain(_ error: IOError, _ address: RouterAddress) -> RouterProblem {
        let place = "\(address.host):\(address.port)"
        let words =
            switch error.errnoCode {
            case EADDRINUSE: "another program listens there already; choose another port with --listen HOST:PORT"
            case EACCES: "ports below 1024 are for root; choose another one with --listen HOST:PORT"
            case EADDRNOTAVAIL: "this machine has no such address; choose another one with --listen HOST:PORT"
            default: errorText(error.errnoCode)
            }
        return RouterProblem(.systemFailure, place, "cannot listen on \(place): \(words)")
    }
}
