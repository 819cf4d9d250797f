import DeviceModel
import Foundation
import HALTestKit
import TestSupport
import Testing
import Wire

@testable import Router

/// Promise: no secret is in the database's files in the clear, and a file that can't be used is an error with words.
@Suite(.timeLimit(.minutes(1))) struct RouterStoreFileTests {
    private let time = ManualTime()
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    /// Everything that SQLite has written.
    private func bytes() throws -> Data {
        var bytes = Data()
        for name in ["router.db", "router.db-wal", "router.db-shm"] {
            bytes += try SafeFile.read(folder.file(name)) ?? []
        }
        return bytes
    }

    @Test("Passwords, security codes, tokens and claim codes are nowhere in the database's files")
    func secrets() async throws {
        let store = try RouterStore(path: folder.file("router.db"), time: time)
        let hasher = SecretHasher(pepper: Array("a pepper of this router".utf8), rounds: 2)
        try await store.addAccount(
            "ada-lovelace", password: try await hasher.hash(password: "correct horse battery"),
            code: try await hasher.hash(code: "273645"))
        let ada = try #require(try await store.account("ada-lovelace")).owner
        let audit = try AuditDesk(folder: folder.path, time: time)
        let (_, token) = try await LoginDesk(store: store, hasher: hasher, audit: audit, time: time).begin(ada)
        var generator = SeededGenerator(seed: 1)
        let claim = ClaimCode(caDigest: nil, using: &generator)
        _ = try await store.addClaim(ada, device: "greenhouse", secretHash: Digest.sha256(claim.secret.utf8))
        let bytes = try bytes()
        // What is not secret is found, so the search works.
        #expect(bytes.range(of: Data("ada-lovelace".utf8)) != nil)
        let tokenBytes = try #require([UInt8](hexadecimal: token))
        let secrets: [(String, Data)] = [
            ("password", Data("correct horse battery".utf8)), ("code", Data("273645".utf8)),
            ("token", Data(token.utf8)), ("token's bytes", Data(tokenBytes)),
            ("claim code", Data(claim.secret.utf8)), ("pepper", Data("a pepper of this router".utf8)),
        ]
        for (name, secret) in secrets { #expect(bytes.range(of: secret) == nil, "\(name)") }
    }

    @Test("A file that is no database is an error that names it and says what to do")
    func noDatabase() throws {
        let path = try folder.write("router.db", String(repeating: "this is no database\n", count: 500))
        #expect {
            try RouterStore(path: path, time: time)
        } throws: {
            let problem = $0 as? RouterProblem
            return problem?.code == .systemFailure
                && problem?.description == "\(path) is damaged; restore it from a backup"
        }
    }

    @Test("A folder that is not there is an error that names the file")
    func noFolder() throws {
        let path = folder.file("nowhere/router.db")
        #expect {
            try RouterStore(path: path, time: time)
        } throws: {
            let problem = $0 as? RouterProblem
            return problem?.code == .notPermitted && problem?.description.hasPrefix("\(path) cannot be used: ") == true
        }
    }

    @Test("What was stored is there after a restart")
    func restart() async throws {
        do {
            let store = try RouterStore(path: folder.file("router.db"), time: time)
            let ada = try await store.addOwner("ada")
            let device = try await store.addDevice("greenhouse", of: ada, key: Sample.key(1))
            _ = try await store.ingest(Sample.batch(Sample.readings(1...3)), from: device)
        }
        let store = try RouterStore(path: folder.file("router.db"), time: time)
        let ada = try #require(try await store.account("ada")).owner
        let device = try #require(try await store.device(key: Sample.key(1)))
        #expect(device.owner == ada)
        #expect(try await store.count("observations") == 3)
    }
}
