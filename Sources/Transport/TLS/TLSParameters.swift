public import NIOSSL

/// What a TLS connection may be made of: the same for whoever dials and for whoever answers.
public enum TLSParameters {
    /// Leaves what is good enough today, and nothing else (RFC 9325, 4.2 and 5).
    ///
    /// TLS 1.3 as it is; of TLS 1.2 keys that are agreed on afresh (ECDHE), and ciphers that encrypt and authenticate in
    /// one (AES-GCM, ChaCha20-Poly1305). No signature in a handshake is with SHA-1.
    ///
    /// - Parameter configuration: The configuration that is restricted.
    public static func restrict(_ configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = suites.joined(separator: ":")
        configuration.verifySignatureAlgorithms = [
            .ecdsaSecp256R1Sha256, .ecdsaSecp384R1Sha384, .ecdsaSecp521R1Sha512, .ed25519,
            .rsaPssRsaeSha256, .rsaPssRsaeSha384, .rsaPssRsaeSha512,
            .rsaPkcs1Sha256, .rsaPkcs1Sha384, .rsaPkcs1Sha512,
        ]
    }

    /// In BoringSSL's words for them, the quickest first where a processor helps with AES.
    private static let suites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
}
