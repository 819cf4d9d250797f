/// What has to be known of a certificate before it is trusted (RFC 5280, 4.1).
///
/// Nothing is verified here: that is BoringSSL's part.
struct CertificateFacts: Sendable {
    /// A public key, as far as its strength goes.
    enum Key: Sendable {
        /// RSA with so many bits.
        case rsa(bits: Int)
        /// A point on a curve, named by its object identifier; nil: the curve has no name.
        case elliptic(curve: String?)
        /// Any other kind, by its object identifier.
        case other(String)
    }

    /// Whom it is for, and who signed it: names as they are encoded.
    let subject, issuer: [UInt8]
    /// Its key.
    let key: Key
    /// The algorithm of its signature, by the object identifier that tells of the hash.
    let signature: String
    /// Whether it is that of a CA: it may sign others.
    private(set) var isCA = false
    /// The hosts and addresses that it is for.
    private(set) var names = CertificateNames()
    /// Whether its key may sign what it says in a handshake.
    private(set) var maySign = true
    /// What it is meant for, by object identifiers (extended key usage); nil: for whatever there is.
    private(set) var purposes: [String]?
    /// Whether it demands that those below it follow policies.
    private(set) var demandsPolicies = false

    /// Whether it signed itself, by its names.
    var isSelfIssued: Bool { subject == issuer }

    /// Reads a certificate.
    ///
    /// - Parameter der: The certificate.
    /// - Throws: ``DERError`` when it is none.
    init(_ der: [UInt8]) throws(DERError) {
        var outer = DERReader(der[...])
        var certificate = try outer.next(DERReader.Tag.sequence).reader
        try outer.end()
        var signed = try certificate.next(DERReader.Tag.sequence).reader
        let algorithm = try certificate.next(DERReader.Tag.sequence)
        _ = try certificate.next(DERReader.Tag.bitString)
        try certificate.end()

        _ = try signed.next(if: DERReader.Tag.explicit(0))  // the version
        _ = try signed.next(DERReader.Tag.integer)  // the serial number
        guard try signed.next(DERReader.Tag.sequence).content == algorithm.content else { throw .unexpected }
        signature = try Self.hash(algorithm)
        issuer = Array(try signed.next(DERReader.Tag.sequence).content)
        _ = try signed.next(DERReader.Tag.sequence)  // the dates
        subject = Array(try signed.next(DERReader.Tag.sequence).content)
        key = try Self.key(signed.next(DERReader.Tag.sequence))
        for number: UInt8 in [1, 2] { _ = try signed.next(if: DERReader.Tag.implicit(number)) }
        if let extensions = try signed.next(if: DERReader.Tag.explicit(3)) { try read(extensions) }
        try signed.end()
    }

    // MARK: Algorithms

    /// The object identifier that tells of the hash.
    ///
    /// RSASSA-PSS has it in its parameters (RFC 4055, 3.1), without which it is SHA-1; all others name it themselves.
    private static func hash(_ algorithm: DERReader.Element) throws(DERError) -> String {
        var fields = algorithm.reader
        let name = try fields.next(DERReader.Tag.objectIdentifier).objectIdentifier
        guard name == CertificateRules.pss else { return name }
        var parameters = try fields.next(DERReader.Tag.sequence).reader
        guard let hash = try parameters.next(if: DERReader.Tag.explicit(0)) else { return CertificateRules.sha1 }
        var explicit = hash.reader
        var inner = try explicit.next(DERReader.Tag.sequence).reader
        return try inner.next(DERReader.Tag.objectIdentifier).objectIdentifier
    }

    /// A SubjectPublicKeyInfo (RFC 3279, 2.3; RFC 5480, 2.1; RFC 8410, 3).
    private static func key(_ info: DERReader.Element) throws(DERError) -> Key {
        var fields = info.reader
        var algorithm = try fields.next(DERReader.Tag.sequence).reader
        let name = try algorithm.next(DERReader.Tag.objectIdentifier).objectIdentifier
        let bits = try fields.next(DERReader.Tag.bitString).bits
        try fields.end()
        switch name {
        case CertificateRules.rsa, CertificateRules.pss:
            var reader = DERReader(bits)
            var numbers = try reader.next(DERReader.Tag.sequence).reader
            let modulus = try numbers.next(DERReader.Tag.integer).content.drop { $0 == 0 }
            guard let first = modulus.first else { throw .unexpected }
            return .rsa(bits: modulus.count * 8 - first.leadingZeroBitCount)
        case CertificateRules.elliptic:
            return .elliptic(curve: try algorithm.next(if: DERReader.Tag.objectIdentifier)?.objectIdentifier)
        default: return .other(name)
        }
    }

    // MARK: Extensions (RFC 5280, 4.2.1)

    private mutating func read(_ extensions: DERReader.Element) throws(DERError) {
        var outer = extensions.reader
        var list = try outer.next(DERReader.Tag.sequence).reader
        try outer.end()
        var seen: Set<String> = []
        while !list.isAtEnd {
            var fields = try list.next(DERReader.Tag.sequence).reader
            let name = try fields.next(DERReader.Tag.objectIdentifier).objectIdentifier
            _ = try fields.next(if: DERReader.Tag.boolean)  // whether it is critical
            let value = try fields.next(DERReader.Tag.octetString).reader
            try fields.end()
            guard seen.insert(name).inserted else { throw .unexpected }
            try read(name, value)
        }
    }

    private mutating func read(_ name: String, _ value: DERReader) throws(DERError) {
        var value = value
        switch name {
        case "2.5.29.15":  // keyUsage; its first bit is digitalSignature
            maySign = (try value.next(DERReader.Tag.bitString).bits.first ?? 0) & 0x80 != 0
        case "2.5.29.17":  // subjectAltName
            var list = try value.next(DERReader.Tag.sequence).reader
            repeat {
                let name = try list.next()
                switch name.tag {
                case DERReader.Tag.implicit(2): names.hosts.append(Array(name.content))
                case DERReader.Tag.implicit(7): names.addresses.append(Array(name.content))
                default: break  // mail addresses and others that no server has
                }
            } while !list.isAtEnd
        case "2.5.29.19":  // basicConstraints
            var fields = try value.next(DERReader.Tag.sequence).reader
            isCA = try fields.next(if: DERReader.Tag.boolean)?.boolean ?? false
        case "2.5.29.36":  // policyConstraints
            demandsPolicies = true
            return
        case "2.5.29.37":  // extKeyUsage
            var list = try value.next(DERReader.Tag.sequence).reader
            var purposes: [String] = []
            repeat {
                purposes.append(try list.next(DERReader.Tag.objectIdentifier).objectIdentifier)
            } while !list.isAtEnd
            self.purposes = purposes
        default: return
        }
        try value.end()
    }
}
