import DeviceModel
import NIOSSL

/// What is wrong with certificates that BoringSSL does not trust: it says only that it does not.
///
/// Names tell who should have signed whom; no signature is looked at. So this finds words, and never that all is well.
struct CertificateDiagnosis {
    /// From the server's certificate upwards, as far as it can be seen; nil: one of them can't be read.
    private let path: [Link]?
    private let given: [NIOSSLCertificate]?
    private let host: String

    private static let advice = "give the router's own CA (its tls/ca.pem) as ca_file or --ca"

    /// A certificate on the way from the server's to the one that is trusted.
    private struct Link {
        let certificate: NIOSSLCertificate
        let facts: CertificateFacts

        init(_ certificate: NIOSSLCertificate) throws {
            self.certificate = certificate
            facts = try CertificateFacts(certificate.toDERBytes())
        }
    }

    /// A diagnosis.
    ///
    /// - Parameters:
    ///   - presented: What the server presents, its own certificate first.
    ///   - given: The certificates that are trusted; nil: those of the system.
    ///   - host: The name or address by which the server was asked for.
    init(_ presented: [NIOSSLCertificate], given: [NIOSSLCertificate]?, host: String) {
        self.given = given
        self.host = host
        do {
            path = try Self.path(presented.map(Link.init), (given ?? []).map(Link.init))
        } catch {
            path = nil
        }
    }

    /// Why they are not trusted: first who signed, then for whom and what they are, whether they can be forged, and last
    /// their dates, which are the only thing that time, or a clock that is set right, cures.
    ///
    /// - Parameter now: The present, in seconds since 1970.
    /// - Returns: The reason as the rest of a sentence on the server, and whether it is a matter of time.
    func reason(now: Int) -> (words: String, isAboutTime: Bool) {
        guard let path else { return ("\(CertificateProblem.unreadable)", false) }
        guard let first = path.first, let last = path.last else { return ("it presents no certificate", false) }
        let isReached = given.map { $0.contains(last.certificate) }
        if path.count == 1, first.facts.isSelfIssued, isReached != true {
            let words =
                given == nil ? "nobody who is trusted here vouches for it" : "is not the CA that is trusted here"
            return ("its certificate signed itself, and \(words); \(Self.advice)", false)
        }
        if isReached == false {
            return ("its certificate is signed by another CA than the one that is trusted here; \(Self.advice)", false)
        }
        if let problem = CertificateRules.problem(in: path.map(\.facts), for: TLSTrust.serverName(host)) {
            return ("\(problem)", false)
        }
        if let words = dates(path, now) { return ("\(words); is this machine's clock right?", true) }
        if given == nil { return ("its certificate is signed by nobody who is trusted here; \(Self.advice)", false) }
        if path.count > 1, !last.facts.isSelfIssued {
            let words = "the CA that is trusted here was itself signed by another one, which is not known"
            return ("\(words); give that one", false)
        }
        let words =
            "its certificate names the CA that is trusted here, but is not signed by it, or not in a way it may be"
        return ("\(words); \(Self.advice)", false)
    }

    /// Why the server's certificate is not for the host, as the rest of a sentence on the server.
    var otherHost: String {
        guard let names = path?.first?.facts.names else { return "\(CertificateProblem.unreadable)" }
        return "\(names.isEmpty ? CertificateProblem.commonNameOnly : .otherHost(names, host))"
    }

    /// Whoever signed, and whoever signed that, by their names; who is trusted is preferred, as BoringSSL does.
    private static func path(_ presented: [Link], _ trusted: [Link]) -> [Link] {
        guard let leaf = presented.first else { return [] }
        var path = [leaf]
        var rest = presented.dropFirst()
        var current = leaf
        while !current.facts.isSelfIssued {
            let isIssuer = { (link: Link) in link.facts.subject == current.facts.issuer }
            if let issuer = trusted.first(where: isIssuer) {
                current = issuer
            } else if let index = rest.firstIndex(where: isIssuer) {
                current = rest.remove(at: index)
            } else {
                break
            }
            path.append(current)
            guard path.count <= presented.count + trusted.count else { break }
        }
        return path
    }

    private func dates(_ path: [Link], _ now: Int) -> String? {
        for (index, link) in path.enumerated() where link.certificate.notValidAfter < now {
            return "\(owner(index, path)) expired on \(Self.date(link.certificate.notValidAfter))"
        }
        for (index, link) in path.enumerated() where link.certificate.notValidBefore > now {
            return "\(owner(index, path)) is valid only from \(Self.date(link.certificate.notValidBefore)) on"
        }
        return nil
    }

    private func owner(_ index: Int, _ path: [Link]) -> String {
        CertificateRules.owner(index, path.map(\.facts)).certificate
    }

    private static func date(_ seconds: Int) -> String {
        let (nanoseconds, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? "a day far away" : String(WallTime(nanoseconds: nanoseconds).rfc3339.prefix(10))
    }
}
