import DeviceModel
import NIOSSL

/// Which certificates a client trusts.
public enum TLSTrust: Hashable, Sendable {
    /// Those of the system's trust store.
    case system
    /// Those that a file of certificates (PEM) signed.
    case file(String)
    /// Those that these certificates (PEM) signed.
    case certificates([UInt8])

    /// What NIOSSL makes connections with: TLS 1.2 or later, certificate and host name verified.
    func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        switch self {
        case .system:
            do {
                return try NIOSSLContext(configuration: configuration)
            } catch {
                throw TLSTrustError(
                    "this system has no trust store: install ca-certificates, or name the router's CA (ca_file, --ca)")
            }
        case .file(let path): configuration.trustRoots = .certificates(try Self.read(path))
        case .certificates(let pem):
            let roots = try? NIOSSLCertificate.fromPEMBytes(pem)  // safe: what can't be read is none, and none is told
            guard let roots, !roots.isEmpty else { throw TLSTrustError("the given CA holds no certificates (PEM)") }
            configuration.trustRoots = .certificates(roots)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func read(_ path: String) throws(TLSTrustError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(path)
            if !certificates.isEmpty { return certificates }
        } catch {}  // the same as a file without any
        throw TLSTrustError("\(path) is missing or holds no certificates (PEM)")
    }

    /// The handler that speaks TLS; an address has no name to be sent along.
    ///
    /// - Parameters:
    ///   - context: What NIOSSL makes connections with.
    ///   - host: The server's name or address.
    ///   - verification: Judges the server's certificates in the place of NIOSSL; nil: NIOSSL does.
    /// - Returns: The handler.
    /// - Throws: What NIOSSL throws for a name that is none.
    static func handler(
        _ context: NIOSSLContext, host: String, verification: NIOSSLCustomVerificationCallback? = nil
    ) throws -> NIOSSLClientHandler {
        let name = isAddress(host) ? nil : host
        guard let verification else { return try NIOSSLClientHandler(context: context, serverHostname: name) }
        return try NIOSSLClientHandler(
            context: context, serverHostname: name, customVerificationCallback: verification)
    }

    /// Whether a host is given by its IP address.
    static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
    }
}

/// There are no certificates by which a server could be verified.
struct TLSTrustError: Error, CustomStringConvertible {
    private let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    var description: String { "cannot be verified: \(reason)" }
}
