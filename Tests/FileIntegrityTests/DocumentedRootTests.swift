import DeviceModel
import TestSupport
import Testing

@testable import FileIntegrity

/// The roots in Docs/Protocol.md are those that the agent reckons.
@Suite struct DocumentedRootTests {
    @Test func roots() throws {
        let bytes = try #require(try SafeFile.read(Repository.path("Docs/Protocol.md")))
        let text = String(decoding: bytes, as: UTF8.self)
        let one = FileEntry(
            path: FilePath("/a"), kind: .regular, mode: 0o644, owner: 0, group: 0, size: 3,
            content: .digest(sha256(Array("abc".utf8))))
        let two = FileEntry(
            path: FilePath("/l"), kind: .link, mode: 0o777, owner: 0, group: 0, content: .target(Array("a".utf8)))
        for entries in [[one], [one, two]] {
            let root = MerkleTree.root(of: entries, sha256: sha256)
            #expect(text.contains("hex() == \"\(root)\""), "\(root)")
        }
    }
}
