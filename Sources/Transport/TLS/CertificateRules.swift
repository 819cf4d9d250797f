/// What certificates have to keep to before they are trusted, beyond what BoringSSL verifies.
///
/// BoringSSL verifies who signed whom, dates, constraints and, but for the trusted CA, purposes; NIOSSL verifies names.
/// They trust keys that can be broken, signatures with SHA-1, a name that is only a common name, an address in the place
/// of a name, a CA as a server, and a trusted CA that is none. This looks at the chain that they have found good, or at
/// what a server presents, to say what is wrong with it.
public enum CertificateRules {
    static let rsa = "1.2.840.113549.1.1.1"
    static let pss = "1.2.840.113549.1.1.10"
    static let elliptic = "1.2.840.10045.2.1"
    static let sha1 = "1.3.14.3.2.26"
    static let serverAuth = "1.3.6.1.5.5.7.3.1"

    /// RFC 9325, 4.5: 112 bits of security, and no less.
    static let bitsOfRSA = 2_048

    /// Why a server with these certificates is refused, whoever signed them, as the rest of a sentence on it.
    ///
    /// - Parameter chain: Certificates (DER): the server's own, whoever signed it, and so on up to the trusted CA.
    /// - Returns: The reason, and what to do; nil: it is not refused.
    public static func refusal(of chain: [[UInt8]]) -> String? {
        problem(in: chain).map { "\($0)" }
    }

    /// What is wrong with a chain (DER); nil: nothing.
    static func problem(in chain: [[UInt8]], for host: String? = nil) -> CertificateProblem? {
        do throws(DERError) {
            var facts: [CertificateFacts] = []
            for certificate in chain { facts.append(try CertificateFacts(certificate)) }
            return problem(in: facts, for: host)
        } catch {
            return .unreadable
        }
    }

    /// What is wrong with a chain: first for whom and for what it is, then whether it can be forged.
    ///
    /// - Parameters:
    ///   - chain: What is known of the certificates, in the same order.
    ///   - host: The name by which the server was asked for; nil: an address, which NIOSSL verifies.
    /// - Returns: The most fundamental of the problems; nil: there is none.
    static func problem(in chain: [CertificateFacts], for host: String? = nil) -> CertificateProblem? {
        guard let leaf = chain.first else { return .unreadable }
        if leaf.names.isEmpty { return .commonNameOnly }
        if let host, !leaf.names.includes(host: host) { return .otherHost(leaf.names, host) }
        if leaf.isCA { return .caAsServer }
        for (index, certificate) in chain.enumerated() {
            let owner = owner(index, chain)
            if index > 0, !certificate.isCA { return .signedByNoCA(owner) }
            if owner != .trusted, let purposes = certificate.purposes, !purposes.contains(serverAuth) {
                return .notForServers(owner, purposes.map(name(of:)))
            }
        }
        if !leaf.maySign { return .notForSigning }
        for (index, certificate) in chain.enumerated() {
            if let words = weakness(certificate.key) { return .weakKey(owner(index, chain), words) }
        }
        for (index, certificate) in chain.enumerated() where !isTrustedItself(index, chain) {
            if let words = weakness(certificate.signature) { return .weakSignature(owner(index, chain), words) }
        }
        return chain.contains(where: \.demandsPolicies) ? .demandsPolicies : nil
    }

    /// Whose certificate it is.
    static func owner(_ index: Int, _ chain: [CertificateFacts]) -> CertificateProblem.Owner {
        if index == 0 { return .server }
        return isTrustedItself(index, chain) ? .trusted : .between
    }

    /// Whether a certificate is trusted for itself, and not for its signature, which means nothing then: it signed itself.
    ///
    /// Its key does mean something: it made all the other signatures.
    private static func isTrustedItself(_ index: Int, _ chain: [CertificateFacts]) -> Bool {
        index == chain.count - 1 && chain[index].isSelfIssued
    }

    // MARK: Strength

    /// Why a key is too weak; nil: it is strong enough.
    private static func weakness(_ key: CertificateFacts.Key) -> String? {
        switch key {
        case .rsa(let bits) where bits >= bitsOfRSA: nil
        case .rsa(let bits): "RSA with \(bits) bits"
        case .elliptic(let curve?) where strongCurves.contains(curve): nil
        case .elliptic(let curve?): weakCurves[curve].map { "on the curve \($0)" } ?? "on the unknown curve \(curve)"
        case .elliptic(nil): "on a curve without a name"
        case .other(let kind) where strongKinds.contains(kind): nil
        case .other(let kind): weakKinds[kind] ?? "of the unknown kind \(kind)"
        }
    }

    /// Which algorithm of a signature is too weak; nil: it is strong enough.
    private static func weakness(_ signature: String) -> String? {
        strongSignatures.contains(signature) ? nil : weakSignatures[signature] ?? "the unknown algorithm \(signature)"
    }

    /// P-256, P-384, P-521 (RFC 5480, 2.1.1.1).
    private static let strongCurves: Set<String> = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"]
    private static let weakCurves = ["1.2.840.10045.3.1.1": "P-192", "1.3.132.0.33": "P-224"]
    /// Ed25519 and Ed448 (RFC 8410).
    private static let strongKinds: Set<String> = ["1.3.101.112", "1.3.101.113"]
    private static let weakKinds = ["1.2.840.10040.4.1": "DSA"]
    /// SHA-256, SHA-384 and SHA-512 with RSA, with ECDSA, and for RSASSA-PSS; Ed25519 and Ed448.
    private static let strongSignatures: Set<String> = [
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
        "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3",
        "1.3.101.112", "1.3.101.113",
    ]
    private static let weakSignatures = [
        "1.2.840.113549.1.1.2": "MD2", "1.2.840.113549.1.1.3": "MD4", "1.2.840.113549.1.1.4": "MD5",
        "1.2.840.113549.1.1.5": "SHA-1", "1.3.14.3.2.29": "SHA-1", "1.2.840.10045.4.1": "SHA-1",
        "1.2.840.10040.4.3": "SHA-1", sha1: "SHA-1",
    ]

    // MARK: Purposes

    /// A purpose as people know it (RFC 5280, 4.2.1.12), else its object identifier.
    private static func name(of purpose: String) -> String {
        purposes[purpose] ?? purpose
    }

    private static let purposes = [
        "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning",
        "1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping",
        "1.3.6.1.5.5.7.3.9": "OCSPSigning", "2.5.29.37.0": "anyExtendedKeyUsage",
    ]
}
