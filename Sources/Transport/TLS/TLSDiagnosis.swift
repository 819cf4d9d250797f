import DeviceModel
import Glibc
import NIOCore
import NIOSSL

/// Why a TLS handshake failed, in words: TLS itself says no more than that it did, so the certificates are looked at.
enum TLSDiagnosis {
    struct Cause {
        var words: String
        /// Whether the certificate is the reason, rather than the network.
        var isUntrusted: Bool
    }

    static func words(
        for error: any Error, _ address: RouterAddress, _ trust: TLSTrust, _ group: any EventLoopGroup
    ) async -> Cause {
        if "\(error)".contains("WRONG_VERSION_NUMBER") {
            return Cause(words: "does not speak TLS", isUntrusted: false)
        }
        if "\(error)".contains("UNSUPPORTED_PROTOCOL") || "\(error)".contains("PROTOCOL_VERSION") {
            return Cause(words: "speaks no TLS of version 1.2 or later", isUntrusted: true)
        }
        let isHostName = error is NIOSSLExtraError
        guard isHostName || "\(error)".contains("CERTIFICATE_VERIFY_FAILED") else {
            return Cause(words: "broke off the TLS handshake: \(error)", isUntrusted: false)
        }
        let presented: PresentedCertificates
        do throws(TransportError) {
            presented = try await PresentedCertificates.fetch(from: address, on: group)
        } catch {
            return Cause(words: "has a certificate that cannot be verified", isUntrusted: true)
        }
        return Cause(words: "cannot be trusted: \(reason(presented.chain, isHostName, address))", isUntrusted: true)
    }

    private static func reason(_ chain: [NIOSSLCertificate], _ isHostName: Bool, _ address: RouterAddress) -> String {
        guard let leaf = chain.first else { return "it presents no certificate" }
        if isHostName {
            let names = leaf.names
            let list = names.isEmpty ? "nobody by a subjectAltName" : names.joined(separator: ", ")
            return "its certificate is for \(list), not for \(address.host)"
        }
        let now = time(nil)
        for certificate in chain where certificate.notValidAfter < now {
            return "its certificate expired on \(date(certificate.notValidAfter)); is this machine's clock right?"
        }
        for certificate in chain where certificate.notValidBefore > now {
            return
                "its certificate is valid only from \(date(certificate.notValidBefore)) on; is this machine's clock right?"
        }
        return "its certificate is signed by nobody who is trusted here; "
            + "give the router's own CA (its tls/ca.pem) as ca_file or --ca"
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
