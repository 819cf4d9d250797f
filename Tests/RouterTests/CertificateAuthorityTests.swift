import Crypto
import DeviceModel
import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Router

/// Promise: a router without a certificate makes itself a CA that lasts and a server certificate that it renews, keeps
/// their keys to itself, and never puts a new CA in the place of one that is damaged.
@Suite(.timeLimit(.minutes(1))) struct CertificateAuthorityTests {
    private let directory: TemporaryDirectory
    private var folder: String { directory.file("tls") }
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let names = ["localhost", "router.example", "127.0.0.1", "::1"]

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ now: Date? = nil, in folder: String? = nil) throws -> CertificateAuthority {
        try CertificateAuthority(folder: folder ?? self.folder, now: now ?? self.now)
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try #require(try SafeFile.read("\(folder)/\(name)")), as: UTF8.self)
    }

    /// The certificates in `server.pem`: the server's, and the CA's behind it.
    private func chain() throws -> [Certificate] {
        try PEMDocument.parseMultiple(pemString: text("server.pem")).map { try Certificate(pemDocument: $0) }
    }

    // MARK: What is made

    @Test("Private keys are private, certificates may be read by all")
    func fileRights() throws {
        let files = try open().serverFiles(names: names, now: now)
        #expect(files.chain == "\(folder)/server.pem")
        #expect(files.key == "\(folder)/server.key")
        #expect(try rights(folder) == 0o700)
        for name in ["ca.key", "server.key"] { #expect(try rights("\(folder)/\(name)") == 0o600, "\(name)") }
        for name in ["ca.pem", "server.pem"] {
            #expect(try rights("\(folder)/\(name)") == 0o644, "\(name)")
            #expect(try !text(name).contains("PRIVATE"))
        }
    }

    @Test("The CA may sign servers and nothing else, and signs itself")
    func authority() throws {
        let certificate = try open().certificate
        #expect(certificate.issuer == certificate.subject)
        #expect(certificate.publicKey.isValidSignature(certificate.signature, for: certificate))
        #expect(
            try certificate.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        let usage = try #require(try certificate.extensions.keyUsage)
        #expect(usage.keyCertSign)
        #expect(!usage.digitalSignature)
        #expect(certificate.notValidBefore < now)
        #expect(certificate.notValidAfter > now + 9 * 365 * 86_400)
    }

    @Test("The server's certificate is signed by the CA, which comes with it, for a server and its own key only")
    func server() throws {
        let authority = try open()
        _ = try authority.serverFiles(names: names, now: now)
        let chain = try chain()
        try #require(chain.count == 2)
        #expect(chain[1] == authority.certificate)
        #expect(chain[0].issuer == authority.certificate.subject)
        #expect(authority.certificate.publicKey.isValidSignature(chain[0].signature, for: chain[0]))
        #expect(try chain[0].extensions.basicConstraints == .notCertificateAuthority)
        #expect(try chain[0].extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
        let key = try P256.Signing.PrivateKey(pemRepresentation: text("server.key"))
        #expect(chain[0].publicKey == Certificate.PublicKey(key.publicKey))
    }

    @Test("The server's certificate is good for every name and address, each in its own form")
    func subjectAlternativeNames() throws {
        _ = try open().serverFiles(names: names, now: now)
        let has = try #require(try chain().first?.extensions.subjectAlternativeNames)
        #expect(
            Array(has) == [
                .dnsName("localhost"), .dnsName("router.example"),
                .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                .ipAddress(ASN1OctetString(contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
            ])
    }

    @Test("Two routers have two CAs, of different names and fingerprints")
    func twoRouters() throws {
        let first = try open()
        let second = try open(in: directory.file("other"))
        #expect(try first.digest != second.digest)
        #expect(first.certificate.subject != second.certificate.subject)
    }

    // MARK: What lasts

    @Test("The CA is the same after a restart, also years later")
    func reload() throws {
        let first = try open()
        let pem = try text("ca.pem")
        let again = try open(now + 5 * 365 * 86_400)
        #expect(try again.digest == first.digest)
        #expect(again.certificate == first.certificate)
        #expect(try text("ca.pem") == pem)
        // And it still has the key.
        let server = try again.issue(P256.Signing.PrivateKey().publicKey, names: names, now: now)
        #expect(first.certificate.publicKey.isValidSignature(server.signature, for: server))
    }

    @Test("The fingerprint is SHA-256 over the certificate in the file")
    func digest() throws {
        let authority = try open()
        let der = try PEMDocument(pemString: text("ca.pem")).derBytes
        #expect(try authority.digest == Router.Digest.sha256(der))
    }

    @Test("A server certificate that is good stays", arguments: [0, 1, 700, 734])
    func serverStays(_ days: Int) throws {
        _ = try open().serverFiles(names: names, now: now)
        let before = (try text("server.pem"), try text("server.key"))
        let later = now + TimeInterval(days * 86_400)
        _ = try open(later).serverFiles(names: ["::1", "localhost"], now: later)
        #expect((try text("server.pem"), try text("server.key")) == before)
    }

    @Test("Ninety days before its end, and after it, it is renewed by the same CA", arguments: [736, 824, 2_000])
    func serverIsRenewed(_ days: Int) throws {
        let authority = try open()
        _ = try authority.serverFiles(names: names, now: now)
        let before = try chain()
        let later = now + TimeInterval(days * 86_400)
        _ = try open(later).serverFiles(names: names, now: later)
        let after = try chain()
        #expect(after[0] != before[0])
        #expect(after[0].notValidAfter > later + 800 * 86_400)
        #expect(after[1] == before[1])
        #expect(authority.certificate.publicKey.isValidSignature(after[0].signature, for: after[0]))
    }

    @Test("A CA that was made with a wrong clock is known for what it is once the clock is right")
    func wrongClock() throws {
        let tenYears: TimeInterval = 10 * 365 * 86_400
        let authority = try open(now + tenYears)
        #expect(authority.isValid(at: now + tenYears))
        #expect(try !open(now).isValid(at: now))
        #expect(!authority.isValid(at: now + 2 * tenYears + 1))
    }

    @Test("A name that it lacks renews it")
    func newName() throws {
        let authority = try open()
        _ = try authority.serverFiles(names: names, now: now)
        _ = try authority.serverFiles(names: names + ["10.0.0.7"], now: now)
        let has = try #require(try chain().first?.extensions.subjectAlternativeNames)
        #expect(has.contains(.ipAddress(ASN1OctetString(contentBytes: [10, 0, 0, 7]))))
    }

    @Test("A certificate that begins in the future, because the clock was set back, is renewed")
    func clockSetBack() throws {
        let authority = try open()
        _ = try authority.serverFiles(names: names, now: now + 86_400 * 30)
        _ = try authority.serverFiles(names: names, now: now)
        #expect(try #require(try chain().first).notValidBefore < now)
    }

    @Test("A start in 1970 leaves the server's certificate as it is")
    func clockIn1970() throws {
        _ = try open().serverFiles(names: names, now: now)
        let before = try chain()
        let start = Date(timeIntervalSince1970: 60)
        _ = try open(start).serverFiles(names: names, now: start)
        #expect(try chain() == before)
    }

    @Test("A server certificate of another CA is replaced")
    func otherServer() throws {
        let other = try open(in: directory.file("other"))
        let files = try other.serverFiles(names: names, now: now)
        let authority = try open()
        for (name, path) in [("server.pem", files.chain), ("server.key", files.key)] {
            try SafeFile.write(try #require(try SafeFile.read(path)), to: "\(folder)/\(name)")
        }
        _ = try authority.serverFiles(names: names, now: now)
        #expect(try chain().last == authority.certificate)
    }
}
