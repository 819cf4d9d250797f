import DeviceModel
import TestSupport
import Testing

/// Files as a baseline knows them: their order, their bytes, the root over them, and how two lists differ.
@Suite struct FileListTests {
    private static func entry(_ path: String, _ content: FileContent = .none, size: UInt64 = 0) -> FileEntry {
        FileEntry(path: FilePath(path), kind: .regular, mode: 0o644, owner: 1, group: 2, size: size, content: content)
    }

    private static func digest(_ byte: UInt8) -> FileContent { .digest(SHA256Hash { $0.pointee = byte }) }

    /// One of each kind, each with another content.
    private static let every: [FileEntry] = [
        FileEntry(path: FilePath("/"), kind: .folder, isMounted: true, mode: 0o755, owner: 0, group: 0),
        entry("/a", digest(1), size: 7),
        FileEntry(
            path: FilePath("/a-b"), kind: .link, mode: 0o777, owner: .max, group: 0, content: .target([0xFF, 0x2F])),
        entry("/b", .tooLarge, size: .max), entry("/c", .unreadable),
        FileEntry(path: FilePath(bytes: [0x2F, 0xC3, 0x28]), kind: .pipe, mode: 0o7777, owner: 0, group: .max),
    ]

    @Test("A folder goes before what is in it, and that before what only begins with its name")
    func order() {
        let names = ["/", "/a", "/a/b", "/a/b/c", "/a-b", "/a.b", "/a0", "/ab"].map { FilePath($0) }
        #expect(names.shuffled().sorted() == names)
    }

    @Test("What is no text is written so that it can be read, and commands no terminal")
    func words() {
        #expect(FilePath(bytes: [0x2F, 0xC3, 0x28]).description == "/\\xc3(")
        #expect(FilePath("/ä\u{1B}[31m\n\\").description == "/ä\\x1b[31m\\x0a\\\\")
        #expect(FilePath("/\u{202E}x").description == "/\\xe2\\x80\\xaex")
        #expect(FilePath("/a/").bytes == FilePath("/a").bytes)
    }

    @Test("Bytes come back as what they were; cut, longer or out of order they are nothing")
    func bytes() throws {
        let bytes = FileList(Self.every).bytes
        #expect(FileList(bytes: bytes)?.entries == Self.every)
        #expect(FileList(bytes: bytes + [0]) == nil)
        #expect(FileList(bytes: FileList(Self.every.reversed()).bytes) == nil)
        for count in 1..<bytes.count where FileList(bytes: bytes.prefix(count))?.entries.count ?? 0 == Self.every.count
        {
            Issue.record("\(count) bytes are enough")
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            _ = FileList(bytes: damaged)  // whatever it is, it does not trap
        }
    }

    /// A stand-in for SHA-256 that tells what it was given.
    private static func sum(_ bytes: [UInt8]) -> SHA256Hash {
        let number = Checksum.of(bytes.hexadecimal).value
        return SHA256Hash { start in
            for index in 0..<8 { start[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        }
    }

    /// The tree as RFC 9162, section 2.1.1, defines it: split at the biggest power of two that is smaller.
    private static func defined(_ leaves: ArraySlice<[UInt8]>) -> SHA256Hash {
        guard leaves.count > 1 else { return sum(leaves.first.map { [0] + $0 } ?? []) }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let middle = leaves.startIndex + half
        return sum([1] + defined(leaves[..<middle]).bytes + defined(leaves[middle...]).bytes)
    }

    @Test("The root is the one of RFC 9162, whatever the number of files")
    func root() {
        for count in 0..<40 {
            let entries = (0..<count).map { Self.entry("/\($0 + 100)", Self.digest(UInt8($0))) }
            let leaves = entries.map { $0.leaf + $0.path.bytes }
            #expect(MerkleTree.root(of: entries, sha256: Self.sum) == Self.defined(leaves[...]), "\(count)")
        }
    }

    @Test("A root tells apart whatever a baseline knows")
    func rootDiffers() {
        let entry = Self.entry("/a", Self.digest(1), size: 7)
        var others: [FileEntry] = []
        var other = entry
        other.mode = 0o755
        others.append(other)
        other = entry
        other.owner = 9
        others.append(other)
        other = entry
        other.group = 9
        others.append(other)
        other = entry
        other.isMounted = true
        others.append(other)
        other = entry
        other.size = 8
        others.append(other)
        others += [Self.entry("/b", Self.digest(1), size: 7), Self.entry("/a", Self.digest(2), size: 7)]
        let roots = Set(([entry] + others).map { MerkleTree.root(of: [$0], sha256: Self.sum) })
        #expect(roots.count == others.count + 1)
    }

    @Test("Changes are called what they are, and made to a list they give the other one")
    func changes() {
        let before = [
            Self.entry("/a", Self.digest(1), size: 1), Self.entry("/b", Self.digest(2), size: 2),
            Self.entry("/c", Self.digest(3), size: 3), Self.entry("/d", Self.digest(4), size: 4),
        ]
        var mode = before[1]
        mode.mode = 0o600
        mode.owner = 0
        var moved = before[2]
        moved.path = FilePath("/e")
        let after = [before[0], mode, moved, Self.entry("/f", Self.digest(9), size: 9)]
        let changes = FileChange.all(from: before, to: after)
        #expect(changes.map(\.path) == ["/b", "/d", "/e", "/f"].map { FilePath($0) })
        #expect(changes.map(\.kinds) == [[.mode, .owner], [.removed], [.renamed], [.added]])
        #expect(changes[2].from == FilePath("/c"))
        #expect(FileChange.apply(changes, to: before) == after)
        #expect(FileChange.apply(FileChange.all(from: [], to: after), to: []) == after)
        #expect(FileChange.apply(FileChange.all(from: after, to: []), to: after).isEmpty)
        #expect(changes[0].text == "/b: mode 0644 -> 0600, owner 1:2 -> 0:2")
        #expect(changes[2].text == "/e: renamed, it was /c")
    }

    @Test("What was readable and is so no more is called so, and no change of content")
    func unreadable() {
        let before = Self.entry("/a", Self.digest(1), size: 1)
        let now = Self.entry("/a", .unreadable, size: 1)
        #expect(FileChange.between(before, now)?.kinds == [.unreadable])
        #expect(FileChange.between(now, before)?.kinds == [.unreadable])
        #expect(FileChange.between(before, Self.entry("/a", .unreadable, size: 2))?.kinds == [.content, .unreadable])
    }
}
