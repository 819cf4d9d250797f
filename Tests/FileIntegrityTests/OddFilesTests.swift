import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// Promise: whatever lies in a folder is called what it is, and nothing of it stops the watch.
@Suite(.timeLimit(.minutes(1))) struct OddFilesTests {
    private func entry(_ name: String, of tree: WatchedTree) -> FileEntry? {
        tree.monitor.snapshot?.entries.first { $0.path == tree.path(name) }
    }

    @Test("Pipes, sockets, devices, loops of links, long and broken names: all are there, none is opened")
    func odd() async throws {
        let long = String(repeating: "x", count: 255)
        let tree = try WatchedTree { tree in
            mkfifo(tree.file("pipe"), 0o600)
            symlink("loop2", tree.file("loop1"))
            symlink("loop1", tree.file("loop2"))
            symlink(".", tree.file("self"))
            symlink("/nowhere/at/all", tree.file("dangling"))
            try tree.write(long)
            let broken = tree.path("").appending([0xC3, 0x28, 0xFF, 0x0A])
            close(broken.withCString { open($0, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600) })
            var deep = "deep"
            for _ in 0..<200 {
                try tree.folder(deep)
                deep += "/deep"
            }
        }
        try await tree.untilChecked()
        let socket = try UnixSocket.bound(tree.file("socket"), type: Int32(SOCK_STREAM.rawValue))
        try await tree.until("socket", is: .added)
        #expect(entry("pipe", of: tree)?.kind == .pipe)
        #expect(entry("socket", of: tree)?.kind == .socket)
        #expect(entry("loop1", of: tree)?.content == .target(Array("loop2".utf8)))
        #expect(entry("self", of: tree)?.kind == .link)
        #expect(entry("dangling", of: tree)?.kind == .link)
        #expect(entry(long, of: tree)?.kind == .regular)
        let names = try #require(tree.monitor.snapshot).entries.map(\.path)
        #expect(names.contains { $0.name.elementsEqual([0xC3, 0x28, 0xFF, 0x0A]) })
        #expect(names.count { $0.description.hasSuffix("/deep") } == 200)
        close(socket)
        await tree.stop()
    }

    @Test("Of a file that is too big only what can be had without reading it is compared")
    func enormous() async throws {
        let tree = try WatchedTree { tree in
            try tree.write("big")
            truncate(tree.file("big"), 1 << 40)  // with a hole in it, as big as a terabyte
        }
        try await tree.untilChecked()
        #expect(entry("big", of: tree)?.content == .tooLarge)
        #expect(entry("big", of: tree)?.size == 1 << 40)
        truncate(tree.file("big"), 1 << 39)
        try await tree.until("big", is: .content)
        await tree.stop()
    }

    @Test("A file that always comes and goes stops nothing, and another one is noticed meanwhile")
    func vanishing() async throws {
        let tree = try WatchedTree(interval: .milliseconds(20)) { tree in try tree.write("steady") }
        try await tree.untilChecked()
        let restless = Task {
            while !Task.isCancelled {
                try tree.write("restless")
                unlink(tree.file("restless"))
                await Task.yield()
            }
        }
        try tree.write("steady", "changed")
        try await tree.until("steady", is: .content)
        restless.cancel()
        _ = await restless.result
        unlink(tree.file("restless"))
        try await tree.until { tree.monitor.status.changes == 1 }
        await tree.stop()
    }

    @Test("What can't be read is called so")
    func unreadable() async throws {
        let reader = try FileReader(sizeLimit: 1_024)
        let folder = try TemporaryDirectory()
        // Not even root reads the memory of nobody at the address 0.
        #expect(reader.read(FilePath("/proc/self/mem")).found?.entry.content == .unreadable)
        guard case .missing = reader.read(FilePath(folder.file("none"))) else {
            Issue.record("what is not there was found")
            return
        }
        try folder.write("big", String(repeating: "x", count: 1_025))
        #expect(reader.read(FilePath(folder.file("big"))).found?.entry.content == .tooLarge)
        // A file without an end that says it is empty.
        #expect(reader.read(FilePath("/proc/kallsyms")).found?.entry.content == .tooLarge)
    }

    @Test("A digest is the one that everybody has")
    func digest() throws {
        let folder = try TemporaryDirectory()
        try folder.write("abc", "abc")
        let found = try FileReader(sizeLimit: 1_024).read(FilePath(folder.file("abc"))).found
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  // FIPS 180-4, its example
        #expect(found?.entry.content == SHA256Hash(bytes: [UInt8](hexadecimal: known) ?? []).map(FileContent.digest))
        #expect(found?.entry.size == 3)
        let many = String(repeating: "x", count: 300_000)
        try folder.write("many", many)
        let big = try FileReader(sizeLimit: 1 << 20).read(FilePath(folder.file("many"))).found
        #expect(big?.entry.content == .digest(sha256(Array(many.utf8))))
    }

    @Test("What is left out is not looked at, however it changes")
    func excluded() async throws {
        let folder = try TemporaryDirectory()
        let trees = FileTrees(
            [folder.path, folder.file("sub"), folder.file("sub/.././/")], excludes: ["/*/cache", folder.file("*.log")])
        #expect(trees.roots == [FilePath(folder.path)])
        #expect(trees.covers(FilePath(folder.file("a"))))
        #expect(!trees.covers(FilePath(folder.file("cache/deep/a"))))
        #expect(!trees.covers(FilePath(folder.file("sub/x.log"))))
        #expect(!trees.covers(FilePath("\(folder.path)-other")))
        try folder.write("x.log", "")
        try folder.write("y", "")
        var walk = TreeWalk(trees, mounts: MountTable())
        var names: [String] = []
        while let step = walk.next() { names.append(step.path.description) }
        #expect(names == [folder.path, folder.file("y")])
    }
}
