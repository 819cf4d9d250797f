import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import TestSupport
import X509

@testable import Transport

/// A certificate that a test made, with its key.
struct MadeCertificate {
    let certificate: Certificate
    let key: Certificate.PrivateKey

    /// Makes one that is as good as can be, but for what a test wants otherwise.
    ///
    /// - Parameters:
    ///   - name: The common name.
    ///   - issuer: Who signs; nil: itself.
    ///   - key: Its key.
    ///   - dates: From when to when it is valid.
    ///   - extensions: What it says of itself.
    /// - Throws: What swift-certificates throws for extensions that are none.
    init(
        _ name: String, by issuer: MadeCertificate? = nil,
        key: Certificate.PrivateKey = .init(P256.Signing.PrivateKey()), dates: Range<Int> = 0..<4_000_000_000,
        @ExtensionsBuilder extensions: () throws -> Result<Certificate.Extensions, any Error>
    ) throws {
        self.key = key
        let subject = try DistinguishedName { CommonName(name) }
        certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: Double(dates.lowerBound)),
            notValidAfter: Date(timeIntervalSince1970: Double(dates.upperBound)),
            issuer: issuer?.certificate.subject ?? subject, subject: subject,
            extensions: Certificate.Extensions(builder: extensions),
            issuerPrivateKey: issuer?.key ?? key)
    }

    /// A CA.
    static func authority(
        _ name: String = "a CA", by issuer: MadeCertificate? = nil, dates: Range<Int> = 0..<4_000_000_000
    ) throws -> MadeCertificate {
        try MadeCertificate(name, by: issuer, dates: dates) {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            Critical(KeyUsage(keyCertSign: true))
        }
    }

    /// A server's certificate for localhost.
    static func server(
        by issuer: MadeCertificate? = nil, key: Certificate.PrivateKey = .init(P256.Signing.PrivateKey()),
        dates: Range<Int> = 0..<4_000_000_000
    ) throws -> MadeCertificate {
        try MadeCertificate("a server", by: issuer, key: key, dates: dates) {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            SubjectAlternativeNames([.dnsName("localhost")])
        }
    }

    /// The certificate in DER.
    var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return serializer.serializedBytes
        }
    }

    /// The certificate as NIOSSL has it.
    var forTLS: NIOSSLCertificate {
        get throws { try NIOSSLCertificate(bytes: der, format: .der) }
    }
}

/// The certificates in `Fixtures/certificates`, which `Scripts/make-bad-certificates` makes.
enum FixtureCertificate {
    /// Where one is, with its key.
    static func path(_ name: String) -> String { Fixture.path("certificates/\(name).pem") }

    /// What a server presents, its own certificate first.
    static func chain(_ name: String) throws -> [NIOSSLCertificate] {
        try NIOSSLCertificate.fromPEMFile(path(name))
    }

    /// What a server presents, and the CA that is to be trusted, in DER.
    static func chain(_ name: String, under ca: String) throws -> [[UInt8]] {
        try (chain(name) + chain(ca)).map { try $0.toDERBytes() }
    }
}
