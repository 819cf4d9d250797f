import Crypto
import CryptoExtras
import DeviceModel
import FoundationEssentials

/// Turns passwords and security codes into what may be kept of them.
///
/// An actor because scrypt is made to need memory: one at a time, on a thread of its own, is what this machine has room
/// for, and what keeps a crowd of guesses from taking it all.
actor SecretHasher {
    /// What is kept of a secret: salt and scrypt.
    struct Hash: Hashable {
        static let saltSize = 16
        static let size = 32

        var salt: [UInt8]
        var digest: [UInt8]

        init(salt: [UInt8], digest: [UInt8]) {
            (self.salt, self.digest) = (salt, digest)
        }

        /// - Parameter bytes: The salt and the digest, as they are stored; nil for anything else.
        init?(bytes: [UInt8]) {
            guard bytes.count == Self.saltSize + Self.size else { return nil }
            (salt, digest) = (Array(bytes.prefix(Self.saltSize)), Array(bytes.suffix(Self.size)))
        }

        var bytes: [UInt8] { salt + digest }
    }

    private let pepper: SymmetricKey
    private let rounds: Int
    private let executor = BlockingExecutor(label: "m2m.scrypt")

    /// - Parameters:
    ///   - pepper: A secret that is kept outside the database and its backups.
    ///   - rounds: scrypt's N; its r is 8 and its p is 1 (RFC 7914).
    init(pepper: [UInt8], rounds: Int = 32_768) {
        self.pepper = SymmetricKey(data: pepper)
        self.rounds = rounds
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Hashes a password.
    func hash(password: String) throws -> Hash {
        try hash(Array(password.utf8), salt: Self.random(Hash.saltSize))
    }

    /// Hashes a security code: six digits are soon tried out, so the pepper goes in first.
    func hash(code: String) throws -> Hash {
        try hash(peppered(code), salt: Self.random(Hash.saltSize))
    }

    /// Whether a password is the one that was hashed; against nothing it takes as long, and is not.
    func isRight(password: String, _ hash: Hash?) throws -> Bool {
        try isRight(Array(password.utf8), hash)
    }

    /// Whether a security code is the one that was hashed.
    func isRight(code: String, _ hash: Hash?) throws -> Bool {
        try isRight(peppered(code), hash)
    }

    private func isRight(_ secret: [UInt8], _ hash: Hash?) throws -> Bool {
        let against = hash ?? Hash(salt: [UInt8](repeating: 0, count: Hash.saltSize), digest: [])
        let computed = try self.hash(secret, salt: against.salt).digest
        // Every byte is looked at, wherever the first difference is.
        let difference = zip(computed, against.digest).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return hash != nil && difference == 0 && computed.count == against.digest.count
    }

    private func hash(_ secret: [UInt8], salt: [UInt8]) throws -> Hash {
        let key = try KDF.Scrypt.deriveKey(
            from: secret, salt: salt, outputByteCount: Hash.size, rounds: rounds, blockSize: 8, parallelism: 1)
        return Hash(salt: salt, digest: key.withUnsafeBytes { Array($0) })
    }

    private func peppered(_ code: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(code.utf8), using: pepper))
    }

    /// Random bytes from the system.
    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// SHA-256, for what is random enough by itself.
enum Digest {
    static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(bytes)))
    }

    /// The same as a value that needs no memory of its own.
    static func of(_ bytes: [UInt8]) -> SHA256Hash {
        SHA256Hash { start in
            for (index, byte) in SHA256.hash(data: bytes).enumerated() { start[index] = byte }
        }
    }
}
