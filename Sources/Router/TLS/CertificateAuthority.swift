import Crypto
import DeviceModel
import Foundation
import SwiftASN1
import X509

/// The router's own certificate authority, for routers that have no certificate from elsewhere: a CA that lasts, and a
/// server certificate that it renews.
///
/// In the folder `tls/`: `ca.pem` to give away, `ca.key`, `server.pem` and `server.key` to keep.
struct CertificateAuthority: Sendable {
    /// The CA's certificate, as it goes to devices and people.
    let certificate: Certificate
    private let key: P256.Signing.PrivateKey
    private let folder: String

    private static let caLifetime: TimeInterval = 10 * 365 * 86_400
    private static let serverLifetime: TimeInterval = 825 * 86_400
    /// A server certificate that ends within this time is renewed.
    private static let renewal: TimeInterval = 90 * 86_400
    /// How far clocks may be behind.
    private static let leeway: TimeInterval = 3_600

    /// Reads the CA, or makes one.
    ///
    /// - Parameters:
    ///   - folder: The folder `tls/`, made when it is not there.
    ///   - now: The present.
    /// - Throws: ``RouterProblem`` when the files can't be used.
    init(folder: String, now: Date) throws {
        self.folder = folder
        try SafeFile.makeFolder(folder)
        let (certificateFile, keyFile) = ("\(folder)/ca.pem", "\(folder)/ca.key")
        let (pem, keyPEM) = (try Self.text(certificateFile), try Self.text(keyFile))
        if pem != nil || keyPEM != nil {
            // Another CA in its place would lock every device and everybody out.
            guard let pem, let keyPEM, let read = Self.read(pem, keyPEM) else {
                throw RouterProblem(
                    .systemFailure, folder,
                    "\(certificateFile) and \(keyFile) are not both there and whole, or don't belong together: "
                        + "restore them from a backup, or remove both where no device knows this router yet")
            }
            (certificate, key) = read
        } else {
            let made = try Self.makeCA(now)
            (certificate, key) = made
            try SafeFile.write(key.pemRepresentation.utf8, to: keyFile)
            let pem = try certificate.serializeAsPEM().pemString + "\n"
            try SafeFile.write(pem.utf8, to: certificateFile, isPublic: true)
        }
    }

    /// SHA-256 over the CA's certificate (DER), as claim codes carry it.
    var digest: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return Digest.sha256(serializer.serializedBytes)
        }
    }

    /// Whether devices and people can trust it now, by their own clocks: it was not, where it was made with a wrong one.
    func isValid(at now: Date) -> Bool {
        certificate.notValidBefore <= now && now <= certificate.notValidAfter
    }

    /// From when to when it is valid, for people.
    var validity: String { "\(certificate.notValidBefore) to \(certificate.notValidAfter)" }

    /// The files of a server certificate that is good for some names: the one that is there, or a new one.
    ///
    /// - Parameters:
    ///   - names: Names and IP addresses by which the server is reached.
    ///   - now: The present.
    /// - Returns: The certificate with the CA's behind it, and its key.
    /// - Throws: ``RouterProblem`` when the files can't be used.
    func serverFiles(names: [String], now: Date) throws -> RouterSettings.CertificateFiles {
        let files = RouterSettings.CertificateFiles(chain: "\(folder)/server.pem", key: "\(folder)/server.key")
        if let pem = try Self.text(files.chain), let keyPEM = try Self.text(files.key),
            isGood(pem, keyPEM, for: names, at: now)
        {
            return files
        }
        let key = P256.Signing.PrivateKey()
        let server = try issue(key.publicKey, names: names, now: now)
        try SafeFile.write(key.pemRepresentation.utf8, to: files.key)
        let chain = try server.serializeAsPEM().pemString + "\n" + certificate.serializeAsPEM().pemString + "\n"
        try SafeFile.write(chain.utf8, to: files.chain, isPublic: true)
        return files
    }

    /// Signs a server's key.
    ///
    /// - Parameters:
    ///   - publicKey: The key.
    ///   - names: Names and IP addresses by which the server is reached.
    ///   - now: The present.
    /// - Returns: The certificate.
    /// - Throws: What swift-certificates throws for names that are none.
    func issue(_ publicKey: P256.Signing.PublicKey, names: [String], now: Date) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(publicKey),
            notValidBefore: now - Self.leeway, notValidAfter: now + Self.serverLifetime,
            issuer: certificate.subject, subject: DistinguishedName { CommonName("m2m-router") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(try names.map(GeneralName.init(nameOrAddress:)))
                AuthorityKeyIdentifier(keyIdentifier: Self.identifier(key.publicKey))
            },
            issuerPrivateKey: .init(key))
    }

    /// A certificate and its key; nil where they can't be read, or don't belong together.
    private static func read(_ pem: String, _ keyPEM: String) -> (Certificate, P256.Signing.PrivateKey)? {
        do {
            let certificate = try Certificate(pemEncoded: pem)
            let key = try P256.Signing.PrivateKey(pemRepresentation: keyPEM)
            return certificate.publicKey == Certificate.PublicKey(key.publicKey) ? (certificate, key) : nil
        } catch {
            return nil
        }
    }

    private func isGood(_ pem: String, _ keyPEM: String, for names: [String], at now: Date) -> Bool {
        guard let (server, _) = Self.read(Self.first(of: pem), keyPEM) else { return false }
        let wanted = try? names.map(GeneralName.init(nameOrAddress:))  // safe: what can't be read is made anew
        let has = try? server.extensions.subjectAlternativeNames  // safe: what can't be read is made anew
        guard let wanted, let has else { return false }
        guard certificate.publicKey.isValidSignature(server.signature, for: server), wanted.allSatisfy(has.contains)
        else { return false }
        // A clock that is outside the CA's own time is wrong, and says nothing against the server's certificate.
        guard isValid(at: now) else { return true }
        return server.notValidAfter > now + Self.renewal && server.notValidBefore <= now
    }

    /// The first of the certificates in a file.
    private static func first(of pem: String) -> String {
        let end = "-----END CERTIFICATE-----"
        return pem.range(of: end).map { String(pem[..<$0.upperBound]) } ?? pem
    }

    private static func makeCA(_ now: Date) throws -> (Certificate, P256.Signing.PrivateKey) {
        let key = P256.Signing.PrivateKey()
        // A name of its own, so that the CAs of two routers are not taken for each other.
        let name = try DistinguishedName {
            OrganizationName("m2m")
            CommonName("m2m router CA \([UInt8](Digest.sha256(key.publicKey.rawRepresentation).prefix(4)).hexadecimal)")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now - leeway, notValidAfter: now + caLifetime, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(keyIdentifier: identifier(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        return (certificate, key)
    }

    private static func text(_ path: String) throws(FileError) -> String? {
        try SafeFile.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func identifier(_ key: P256.Signing.PublicKey) -> ArraySlice<UInt8> {
        Digest.sha256(key.x963Representation).prefix(20)
    }
}

extension GeneralName {
    /// A host name or an IP address as it stands in a certificate.
    fileprivate init(nameOrAddress text: String) throws {
        if let bytes = IPAddress.bytes(text) {
            self = .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
        } else {
            self = .dnsName(text)
        }
    }
}
