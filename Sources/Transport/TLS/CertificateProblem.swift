/// What is wrong with a server's certificate, or with one of those that vouch for it.
enum CertificateProblem: Error, Hashable {
    /// Whose certificate it is.
    enum Owner: Hashable {
        /// The server's own.
        case server
        /// A CA's between the server and the one that is trusted.
        case between
        /// The CA's that is trusted.
        case trusted
    }

    /// One is none.
    case unreadable
    /// It has no subjectAltName with a host or an address (RFC 9525, 2: the common name is none).
    case commonNameOnly
    /// It is for others than this host.
    case otherHost(CertificateNames, String)
    /// It is that of a CA.
    case caAsServer
    /// Somebody signed who may not: the owner is the signer.
    case signedByNoCA(Owner)
    /// It is for something else (extended key usage).
    case notForServers(Owner, [String])
    /// Its key may not sign, by its key usage, as every handshake with forward secrecy demands.
    case notForSigning
    /// Its key can be broken.
    case weakKey(Owner, String)
    /// Its signature can be forged.
    case weakSignature(Owner, String)
    /// It demands that policies are looked at, which nobody here does.
    case demandsPolicies
}

extension CertificateProblem: CustomStringConvertible {
    /// What is wrong, and what to do, as the rest of a sentence on the server.
    var description: String {
        switch self {
        case .unreadable: "it presents a certificate that cannot be read"
        case .commonNameOnly:
            "its certificate names nobody by a subjectAltName, only by its common name; "
                + "make one with a subjectAltName"
        case .otherHost(let names, let host): "its certificate is for \(names), not for \(host)"
        case .caAsServer:
            "its certificate is that of a CA, not of a server; make one with CA:FALSE, signed by that CA"
        case .signedByNoCA(.trusted):
            "its certificate is signed by a certificate that is trusted here, but is not that of a CA; "
                + "make a CA with CA:TRUE"
        case .signedByNoCA:
            "its certificate is signed by a certificate that is not that of a CA; have it signed by a CA"
        case .notForServers(let owner, let purposes):
            "\(owner.certificate) is not meant for servers (extended key usage \(Self.some(purposes))); "
                + "make one with serverAuth"
        case .notForSigning:
            "its certificate's key may not sign a handshake (key usage); make one with digitalSignature"
        case .weakKey(let owner, let kind):
            "\(owner.key) is \(kind), too weak; make one on P-256, or RSA with \(CertificateRules.bitsOfRSA) bits or more"
        case .weakSignature(let owner, let algorithm):
            "\(owner.certificate) is signed with \(algorithm), which can be forged; make one that is signed with SHA-256"
        case .demandsPolicies:
            "its certificate, or one of those that vouch for it, demands certificate policies, which m2m does not know; "
                + "make one without policyConstraints"
        }
    }
}

extension CertificateProblem {
    /// A few of many: whoever made the certificate may have written anything.
    fileprivate static func some(_ words: [String]) -> String {
        let shown = words.prefix(8).joined(separator: ", ")
        return words.count > 8 ? "\(shown) and \(words.count - 8) more" : shown
    }
}

extension CertificateProblem.Owner {
    /// The certificate, in words.
    var certificate: String {
        switch self {
        case .server: "its certificate"
        case .between: "the certificate of a CA between it and the trusted one"
        case .trusted: "the certificate of its CA"
        }
    }

    /// The key, in words.
    fileprivate var key: String {
        switch self {
        case .server: "its key"
        case .between: "the key of a CA between it and the trusted one"
        case .trusted: "the key of its CA"
        }
    }
}
