import DeviceModel
import Glibc
import NIOCore
import NIOSSL

/// Why a TLS handshake failed, in words: TLS itself says no more than that it did, so the certificates are looked at.
enum TLSDiagnosis {
    struct Cause {
        var words: String
        /// Whether the certificate is the reason, or the time, or the network.
        var kind: TransportError.Kind
    }

    static func words(
        for error: any Error, _ address: RouterAddress, _ trust: TLSTrust, _ group: any EventLoopGroup
    ) async -> Cause {
        if "\(error)".contains("WRONG_VERSION_NUMBER") {
            return Cause(words: "does not speak TLS", kind: .lost)
        }
        if "\(error)".contains("UNSUPPORTED_PROTOCOL") || "\(error)".contains("PROTOCOL_VERSION") {
            return Cause(words: "speaks no TLS of version 1.2 or later", kind: .untrusted)
        }
        let isHostName = error is NIOSSLExtraError
        guard isHostName || "\(error)".contains("CERTIFICATE_VERIFY_FAILED") else {
            return Cause(words: end(in: "\(error)"), kind: .lost)
        }
        let presented: PresentedCertificates
        do throws(TransportError) {
            presented = try await PresentedCertificates.fetch(from: address, on: group)
        } catch {
            return Cause(words: "has a certificate that cannot be verified", kind: .untrusted)
        }
        let (reason, isAboutTime) = reason(presented.chain, isHostName, address)
        return Cause(words: "cannot be trusted: \(reason)", kind: isAboutTime ? .untimely : .untrusted)
    }

    /// How the handshake ended, by what BoringSSL says of it: where in its source that was is nobody's concern.
    private static func end(in error: String) -> String {
        if error.contains("EOF during handshake") { return "hung up during the TLS handshake" }
        let parts = error.split(separator: ":")
        guard let mark = parts.firstIndex(of: "OPENSSL_internal"), mark + 1 < parts.count,
            let reason = parts[mark + 1].split(separator: " ").first
        else { return "broke off the TLS handshake" }
        return "broke off the TLS handshake: \(reason.lowercased().replacing("_", with: " "))"
    }

    /// Why a chain is not trusted, and whether it would be at another time.
    private static func reason(
        _ chain: [NIOSSLCertificate], _ isHostName: Bool, _ address: RouterAddress
    ) -> (words: String, isAboutTime: Bool) {
        guard let leaf = chain.first else { return ("it presents no certificate", false) }
        if isHostName {
            let names = leaf.names
            let list = names.isEmpty ? "nobody by a subjectAltName" : names.joined(separator: ", ")
            return ("its certificate is for \(list), not for \(address.host)", false)
        }
        let (now, question) = (time(nil), "is this machine's clock right?")
        for certificate in chain where certificate.notValidAfter < now {
            return ("its certificate expired on \(date(certificate.notValidAfter)); \(question)", true)
        }
        for certificate in chain where certificate.notValidBefore > now {
            return ("its certificate is valid only from \(date(certificate.notValidBefore)) on; \(question)", true)
        }
        let advice = "give the router's own CA (its tls/ca.pem) as ca_file or --ca"
        return ("its certificate is signed by nobody who is trusted here; \(advice)", false)
    }

    private static func date(_ seconds: time_t) -> String {
        let (nanoseconds, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? "a day far away" : String(WallTime(nanoseconds: nanoseconds).rfc3339.prefix(10))
    }
}

extension NIOSSLCertificate {
    /// The names and addresses for which the certificate is good.
    fileprivate var names: [String] {
        var names: [String] = []
        for name in _subjectAlternativeNames() {
            switch name.nameType {
            case .dnsName: names.append(String(decoding: name.contents, as: UTF8.self))
            case .ipAddress: names.append(Self.address(Array(name.contents)))
            default: break
            }
        }
        return names
    }

    private static func address(_ bytes: [UInt8]) -> String {
        var bytes = bytes
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, &bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
