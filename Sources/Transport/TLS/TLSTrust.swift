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

    /// What NIOSSL makes connections with: certificate and host name verified, and nothing but good ciphers.
    func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        TLSParameters.restrict(&configuration)
        configuration.certificateVerification = .fullVerification
        guard let given = try given() else {
            do {
                return try NIOSSLContext(configuration: configuration)
            } catch {
                throw TLSTrustError(
                    "this system has no trust store: install ca-certificates, or name the router's CA (ca_file, --ca)")
            }
        }
        configuration.trustRoots = .certificates(given)
        return try NIOSSLContext(configuration: configuration)
    }

    /// The certificates that somebody gave, and that are trusted in the place of the system's; nil: nobody gave any.
    func given() throws(TLSTrustError) -> [NIOSSLCertificate]? {
        switch self {
        case .system: return nil
        case .file(let path): return try Self.read(path)
        case .certificates(let pem):
            let roots = try? NIOSSLCertificate.fromPEMBytes(pem)  // safe: what can't be read is none, and none is told
            guard let roots, !roots.isEmpty else { throw TLSTrustError("the given CA holds no certificates (PEM)") }
            return roots
        }
    }

    private static func read(_ path: String) throws(TLSTrustError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(path)
            if !certificates.isEmpty { return certificates }
        } catch {}  // the same as a file without any
        throw TLSTrustError("\(path) is missing or holds no certificates (PEM)")
    }

    /// The name by which a server is asked for in the handshake, and known by its certificate; an address is no name.
    static func serverName(_ host: String) -> String? {
        isAddress(host) ? nil : host
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
