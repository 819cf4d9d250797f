import Crypto
import DeviceModel
import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Router

/// Promise: a CA that is damaged is an error that names its files and what to do, and is never replaced, because every
/// device trusts it; a server certificate that is damaged is simply made again.
@Suite(.timeLimit(.minutes(1))) struct DamagedCertificatesTests {
    private let directory: TemporaryDirectory
    private var folder: String { directory.file("tls") }
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        directory = try TemporaryDirectory()
        _ = try CertificateAuthority(folder: directory.file("tls"), now: now)
    }

    private func open() throws -> CertificateAuthority {
        try CertificateAuthority(folder: folder, now: now)
    }

    /// All that is in the CA's files.
    private func contents() throws -> [[UInt8]?] {
        try ["ca.pem", "ca.key"].map { try SafeFile.read("\(folder)/\($0)") }
    }

    /// Expects that the CA can't be used, and is left as it is.
    private func expectRefusal(naming name: String) throws {
        let before = try contents()
        #expect {
            _ = try open()
        } throws: {
            let words = ($0 as? any ExplainedError)?.description ?? ""
            return words.contains("\(folder)/\(name)") && words.contains("backup")
        }
        #expect(try contents() == before)
    }

    @Test("A damaged file of the CA is an error", arguments: ["ca.pem", "ca.key"], ["", "-----BEGIN", "rubbish"])
    func damaged(_ name: String, _ text: String) throws {
        try SafeFile.write(text.utf8, to: "\(folder)/\(name)")
        try expectRefusal(naming: name)
    }

    @Test("A file of the CA that is cut short is an error", arguments: ["ca.pem", "ca.key"])
    func cutShort(_ name: String) throws {
        let bytes = try #require(try SafeFile.read("\(folder)/\(name)"))
        try SafeFile.write(bytes.prefix(bytes.count / 2), to: "\(folder)/\(name)")
        try expectRefusal(naming: name)
    }

    @Test("One of the CA's two files without the other is an error", arguments: ["ca.pem", "ca.key"])
    func half(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        try expectRefusal(naming: name)
    }

    @Test("A CA's certificate with the key of another is an error")
    func otherKey() throws {
        try SafeFile.write(P256.Signing.PrivateKey().pemRepresentation.utf8, to: "\(folder)/ca.key")
        try expectRefusal(naming: "ca.key")
    }

    @Test("A folder that cannot be is an error that names it")
    func badFolder() throws {
        let file = try directory.write("file", "no folder")
        #expect {
            _ = try CertificateAuthority(folder: "\(file)/tls", now: now)
        } throws: {
            ($0 as? FileError)?.description.contains("\(file)/tls") == true
        }
    }

    @Test(
        "A server certificate that is damaged or gone is made again",
        arguments: ["server.pem", "server.key"], ["", "-----BEGIN", "rubbish", nil])
    func server(_ name: String, _ text: String?) throws {
        let authority = try open()
        _ = try authority.serverFiles(names: ["localhost"], now: now)
        if let text {
            try SafeFile.write(text.utf8, to: "\(folder)/\(name)")
        } else {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let files = try authority.serverFiles(names: ["localhost"], now: now)
        try expectPair(files)
    }

    @Test("A server key that belongs to another certificate is made again with its certificate")
    func otherServerKey() throws {
        let authority = try open()
        _ = try authority.serverFiles(names: ["localhost"], now: now)
        try SafeFile.write(P256.Signing.PrivateKey().pemRepresentation.utf8, to: "\(folder)/server.key")
        try expectPair(try authority.serverFiles(names: ["localhost"], now: now))
    }

    /// Expects a certificate and its key, as a server can use them.
    private func expectPair(_ files: RouterSettings.CertificateFiles) throws {
        let texts = try [files.chain, files.key].map {
            String(decoding: try #require(try SafeFile.read($0)), as: UTF8.self)
        }
        let server = try Certificate(
            pemDocument: try #require(try PEMDocument.parseMultiple(pemString: texts[0]).first))
        let key = try P256.Signing.PrivateKey(pemRepresentation: texts[1])
        #expect(server.publicKey == Certificate.PublicKey(key.publicKey))
    }
}
