import Crypto
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import Link

/// The device's key is made once, is for its owner's eyes only, and is never lost by anything that this program does.
@Suite struct DeviceKeyTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    private var path: String { folder.file("device.key") }

    private func mode(_ path: String) -> mode_t? {
        var entry = stat()
        return stat(path, &entry) == 0 ? entry.st_mode & 0o7777 : nil
    }

    /// The first key of RFC 8032, section 7.1, as `openssl genpkey` writes it.
    private static let known = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----

        """

    @Test("A key that was made is the same one when it is read again") func sameAfterReload() throws {
        let made = try DeviceKey.create(path)
        let read = try #require(try DeviceKey.load(path))
        #expect(read.publicKey == made.publicKey)
        #expect(read.fingerprint == made.fingerprint)
        #expect(read.sign([1, 2, 3]) == made.sign([1, 2, 3]))
        #expect(made.publicKey.count == 32)
    }

    @Test("Only its owner can read the file") func privateFile() throws {
        _ = try DeviceKey.create(path)
        #expect(mode(path) == 0o600)
    }

    @Test("No two keys are the same") func allDifferent() throws {
        let keys = try (1...20).map { try DeviceKey.create(folder.file("\($0).key")).publicKey }
        #expect(Set(keys).count == 20)
    }

    @Test("Where there is no file there is no key, and that is no error") func missing() throws {
        #expect(try DeviceKey.load(path) == nil)
        #expect(try DeviceKey.load(folder.file("no/folder/device.key")) == nil)
        #expect(mode(path) == nil)
    }

    @Test("What it signs another library accepts, and nothing else") func signature() throws {
        let key = try DeviceKey.create(path)
        let verifier = try Curve25519.Signing.PublicKey(rawRepresentation: key.publicKey)
        for message in [[], [0], Array("m2m/1 prove".utf8), [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
            let signature = key.sign(message)
            #expect(signature.count == 64)
            #expect(verifier.isValidSignature(signature, for: message))
            #expect(!verifier.isValidSignature(signature, for: message + [0]))
            var wrong = signature
            wrong[40] ^= 1
            #expect(!verifier.isValidSignature(wrong, for: message))
        }
    }

    @Test("A key that another program wrote signs as RFC 8032 says") func knownAnswer() throws {
        try folder.write("device.key", Self.known)
        chmod(path, 0o600)
        let key = try #require(try DeviceKey.load(path))
        #expect(
            key.publicKey.hexadecimal == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        #expect(
            key.sign([]).hexadecimal
                == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                + "d25bf5f0595bbe24655141438e7a100b")
        #expect(key.fingerprint == "21fe 31df a154 a261 626b f854 046f d227 1b7b ed4b")
    }

    @Test(
        "A file that others can read is refused, with what to do",
        arguments: [0o644, 0o640, 0o604, 0o620, 0o601, 0o666])
    func exposed(mode: mode_t) throws {
        let made = try DeviceKey.create(path)
        chmod(path, mode)
        let error = #expect(throws: DeviceKeyError.self) { try DeviceKey.load(path) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("chmod 600 \(path)") == true)
        #expect(error?.resource == path)
        #expect(error?.code == .refused)
        chmod(path, 0o600)
        #expect(try DeviceKey.load(path)?.publicKey == made.publicKey)
    }

    @Test("Fewer rights than usual are no reason to refuse it", arguments: [0o400, 0o700]) func narrow(mode: mode_t)
        throws
    {
        let made = try DeviceKey.create(path)
        chmod(path, mode)
        #expect(try DeviceKey.load(path)?.publicKey == made.publicKey)
    }

    @Test(
        "A damaged file is an error that names it, and is left as it is",
        arguments: [
            "", "\n", "nothing", "-----BEGIN PRIVATE KEY-----\n", String(known.dropLast(40)),
            known.replacing("MC4CAQAw", with: "MC4CAQAx"), known.replacing("BEGIN PRIVATE", with: "BEGIN PUBLIC"),
            String(repeating: "A", count: 10_000), P256.Signing.PrivateKey().pemRepresentation,
        ]) func damaged(text: String) throws
    {
        try folder.write("device.key", text)
        chmod(path, 0o600)
        let error = #expect(throws: DeviceKeyError.self) { try DeviceKey.load(path) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("enrol") == true)
        #expect(error?.code == .systemFailure)
        #expect(try SafeFile.read(path) == Array(text.utf8))
    }

    @Test("A folder in its place is an error, not a trap") func folderInItsPlace() throws {
        mkdir(path, 0o700)
        let error = #expect(throws: DeviceKeyError.self) { try DeviceKey.load(path) }
        #expect(error?.description.contains(path) == true)
    }

    @Test("Where no key can be written that is said, and nothing is left behind") func noFolder() {
        let path = folder.file("missing/device.key")
        let error = #expect(throws: DeviceKeyError.self) { try DeviceKey.create(path) }
        #expect(error?.description.contains("No such file or directory") == true)
        #expect(error?.resource == path)
        #expect(mode("\(path).new") == nil)
    }

    @Test("A key that is there is never written over") func neverOverwritten() throws {
        let made = try DeviceKey.create(path)
        #expect(throws: DeviceKeyError.self) { try DeviceKey.create(path) }
        #expect(try DeviceKey.load(path)?.publicKey == made.publicKey)
    }

    @Test("A fingerprint is what another library's SHA-256 gives") func fingerprint() throws {
        for count in [0, 1, 55, 56, 64, 1_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
            #expect(Fingerprint.sha256(bytes) == Array(SHA256.hash(data: bytes)))
            #expect(KeyFingerprint(digest: Fingerprint.sha256(bytes)).matches(Fingerprint.text(of: bytes)))
        }
    }
}
