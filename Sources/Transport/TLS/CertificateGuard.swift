import NIOCore
import NIOSSL
import NIOTLS

/// Stands behind a client's TLS, and lets nobody say a word before the server's certificates have been judged.
///
/// What is judged is the very chain that BoringSSL has found good, from the server's certificate up to the CA that is
/// trusted: what else a server presents is nobody's concern.
final class CertificateGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let tls: NIOSSLClientHandler
    private let verified: VerifiedChain
    private let name: String?

    private init(_ tls: NIOSSLClientHandler, _ verified: VerifiedChain, _ name: String?) {
        self.tls = tls
        self.verified = verified
        self.name = name
    }

    /// Adds TLS to a channel that is not connected yet.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - context: What NIOSSL makes connections with.
    ///   - host: The server's name or address.
    /// - Throws: What NIOSSL throws for a name that is none.
    static func add(to channel: any Channel, _ context: NIOSSLContext, host: String) throws {
        let (verified, name) = (VerifiedChain(), TLSTrust.serverName(host))
        let tls = try handler(
            NIOSSLClientHandler.self, context: context, serverHostname: name, verificationCallback: verified.add)
        try channel.pipeline.syncOperations.addHandlers([tls, CertificateGuard(tls, verified, name)])
    }

    /// Nobody behind is told of the connection before there is somebody to be trusted at its other end.
    func channelActive(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            if let problem = verified.problem(tls.peerCertificate, for: name) {
                context.fireErrorCaught(problem)
                context.close(promise: nil)
                return
            }
            context.fireChannelActive()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// NIOSSL's callback is asked by way of this protocol because NIOSSL would rather have the one that takes the place of
    /// BoringSSL's verification; this one comes after it, and is the only one that sees the chain that was found good.
    private static func handler<Handler: AskingHandler>(
        _ type: Handler.Type, context: NIOSSLContext, serverHostname: String?,
        verificationCallback: @escaping NIOSSLVerificationCallback
    ) throws -> Handler {
        try Handler(context: context, serverHostname: serverHostname, verificationCallback: verificationCallback)
    }
}

/// Asks about every certificate, after BoringSSL has judged it.
private protocol AskingHandler {
    init(context: NIOSSLContext, serverHostname: String?, verificationCallback: NIOSSLVerificationCallback?) throws
}

extension NIOSSLClientHandler: AskingHandler {}

/// The chain that BoringSSL has found good; it belongs to the event loop of its connection.
private final class VerifiedChain {
    /// The trusted CA first: that is the order in which BoringSSL looks at them.
    private var chain: [[UInt8]] = []

    /// Notes a certificate.
    ///
    /// - Parameters:
    ///   - verdict: BoringSSL's.
    ///   - certificate: The certificate.
    /// - Returns: The verdict; where BoringSSL was content this is not the last word.
    func add(_ verdict: NIOSSLVerificationResult, _ certificate: NIOSSLCertificate) -> NIOSSLVerificationResult {
        guard verdict == .certificateVerified else { return .failed }
        do {
            let der = try certificate.toDERBytes()
            chain.append(der)
            // BoringSSL would look at the policies next, and NIOSSL has no way to tell anybody of the outcome: it traps.
            return try CertificateFacts(der).demandsPolicies ? .failed : .certificateVerified
        } catch {
            return .failed
        }
    }

    /// What is wrong with the chain of this certificate, which is the server's as the connection knows it; nil: nothing.
    func problem(_ certificate: NIOSSLCertificate?, for host: String?) -> CertificateProblem? {
        guard let certificate, let der = try? certificate.toDERBytes(), der == chain.last  // safe: else it is refused
        else { return .unreadable }
        return CertificateRules.problem(in: chain.reversed(), for: host)
    }
}
