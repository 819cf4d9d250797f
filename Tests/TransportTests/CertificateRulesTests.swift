import Crypto
import NIOSSL
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Transport

/// What BoringSSL trusts is good enough in all else, too: or it is told which rule it breaks.
@Suite(.timeLimit(.minutes(1))) struct CertificateRulesTests {
    private let ca: MadeCertificate

    init() throws {
        ca = try MadeCertificate.authority()
    }

    private func problem(_ chain: MadeCertificate...) throws -> CertificateProblem? {
        try CertificateRules.problem(in: chain.map { try $0.der })
    }

    /// A certificate for localhost that says this of itself, under the CA.
    private func leaf(
        @ExtensionsBuilder _ extensions: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> MadeCertificate {
        try MadeCertificate("a server", by: ca, extensions: extensions)
    }

    private static let localhost = SubjectAlternativeNames([.dnsName("localhost")])

    // MARK: The good ones

    @Test("A good chain has no problem, with or without CAs in between, and on every good curve") func good() throws {
        let between = try MadeCertificate.authority("another CA", by: ca)
        #expect(try problem(.server(by: ca), ca) == nil)
        #expect(try problem(.server(by: between), between, ca) == nil)
        #expect(try problem(.server()) == nil)
        let keys: [Certificate.PrivateKey] = [
            .init(P384.Signing.PrivateKey()), .init(P521.Signing.PrivateKey()), .init(Curve25519.Signing.PrivateKey()),
        ]
        for key in keys {
            let ca = try MadeCertificate("a CA", key: key) {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            }
            #expect(try problem(.server(by: ca, key: key), ca) == nil)
        }
    }

    @Test(
        "So is what openssl makes of RSA, and what is signed by a CA that signed itself with SHA-1",
        arguments: [
            ("good", "ca"), ("good-by-intermediate", "ca"), ("good-rsa", "ca-rsa"), ("good-pss", "ca-rsa"),
            ("good-by-ca-sha-1", "ca-sha-1"),
        ])
    func goodFixtures(_ name: String, _ ca: String) throws {
        #expect(try CertificateRules.problem(in: FixtureCertificate.chain(name, under: ca)) == nil)
    }

    @Test("An address is a name, and who says nothing of its purpose is for all") func sparse() throws {
        #expect(try problem(leaf { Self.localhost }, ca) == nil)
        let address = try leaf { SubjectAlternativeNames([.ipAddress(.init(contentBytes: [127, 0, 0, 1]))]) }
        #expect(try problem(address, ca) == nil)
        let both = try leaf {
            Self.localhost
            try ExtendedKeyUsage([.clientAuth, .serverAuth])
        }
        #expect(try problem(both, ca) == nil)
    }

    // MARK: For whom, and for what

    @Test("A common name is no name, whatever it says, nor is a name that is none of a host") func names() throws {
        let nameless = try MadeCertificate("localhost", by: ca) { Critical(BasicConstraints.notCertificateAuthority) }
        #expect(try problem(nameless, ca) == .commonNameOnly)
        let mail = try leaf { SubjectAlternativeNames([.rfc822Name("anna@localhost")]) }
        #expect(try problem(mail, ca) == .commonNameOnly)
    }

    @Test("A name has to be that of the host, and an address is no name, wherever it leads") func hosts() throws {
        let chain = try [MadeCertificate.server(by: ca), ca].map { try CertificateFacts($0.der) }
        #expect(CertificateRules.problem(in: chain, for: "localhost") == nil)
        let names = CertificateNames(hosts: [Array("localhost".utf8)])
        #expect(CertificateRules.problem(in: chain, for: "router.example") == .otherHost(names, "router.example"))
        let address = try FixtureCertificate.chain("address-only", under: "ca")
        #expect(CertificateRules.problem(in: address) == nil)
        let problem = CertificateRules.problem(in: address, for: "localhost")
        #expect(problem?.description == "its certificate is for 127.0.0.1, ::1, not for localhost")
    }

    @Test("A CA is no server, also where it is trusted itself") func caAsServer() throws {
        let server = try leaf {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            Self.localhost
        }
        #expect(try problem(server, ca) == .caAsServer)
        #expect(try problem(server) == .caAsServer)
    }

    @Test("What is for something else is not for servers; the trusted CA alone is not asked") func purposes() throws {
        let client = try leaf {
            Self.localhost
            try ExtendedKeyUsage([.clientAuth, .any])
        }
        #expect(try problem(client, ca) == .notForServers(.server, ["clientAuth", "anyExtendedKeyUsage"]))
        func authority(_ issuer: MadeCertificate?) throws -> MadeCertificate {
            try MadeCertificate("a CA for mail", by: issuer) {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                try ExtendedKeyUsage([.emailProtection, .init(oid: [1, 2, 3])])
            }
        }
        let between = try authority(ca)
        #expect(
            try problem(.server(by: between), between, ca) == .notForServers(.between, ["emailProtection", "1.2.3"]))
        let trusted = try authority(nil)
        #expect(try problem(.server(by: trusted), trusted) == nil)
    }

    @Test("A key that may not sign can do no handshake with forward secrecy") func keyUsage() throws {
        let server = try leaf {
            Self.localhost
            Critical(KeyUsage(keyEncipherment: true))
        }
        #expect(try problem(server, ca) == .notForSigning)
    }

    @Test("Who is no CA signs nothing, neither in between nor as the one that is trusted") func signers() throws {
        let other = try MadeCertificate.server(by: ca)
        #expect(try problem(.server(by: other), other, ca) == .signedByNoCA(.between))
        let trusted = try MadeCertificate.server()
        #expect(try problem(.server(by: trusted), trusted) == .signedByNoCA(.trusted))
    }

    // MARK: What can be forged

    @Test(
        "Weak keys and signatures are told, with whose they are, and so is all else that openssl makes",
        arguments: [
            ("common-name-only", "ca", .commonNameOnly),
            ("for-clients", "ca", .notForServers(.server, ["clientAuth"])),
            ("not-for-signing", "ca", .notForSigning),
            ("ca-as-server", "ca", .caAsServer),
            ("by-no-ca", "ca", .signedByNoCA(.between)),
            ("by-ca-that-is-none", "ca-that-is-none", .signedByNoCA(.trusted)),
            ("demands-policies", "ca", .demandsPolicies),
            ("rsa-1024", "ca", .weakKey(.server, "RSA with 1024 bits")),
            ("p-224", "ca", .weakKey(.server, "on the curve P-224")),
            ("dsa", "ca", .weakKey(.server, "DSA")),
            ("by-intermediate-rsa-1024", "ca", .weakKey(.between, "RSA with 1024 bits")),
            ("by-ca-rsa-1024", "ca-rsa-1024", .weakKey(.trusted, "RSA with 1024 bits")),
            ("sha-1", "ca", .weakSignature(.server, "SHA-1")),
            ("pss-sha-1", "ca-rsa", .weakSignature(.server, "SHA-1")),
            ("md5", "ca-rsa", .weakSignature(.server, "MD5")),
            ("by-intermediate-sha-1", "ca", .weakSignature(.between, "SHA-1")),
        ] as [(String, String, CertificateProblem)])
    func badFixtures(_ name: String, _ ca: String, _ expected: CertificateProblem) throws {
        #expect(try CertificateRules.problem(in: FixtureCertificate.chain(name, under: ca)) == expected)
    }

    @Test("A signature with SHA-1 means nothing where a certificate is trusted for itself, and only there") func sha1()
        throws
    {
        let trusted = try #require(try FixtureCertificate.chain("ca-sha-1").first).toDERBytes()
        let server = try MadeCertificate.server(by: ca).der
        #expect(CertificateRules.problem(in: [server, trusted]) == nil)
        #expect(CertificateRules.problem(in: [server, trusted, try ca.der]) == .weakSignature(.between, "SHA-1"))
    }

    @Test("Of several problems the most fundamental is told: for whom, for what, then what can be forged") func order()
        throws
    {
        let nobody = try leaf { try ExtendedKeyUsage([.clientAuth]) }
        let weak = try FixtureCertificate.chain("ca-rsa-1024")[0].toDERBytes()
        #expect(CertificateRules.problem(in: [try nobody.der, weak]) == .commonNameOnly)
        let client = try FixtureCertificate.chain("for-clients")[0].toDERBytes()
        #expect(CertificateRules.problem(in: [client, weak]) == .notForServers(.server, ["clientAuth"]))
        let old = try FixtureCertificate.chain("sha-1")[0].toDERBytes()
        #expect(CertificateRules.problem(in: [old, weak]) == .weakKey(.trusted, "RSA with 1024 bits"))
    }

    @Test("What is no certificate is refused, and so is nothing at all") func unreadable() throws {
        #expect(CertificateRules.problem(in: [[UInt8]]()) == .unreadable)
        #expect(CertificateRules.problem(in: [[1, 2, 3]]) == .unreadable)
        #expect(CertificateRules.problem(in: [try MadeCertificate.server(by: ca).der, []]) == .unreadable)
    }

    @Test("Every problem is told in a sentence of its own, with what to do") func words() {
        let problems: [CertificateProblem] = [
            .commonNameOnly, .caAsServer, .signedByNoCA(.between), .signedByNoCA(.trusted),
            .notForServers(.server, ["clientAuth"]), .notForServers(.between, ["clientAuth"]), .notForSigning,
            .weakKey(.server, "DSA"), .weakKey(.between, "DSA"), .weakKey(.trusted, "DSA"),
            .weakSignature(.server, "MD5"), .weakSignature(.between, "MD5"), .demandsPolicies,
        ]
        #expect(Set(problems.map(\.description)).count == problems.count)
        for problem in problems { #expect(problem.description.contains("; ")) }
        #expect(
            problems[0].description == "its certificate names nobody by a subjectAltName, only by its common name; "
                + "make one with a subjectAltName")
    }
}
