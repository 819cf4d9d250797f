import Crypto
import DeviceModel
import FoundationEssentials
import Wire

/// The keys of those whose releases may change what the files of devices are meant to be.
public struct ReleaseKeys: Hashable, Sendable {
    private let keys: [[UInt8]]

    /// How the DER of an Ed25519 public key begins (RFC 8410, section 4): what follows are its 32 bytes.
    private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    private static let size = 32

    /// Nobody's.
    public static let none = Self(keys: [])

    private init(keys: [[UInt8]]) {
        self.keys = keys
    }

    /// - Parameter files: Public keys as PEM, such as `openssl pkey -pubout` gives them, one in each.
    /// - Throws: ``RouterProblem`` with the file that can't be read, or is no such key.
    public init(files: [String]) throws(RouterProblem) {
        var keys: [[UInt8]] = []
        for file in files {
            let bytes: [UInt8]?
            do throws(FileError) {
                bytes = try SafeFile.read(file)
            } catch {
                throw RouterProblem(.badRequest, file, "release_keys: \(error)")
            }
            guard let bytes else { throw RouterProblem(.badRequest, file, "release_keys: there is no file \(file)") }
            guard let key = Self.key(in: String(decoding: bytes, as: UTF8.self)) else {
                let words = "\(file) is no public Ed25519 key as PEM; `openssl pkey -in release.key -pubout` writes one"
                throw RouterProblem(.badRequest, file, "release_keys: \(words)")
            }
            keys.append(key)
        }
        self.init(keys: keys)
    }

    private static func key(in pem: String) -> [UInt8]? {
        let lines = pem.split(whereSeparator: \.isNewline)
        guard lines.first == "-----BEGIN PUBLIC KEY-----", lines.last == "-----END PUBLIC KEY-----",
            let der = Data(base64Encoded: lines.dropFirst().dropLast().joined()), der.count == prefix.count + size,
            der.starts(with: prefix)
        else { return nil }
        return [UInt8](der.suffix(size))
    }

    /// Checks that somebody has signed a manifest who may.
    ///
    /// - Parameter manifest: The manifest.
    /// - Throws: ``Failure`` where nobody has.
    func check(_ manifest: ReleaseManifest) throws(Failure) {
        guard !keys.isEmpty else {
            throw Failure(.notPermitted, "this router knows no release keys; `release_keys` in its configuration does")
        }
        let isSigned = keys.contains { key in
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key)  // safe: then it has signed nothing
            return key?.isValidSignature(manifest.signature, for: manifest.signed) ?? false
        }
        guard isSigned else {
            throw Failure(
                .notPermitted,
                "the signature of \(manifest.release) fits none of this router's release_keys: another key has signed it, or "
                    + "it was changed afterwards")
        }
    }
}
