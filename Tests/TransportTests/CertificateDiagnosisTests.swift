import NIOSSL
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Transport

/// Whoever is not trusted is told why, and the most fundamental of the reasons; only dates are a matter of time.
@Suite(.timeLimit(.minutes(1))) struct CertificateDiagnosisTests {
    /// 2027: the fixtures are judged at this time, whatever the day of the test is.
    private static let now = 1_800_000_000
    private static let advice = "; give the router's own CA (its tls/ca.pem) as ca_file or --ca"
    private static let otherCA = "its certificate is signed by another CA than the one that is trusted here\(advice)"
    private static let nobody = "its certificate is signed by nobody who is trusted here\(advice)"
    private static let clock = "; is this machine's clock right?"

    private func reason(
        _ presented: [MadeCertificate], given: [MadeCertificate]?
    ) throws -> (words: String, isAboutTime: Bool) {
        let given = try given?.map { try $0.forTLS }
        return try CertificateDiagnosis(presented.map { try $0.forTLS }, given: given, host: "localhost")
            .reason(now: Self.now)
    }

    // MARK: What openssl makes

    @Test(
        "Every bad certificate has its own words",
        arguments: [
            ("expired", "its certificate expired on 2001-01-01\(clock)", true),
            ("not-yet-valid", "its certificate is valid only from 2200-01-01 on\(clock)", true),
            ("self-signed", "its certificate signed itself, and is not the CA that is trusted here\(advice)", false),
            ("wrong-ca", otherCA, false),
            (
                "common-name-only",
                "its certificate names nobody by a subjectAltName, only by its common name; "
                    + "make one with a subjectAltName", false
            ),
            (
                "rsa-1024",
                "its key is RSA with 1024 bits, too weak; make one on P-256, or RSA with 2048 bits or more", false
            ),
            (
                "sha-1",
                "its certificate is signed with SHA-1, which can be forged; make one that is signed with SHA-256", false
            ),
            (
                "for-clients",
                "its certificate is not meant for servers (extended key usage clientAuth); make one with serverAuth",
                false
            ),
        ] as [(String, String, Bool)])
    func fixtures(_ name: String, _ words: String, _ isAboutTime: Bool) throws {
        let diagnosis = try CertificateDiagnosis(
            FixtureCertificate.chain(name), given: FixtureCertificate.chain("ca"), host: "localhost")
        let reason = diagnosis.reason(now: Self.now)
        #expect(reason.words == words)
        #expect(reason.isAboutTime == isAboutTime)
    }

    // MARK: Who signed

    @Test("Another CA is told before its dates: no clock cures that") func trustBeforeDates() throws {
        let (ca, other) = (try MadeCertificate.authority("one"), try MadeCertificate.authority("other", dates: 0..<9))
        let server = try MadeCertificate.server(by: other, dates: 0..<9)
        for presented in [[server], [server, other]] {
            let reason = try reason(presented, given: [ca])
            #expect(reason.words == Self.otherCA)
            #expect(!reason.isAboutTime)
        }
        let lonely = try reason([.server(dates: 0..<9)], given: [ca])
        #expect(lonely.words.hasPrefix("its certificate signed itself"))
        #expect(!lonely.isAboutTime)
    }

    @Test("What else is wrong is told before the dates, too") func rulesBeforeDates() throws {
        let ca = try MadeCertificate.authority()
        let client = try MadeCertificate("a client", by: ca, dates: 0..<9) {
            SubjectAlternativeNames([.dnsName("localhost")])
            try ExtendedKeyUsage([.clientAuth])
        }
        let reason = try reason([client, ca], given: [ca])
        #expect(reason.words.contains("not meant for servers"))
        #expect(!reason.isAboutTime)
    }

    @Test("Whom the system trusts is not known, so dates are told before it is said that nobody vouches")
    func system() throws {
        let ca = try MadeCertificate.authority()
        let good = try reason([.server(by: ca), ca], given: nil)
        #expect(good.words == Self.nobody)
        #expect(!good.isAboutTime)
        let old = try reason([.server(by: ca, dates: 0..<9), ca], given: nil)
        #expect(old.words == "its certificate expired on 1970-01-01\(Self.clock)")
        #expect(old.isAboutTime)
        let own = try reason([.server()], given: nil)
        #expect(
            own.words.hasPrefix("its certificate signed itself, and nobody who is trusted here vouches for it; give"))
        #expect(!own.isAboutTime)
    }

    @Test("A CA that has ended, or has not begun, is a matter of time, and is named as what it is") func dates() throws
    {
        let old = try MadeCertificate.authority(dates: 0..<9)
        let ended = try reason([.server(by: old)], given: [old])
        #expect(ended.words == "the certificate of its CA expired on 1970-01-01\(Self.clock)")
        #expect(ended.isAboutTime)
        let early = try MadeCertificate.authority(dates: 3_000_000_000..<4_000_000_000)
        let between = try reason([.server(by: early), early], given: [early])
        #expect(between.words == "the certificate of its CA is valid only from 2065-01-24 on\(Self.clock)")
        #expect(between.isAboutTime)
    }

    @Test("Another CA with the name of the given one is not taken for it") func sameName() throws {
        let (ca, other) = (try MadeCertificate.authority(), try MadeCertificate.authority())
        let reason = try reason([.server(by: other)], given: [ca])
        #expect(
            reason.words == "its certificate names the CA that is trusted here, but is not signed by it, "
                + "or not in a way it may be\(Self.advice)")
        #expect(!reason.isAboutTime)
    }

    @Test("A CA that did not sign itself is not the last word, and that is told") func notTheLast() throws {
        let between = try MadeCertificate.authority("another CA", by: .authority())
        let words = "the CA that is trusted here was itself signed by another one, which is not known; give that one"
        #expect(try reason([.server(by: between), between], given: [between]).words == words)
    }

    @Test("Those in between are found in any order, and CAs that signed each other end") func order() throws {
        let ca = try MadeCertificate.authority()
        let one = try MadeCertificate.authority("one", by: ca)
        let two = try MadeCertificate.authority("two", by: one)
        let server = try MadeCertificate.server(by: two, dates: 0..<9)
        #expect(try reason([server, one, two], given: [ca]).isAboutTime)
        #expect(try reason([server, one], given: [ca]).words == Self.otherCA)
        let (left, right) = (try MadeCertificate.authority("left"), try MadeCertificate.authority("right"))
        let leftByRight = try MadeCertificate.authority("left", by: right)
        let rightByLeft = try MadeCertificate.authority("right", by: left)
        let lost = try reason([.server(by: left), leftByRight, rightByLeft], given: [ca])
        #expect(lost.words == Self.otherCA)
        let circle = try reason([.server(by: left)], given: [leftByRight, rightByLeft])
        #expect(!circle.isAboutTime)
    }

    @Test("Nothing at all is told as that") func nothing() throws {
        #expect(try reason([], given: nil).words == "it presents no certificate")
    }

    // MARK: For whom

    @Test("A certificate for others is told before its dates, and by the names that it has") func otherHost() throws {
        let ca = try MadeCertificate.authority()
        let names = try MadeCertificate("localhost", by: ca, dates: 0..<9) {
            SubjectAlternativeNames([.dnsName("router.example"), .ipAddress(.init(contentBytes: [192, 0, 2, 1]))])
        }
        let words = "its certificate is for router.example, 192.0.2.1, not for localhost"
        #expect(try reason([names], given: [ca]).words == words)
        #expect(try CertificateDiagnosis([names.forTLS], given: nil, host: "localhost").otherHost == words)
        let nobody = try MadeCertificate("localhost", by: ca) { Critical(BasicConstraints.notCertificateAuthority) }
        let diagnosis = try CertificateDiagnosis([nobody.forTLS], given: nil, host: "127.0.0.1")
        #expect(diagnosis.otherHost == "\(CertificateProblem.commonNameOnly)")
        #expect(CertificateDiagnosis([], given: nil, host: "").otherHost == "\(CertificateProblem.unreadable)")
    }
}
