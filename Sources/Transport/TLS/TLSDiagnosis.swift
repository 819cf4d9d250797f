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

    private static let noCipher =
        "offers no cipher that is good enough, or has no key for one: "
        + "TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, is needed"

    /// Whether an error is one of TLS.
    static func knows(_ error: any Error) -> Bool {
        if case NIOSSLError.uncleanShutdown = error { return false }  // nothing about TLS: the other end has hung up
        return error is CertificateProblem || error is NIOSSLError || error is BoringSSLError
            || error is NIOSSLExtraError
    }

    static func words(
        for error: any Error, _ address: RouterAddress, _ trust: TLSTrust, _ group: any EventLoopGroup
    ) async -> Cause {
        if let problem = error as? CertificateProblem { return untrusted("\(problem)") }
        let text = "\(error)"
        func says(_ reasons: String...) -> Bool { reasons.contains { text.contains($0) } }
        if says("WRONG_VERSION_NUMBER") { return Cause(words: "does not speak TLS", kind: .lost) }
        if says("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION") {
            return Cause(words: "speaks no TLS of version 1.2 or later; bring it up to date", kind: .untrusted)
        }
        if says("WRONG_CIPHER_RETURNED", "UNKNOWN_CIPHER_RETURNED") { return Cause(words: noCipher, kind: .untrusted) }
        // RFC 8446, 4.4.2.2; it is looked at before anything else, so nobody can look at the certificate.
        if says("KEY_USAGE_BIT_INCORRECT") { return untrusted("\(CertificateProblem.notForSigning)") }

        if says("HANDSHAKE_FAILURE", "INSUFFICIENT_SECURITY") {
            // Where there are certificates to be seen, something else than the ciphers was the reason.
            guard await presented(address, group) == nil else { return Cause(words: end(in: text), kind: .lost) }
            return Cause(words: noCipher, kind: .untrusted)
        }
        let isHostName = error is NIOSSLExtraError
        guard isHostName || says("CERTIFICATE_VERIFY_FAILED") else { return Cause(words: end(in: text), kind: .lost) }
        guard let presented = await presented(address, group) else {
            return Cause(words: "has a certificate that cannot be verified", kind: .untrusted)
        }
        let given = try? trust.given()  // safe: it could be read a moment ago, and this is only about words
        let diagnosis = CertificateDiagnosis(presented.chain, given: given, host: address.host)
        if isHostName { return untrusted(diagnosis.otherHost) }
        let (reason, isAboutTime) = diagnosis.reason(now: time(nil))
        return Cause(words: "cannot be trusted: \(reason)", kind: isAboutTime ? .untimely : .untrusted)
    }

    /// What the server presents, whether it can be trusted or not.
    private static func presented(
        _ address: RouterAddress, _ group: any EventLoopGroup
    ) async -> PresentedCertificates? {
        try? await PresentedCertificates.fetch(from: address, on: group)  // safe: what can't be had is told as such
    }

    private static func untrusted(_ reason: String) -> Cause {
        Cause(words: "cannot be trusted: \(reason)", kind: .untrusted)
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
}
