import CCrypto
import CLinux
public import DeviceModel
import Glibc

/// The device's own Ed25519 key: made here, kept in a file that only this user can read, never sent anywhere.
public struct DeviceKey: Sendable, CustomStringConvertible {
    private let privateKey: [UInt8]
    /// The public key, 32 bytes.
    public let publicKey: [UInt8]

    private init(privateKey: [UInt8], path: String) throws(DeviceKeyError) {
        var publicKey = [UInt8](repeating: 0, count: Int(CCRYPTO_ED25519_KEY_SIZE))
        guard ccrypto_ed25519_public(privateKey, &publicKey) else { throw DeviceKeyError(path, .damaged) }
        self.privateKey = privateKey
        self.publicKey = publicKey
    }

    /// Reads the key from its file.
    ///
    /// - Parameter path: The file: PEM, PKCS #8.
    /// - Returns: nil when there is no such file.
    /// - Throws: ``DeviceKeyError`` when the file can't be read, or by too many.
    public static func load(_ path: String) throws(DeviceKeyError) -> DeviceKey? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw DeviceKeyError(path, .system(errno))
        }
        defer { close(file) }
        guard clinux_is_private(file) else { throw DeviceKeyError(path, .exposed) }
        var text = [CChar](repeating: 0, count: 4_096)
        let count = read(file, &text, text.count)
        guard count >= 0 else { throw DeviceKeyError(path, .system(errno)) }
        var key = [UInt8](repeating: 0, count: Int(CCRYPTO_ED25519_KEY_SIZE))
        guard ccrypto_ed25519_from_pem(text, count, &key) else { throw DeviceKeyError(path, .damaged) }
        return try DeviceKey(privateKey: key, path: path)
    }

    /// Makes a new key and writes it to its file.
    ///
    /// - Parameter path: The file, which must not exist.
    /// - Returns: The key.
    /// - Throws: ``DeviceKeyError`` when it can't be made or written.
    public static func create(_ path: String) throws(DeviceKeyError) -> DeviceKey {
        var key = [UInt8](repeating: 0, count: Int(CCRYPTO_ED25519_KEY_SIZE))
        var pem = [CChar](repeating: 0, count: Int(CCRYPTO_ED25519_PEM_SIZE))
        guard ccrypto_ed25519_generate(&key), ccrypto_ed25519_to_pem(key, &pem) else {
            throw DeviceKeyError(path, .noRandomness)
        }
        let text = pem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        do throws(FileError) {
            try SafeFile.write(text, to: path, isNew: true)
        } catch {
            throw DeviceKeyError(path, .system(error.errno))
        }
        return try DeviceKey(privateKey: key, path: path)
    }

    /// Signs a message (RFC 8032).
    ///
    /// - Parameter message: The message.
    /// - Returns: The signature, 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(CCRYPTO_ED25519_SIGNATURE_SIZE))
        guard ccrypto_ed25519_sign(privateKey, message, message.count, &signature) else {
            preconditionFailure("signing with a key that was read can only fail without memory")
        }
        return signature
    }

    /// What may be said of the key: its fingerprint.
    public var description: String { "device key \(fingerprint)" }

    /// The key as people compare it: the first 20 bytes of SHA-256 over the public key, in groups.
    public var fingerprint: String { Fingerprint.text(of: publicKey) }
}

/// SHA-256, and how people read one.
public enum Fingerprint {
    /// SHA-256.
    ///
    /// - Parameter bytes: What is hashed.
    /// - Returns: The digest, 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_SHA256_SIZE))
        guard ccrypto_sha256(bytes, bytes.count, &digest) else {
            preconditionFailure("SHA-256 can only fail without memory")
        }
        return digest
    }

    /// A digest as people compare it.
    ///
    /// - Parameter bytes: What is hashed.
    /// - Returns: The fingerprint, as ``KeyFingerprint`` writes it.
    public static func text(of bytes: [UInt8]) -> String {
        KeyFingerprint(digest: sha256(bytes)).description
    }
}

/// Why the device's key can't be used.
public struct DeviceKeyError: ExplainedError, Hashable {
    enum Problem: Hashable {
        case system(Int32)
        case damaged
        case exposed
        case noRandomness
    }

    /// The file.
    public let path: String
    let problem: Problem

    init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// The kind of failure.
    public var code: ErrorCode {
        switch problem {
        case .system(EACCES): .notPermitted
        case .exposed: .refused
        case .system, .damaged, .noRandomness: .systemFailure
        }
    }

    /// The file.
    public var resource: String { path }

    /// The failure in words.
    public var description: String {
        switch problem {
        case .system(let number): "the device's key \(path) cannot be used: \(errorText(number))"
        case .damaged: "\(path) holds no Ed25519 key; restore it, or remove it and enrol the device again"
        case .exposed:
            "\(path) can be read by others than its owner; `chmod 600 \(path)` if nobody has, else enrol again"
        case .noRandomness: "no key could be made for \(path): the system gives no random numbers"
        }
    }
}
