public import DeviceModel
public import NIOCore
import NIOPosix
import NIOSSL

/// The certificates that a server presents, whether they can be trusted or not.
///
/// Nothing is ever said over the connection on which they were seen.
public struct PresentedCertificates: Sendable {
    let chain: [NIOSSLCertificate]

    /// A certificate: its bytes as DER, and as PEM text.
    public struct Certificate: Hashable, Sendable {
        /// The bytes.
        public let der: [UInt8]
        /// The text, such as goes into a file.
        public let pem: String
    }

    /// The certificates, the server's own first.
    ///
    /// - Throws: ``TransportError`` when one of them can't be read.
    public func certificates() throws(TransportError) -> [Certificate] {
        do {
            return try chain.map { certificate in
                let der = try certificate.toDERBytes()
                return Certificate(der: der, pem: Self.pem(der))
            }
        } catch {
            throw TransportError(.violation, "the server", "presents a certificate that cannot be read: \(error)")
        }
    }

    /// Connects, looks at the certificates, and hangs up.
    ///
    /// - Parameters:
    ///   - address: The server.
    ///   - group: Where the connection lives.
    /// - Returns: What the server presented.
    /// - Throws: ``TransportError`` when it can't be reached or speaks no TLS.
    public static func fetch(
        from address: RouterAddress, on group: any EventLoopGroup
    ) async throws(TransportError) -> PresentedCertificates {
        let seen = group.any().makePromise(of: [NIOSSLCertificate].self)
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            TLSParameters.restrict(&configuration)
            configuration.trustRoots = .certificates([])  // nobody is trusted here, also where there is no trust store
            let context = try NIOSSLContext(configuration: configuration)
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let look: NIOSSLCustomVerificationCallback = { chain, verdict in
                            seen.succeed(chain)
                            verdict.succeed(.failed)  // whatever they are: nothing is said here
                        }
                        let handler = try NIOSSLClientHandler(
                            context: context, serverHostname: TLSTrust.serverName(address.host),
                            customVerificationCallback: look)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: address.host, port: address.port).get()
            channel.closeFuture.whenComplete { _ in seen.fail(ChannelError.inputClosed) }
            let timeout = channel.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
            defer { timeout.cancel() }
            return PresentedCertificates(chain: try await seen.futureResult.get())
        } catch {
            seen.fail(error)
            if case ChannelError.connectTimeout = error { throw TransportError(error, resource: "\(address)") }
            guard error is ChannelError else { throw TransportError(error, resource: "\(address)") }
            throw TransportError(.violation, "\(address)", "does not speak TLS")
        }
    }

    /// RFC 7468: base64 in lines of 64 characters.
    private static func pem(_ der: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: der.count, by: 3) {
            let bytes = Array(der[start..<min(start + 3, der.count)])
            let bits = bytes.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - bytes.count))
            for index in 0..<4 {
                text.append(index <= bytes.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=")
            }
        }
        var lines = ["-----BEGIN CERTIFICATE-----"]
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\n")
    }
}
