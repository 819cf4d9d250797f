import DeviceModel
import Testing

@testable import Router

/// Promise: of passwords and codes only salted scrypt hashes are kept, and those of codes are worth nothing without the
/// pepper.
@Suite(.timeLimit(.minutes(1))) struct SecretHasherTests {
    private let hasher = SecretHasher(pepper: [1, 2, 3], rounds: 2)

    @Test("The right password is right, any other is not")
    func password() async throws {
        let hash = try await hasher.hash(password: "correct horse")
        #expect(try await hasher.isRight(password: "correct horse", hash))
        for wrong in ["", "correct horse ", "Correct horse", "correct hors"] {
            #expect(try await !hasher.isRight(password: wrong, hash), "\(wrong)")
        }
    }

    @Test("The right code is right, any other is not")
    func code() async throws {
        let hash = try await hasher.hash(code: "123456")
        #expect(try await hasher.isRight(code: "123456", hash))
        for wrong in ["", "123457", "12345", "1234560"] {
            #expect(try await !hasher.isRight(code: wrong, hash), "\(wrong)")
        }
    }

    @Test("Nothing is right against an account that is not there")
    func nothing() async throws {
        #expect(try await !hasher.isRight(password: "", nil))
        #expect(try await !hasher.isRight(password: "correct horse", nil))
        #expect(try await !hasher.isRight(code: "123456", nil))
    }

    @Test("One secret hashed twice gives two hashes")
    func salted() async throws {
        let first = try await hasher.hash(password: "correct horse")
        let second = try await hasher.hash(password: "correct horse")
        #expect(first.salt != second.salt)
        #expect(first.digest != second.digest)
    }

    @Test("Without this router's pepper the right code is wrong; passwords don't need it")
    func pepper() async throws {
        let other = SecretHasher(pepper: [1, 2, 4], rounds: 2)
        #expect(try await !other.isRight(code: "123456", try await hasher.hash(code: "123456")))
        #expect(try await other.isRight(password: "correct horse", try await hasher.hash(password: "correct horse")))
    }

    @Test("A code's hash is not that of a password of the same digits")
    func codeIsNoPassword() async throws {
        #expect(try await !hasher.isRight(password: "123456", try await hasher.hash(code: "123456")))
    }

    @Test("Passwords are hashed with scrypt as RFC 7914 describes it, with r = 8 and p = 1")
    func scrypt() async throws {
        // The third test vector of section 12, of which the first 32 of 64 bytes are wanted.
        let digest = try #require(
            [UInt8](hexadecimal: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
        let hash = SecretHasher.Hash(salt: Array("SodiumChloride".utf8), digest: digest)
        #expect(try await SecretHasher(pepper: [], rounds: 16_384).isRight(password: "pleaseletmein", hash))
        #expect(try await !hasher.isRight(password: "pleaseletmein", hash))
    }

    @Test("What is stored of a hash is read back; anything else is none")
    func bytes() async throws {
        let hash = try await hasher.hash(password: "correct horse")
        #expect(SecretHasher.Hash(bytes: hash.bytes) == hash)
        #expect(SecretHasher.Hash(bytes: Array(hash.bytes.dropLast())) == nil)
        #expect(SecretHasher.Hash(bytes: hash.bytes + [0]) == nil)
        #expect(SecretHasher.Hash(bytes: []) == nil)
    }

    @Test("A digest that is cut short is not taken for the whole")
    func shortDigest() async throws {
        var hash = try await hasher.hash(password: "correct horse")
        hash.digest.removeLast()
        #expect(try await !hasher.isRight(password: "correct horse", hash))
        hash.digest = []
        #expect(try await !hasher.isRight(password: "correct horse", hash))
    }
}
