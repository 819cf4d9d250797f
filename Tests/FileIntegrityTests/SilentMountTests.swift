import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// Promise: what is mounted and never answers is told of, and stops neither the watch nor anybody else.
@Suite(
    .serialized, .timeLimit(.minutes(1)),
    .enabled(if: SilentMount.isPossible, "root mounts, by FUSE"))
struct SilentMountTests {
    @Test("Mounted over a folder of a tree it is noticed, and so is everything else", arguments: [true, false])
    func below(isFanotify: Bool) async throws {
        let tree = try WatchedTree(interval: .milliseconds(50), mode: isFanotify ? .automatic : .inotify) { tree in
            try tree.folder("over")
            try tree.write("over/hidden")
            try tree.write("other", "before")
        }
        try await tree.untilChecked()
        var mount: SilentMount? = try SilentMount(over: tree.file("over"))
        try await tree.until("over", is: .mount)
        #expect(mount != nil)
        try tree.write("other", "after")
        try await tree.until("other", is: .content)
        let changes = try #require(tree.monitor.snapshot).changes
        #expect(changes.map(\.kinds) == [[.content], [.mount]])
        mount = nil
        try await tree.until { tree.monitor.snapshot?.changes.count == 1 }
        await tree.stop()
    }

    @Test("Where a tree begins behind it, people are told what holds the watch up, and it ends in time") func above()
        async throws
    {
        let folder = try TemporaryDirectory()
        mkdir(folder.file("outer"), 0o755)
        var mount: SilentMount? = try SilentMount(over: folder.file("outer"))
        let tree = try WatchedTree(in: folder, paths: ["outer/inner"])
        let time = try SystemTime()
        try await tree.until { tree.monitor.stuck(at: time.now + .seconds(61)) != nil }
        #expect(mount != nil)
        let words = try #require(tree.monitor.stuck(at: time.now + .seconds(61))).words
        #expect(words.contains("\(folder.file("outer/inner")) does not come to an end"))
        #expect(tree.monitor.stuck(at: time.now) == nil)
        mount = nil
        await tree.stop()
    }
}
