import Crypto
import DeviceModel
import FoundationEssentials
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: what watched files are meant to be is changed by a release only where somebody has signed it who may.
@Suite struct ReleaseKeysTests {
    private let folder: TemporaryDirectory
    private let key = Curve25519.Signing.PrivateKey()

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func pem(_ key: Curve25519.Signing.PublicKey) -> String {
        let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
        let der = Data(prefix + key.rawRepresentation)
        return "-----BEGIN PUBLIC KEY-----\n\(der.base64EncodedString())\n-----END PUBLIC KEY-----\n"
    }

    private func signed(by key: Curve25519.Signing.PrivateKey) throws -> ReleaseManifest {
        let file = FileEntry(path: FilePath("/a"), kind: .folder, mode: 0o755, owner: 0, group: 0)
        var manifest = ReleaseManifest(
            release: "m2m 0.2.0", changes: [FileChange(path: file.path, kinds: [.added], now: file)])
        manifest.signature = [UInt8](try key.signature(for: manifest.signed))
        return manifest
    }

    @Test("Each of several keys may sign; another one may not, and nobody may for something else") func signature()
        throws
    {
        let other = Curve25519.Signing.PrivateKey()
        try folder.write("one", pem(other.publicKey))
        try folder.write("two", pem(key.publicKey))
        let keys = try ReleaseKeys(files: [folder.file("one"), folder.file("two")])
        var manifest = try signed(by: key)
        try keys.check(manifest)
        try keys.check(try signed(by: other))
        let stranger = try signed(by: Curve25519.Signing.PrivateKey())
        #expect(throws: Failure.self) { try keys.check(stranger) }
        manifest.release = "m2m 0.3.0"
        let error = #expect(throws: Failure.self) { try keys.check(manifest) }
        #expect(
            error?.message
                == "the signature of m2m 0.3.0 fits none of this router's release_keys: another key has signed it, or "
                + "it was changed afterwards")
    }

    @Test("Without keys no release counts") func none() throws {
        let manifest = try signed(by: key)
        let error = #expect(throws: Failure.self) { try ReleaseKeys.none.check(manifest) }
        #expect(error?.code == .notPermitted)
    }

    @Test("The key of RFC 8410, section 10.1, as openssl writes it") func known() throws {
        try folder.write(
            "key",
            """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
            -----END PUBLIC KEY-----
            """)
        #expect(try ReleaseKeys(files: [folder.file("key")]) != .none)
    }

    @Test(
        "What is no such key is named",
        arguments: ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
    func wrong(text: String) throws {
        try folder.write("key", text)
        let error = #expect(throws: RouterProblem.self) { try ReleaseKeys(files: [folder.file("key")]) }
        #expect(error?.description.contains(folder.file("key")) == true)
        #expect(error?.description.contains("is no public Ed25519 key as PEM") == true)
    }

    @Test("A file that is not there is named") func missing() {
        let error = #expect(throws: RouterProblem.self) { try ReleaseKeys(files: ["/nowhere/release.pub"]) }
        #expect(error?.description.contains("/nowhere/release.pub") == true)
    }
}
