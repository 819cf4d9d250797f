import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// Promise: a tree is watched where it really is, by whatever links one comes to it.
@Suite(.timeLimit(.minutes(1))) struct RoadsTests {
    private let folder: TemporaryDirectory
    private let top: FilePath

    init() throws {
        folder = try TemporaryDirectory()
        // Where it really is, should the temporary folder be behind a link itself.
        let path = try #require(realpath(folder.path, nil))
        defer { free(path) }
        top = FilePath(String(cString: path))
        for name in ["usr", "usr/bin", "other"] { mkdir(folder.file(name), 0o755) }
        symlink("usr/bin", folder.file("bin"))
        symlink("\(top)/bin/../bin", folder.file("usr/way"))
        symlink("loop", folder.file("loop"))
    }

    private func path(_ name: String) -> FilePath { FilePath("\(top)/\(name)") }

    private func news(
        _ roads: Roads, _ folder: String, _ name: String, isComing: Bool = false, isFolder: Bool = false,
        isWriting: Bool = false
    ) -> [FileNews] {
        roads.news(
            in: folder.isEmpty ? top : path(folder), Array(name.utf8)[...], isComing: isComing, isFolder: isFolder,
            isWriting: isWriting)
    }

    @Test("The folders are those on the way, and those to which links on it lead") func folders() {
        let roads = Roads(to: [path("usr/way/tool")])
        for name in ["usr", "usr/bin"] { #expect(roads.folders.contains(path(name)), "\(name)") }
        #expect(roads.folders.contains(top))
        #expect(roads.folders.contains(FilePath("/")))
        #expect(!roads.folders.contains(path("bin")))
        #expect(!roads.folders.contains(path("other")))
        // A loop is no way, and ends.
        #expect(!Roads(to: [path("loop/tool")]).folders.contains(path("loop")))
    }

    @Test("What happens on the way is news of the tree, by the name that people gave it") func news() {
        let root = path("bin/tool")
        let roads = Roads(to: [root])
        #expect(news(roads, "usr/bin", "tool") == [.changed(root)])
        #expect(news(roads, "usr/bin", "tool", isWriting: true) == [.written(root)])
        #expect(news(roads, "usr/bin", "tool", isComing: true, isFolder: true) == [.folderChanged(root)])
        #expect(news(roads, "usr/bin", "other", isComing: true).isEmpty)
        #expect(news(roads, "", "bin", isComing: true) == [.folderChanged(root)])
        #expect(news(roads, "", "usr", isComing: true, isFolder: true) == [.folderChanged(root)])
        // The permissions of a folder on the way are none of the tree's.
        #expect(news(roads, "", "usr", isFolder: true).isEmpty)
    }

    @Test("A file behind a link is noticed at once, wherever the link leads then", arguments: [true, false])
    func behindLink(isFolder: Bool) async throws {
        let tree = try WatchedTree(paths: [isFolder ? "link/" : "link/f"]) { tree in
            try tree.write("f", "before")
            symlink("tree", tree.folder.file("link"))
            mkdir(tree.folder.file("fake"), 0o755)
            try tree.folder.write("fake/f", "BEFORE")
        }
        let file = FilePath("\(tree.folder.path)/link\(isFolder ? "" : "/f")")
        try await tree.untilChecked()
        func changes() -> [FileChange] { tree.monitor.snapshot?.changes ?? [] }
        if !isFolder {
            try tree.write("f", "after!")
            try await tree.until { changes().contains { $0.path == file && $0.kinds == [.content] } }
            try tree.write("f", "before")
            try await tree.until { changes().isEmpty }
        }
        symlink("fake", tree.folder.file("new"))
        rename(tree.folder.file("new"), tree.folder.file("link"))
        try await tree.until { changes().contains { $0.path == file && $0.kinds == [.content] } }
        rename(tree.file("f"), tree.folder.file("fake/f"))
        if !isFolder { try await tree.until { changes().isEmpty } }
        await tree.stop()
    }
}
