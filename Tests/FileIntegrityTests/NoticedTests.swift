import DeviceManager
import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// Promise: each kind of change is noticed, a hundred times of a hundred, at once or by the next round.
@Suite(.timeLimit(.minutes(5))) struct NoticedTests {
    /// How something is done to the file with a number, and what it is called.
    struct Kind: CustomStringConvertible {
        let description: String
        let kind: FileChange.Kind
        /// What has to be there before.
        var prepare: @Sendable (WatchedTree, Int) throws -> Void = { try $0.write("f\($1)", "before") }
        let change: @Sendable (WatchedTree, Int) throws -> Void
        /// The file that is different then.
        var name: @Sendable (Int) -> String = { "f\($0)" }
    }

    private static let count = 100

    /// Seen as soon as they are made: no round comes in an hour.
    private static let atOnce: [Kind] = [
        Kind(description: "content", kind: .content) { try $0.write("f\($1)", "after") },
        Kind(description: "content of the same length", kind: .content) { try $0.write("f\($1)", "BEFORE") },
        Kind(description: "content, and the file stays open", kind: .content) { tree, number in
            let file = open(tree.file("f\(number)"), O_WRONLY | O_CLOEXEC)
            Glibc.write(file, "after", 5)  // closed by nobody while the test runs
        },
        Kind(description: "mode", kind: .mode) { chmod($0.file("f\($1)"), 0o4755) },
        Kind(description: "owner", kind: .owner) { chown($0.file("f\($1)"), 12, 34) },
        Kind(description: "replaced by rename", kind: .content) { tree, number in
            try tree.folder.write("new", "other")
            rename(tree.folder.file("new"), tree.file("f\(number)"))
        },
        Kind(
            description: "through a hard link that was there", kind: .content,
            prepare: { tree, number in
                try tree.write("f\(number)", "before")
                link(tree.file("f\(number)"), tree.folder.file("l\(number)"))
            },
            change: { try $0.folder.write("l\($1)", "after") }),
        Kind(
            description: "new file in a directory made a moment before", kind: .added, prepare: { _, _ in },
            change: { tree, number in
                try tree.folder("d\(number)")
                try tree.write("d\(number)/file")
            }, name: { "d\($0)/file" }),
        Kind(description: "deleted", kind: .removed) { unlink($0.file("f\($1)")) },
        Kind(description: "became a folder", kind: .type) { tree, number in
            unlink(tree.file("f\(number)"))
            try tree.folder("f\(number)")
        },
        Kind(
            description: "a symlink redirected", kind: .content,
            prepare: { symlink("a", $0.file("f\($1)")) },
            change: { tree, number in
                symlink("b", tree.file("new"))
                rename(tree.file("new"), tree.file("f\(number)"))
            }),
        Kind(
            description: "renamed", kind: .renamed, prepare: { try $0.write("f\($1)", "content \($1)") },
            change: { rename($0.file("f\($1)"), $0.file("g\($1)")) }, name: { "g\($0)" }),
        Kind(
            description: "a folder moved away", kind: .removed,
            prepare: { tree, number in
                try tree.folder("d\(number)")
                try tree.write("d\(number)/file", "content \(number)")
            },
            change: { rename($0.file("d\($1)"), $0.folder.file("d\($1)")) }, name: { "d\($0)/file" }),
        Kind(
            description: "a folder swapped for another one", kind: .content,
            prepare: { tree, number in
                try tree.folder("d\(number)")
                try tree.write("d\(number)/file", "content \(number)")
                mkdir(tree.folder.file("e\(number)"), 0o755)
                try tree.folder.write("e\(number)/file", "other \(number)")
            },
            change: { tree, number in
                rename(tree.file("d\(number)"), tree.folder.file("old\(number)"))
                rename(tree.folder.file("e\(number)"), tree.file("d\(number)"))
            }, name: { "d\($0)/file" }),
    ]

    /// Seen at once with fanotify, and by the next round with inotify.
    private static let byName: [Kind] = [
        Kind(
            description: "through a hard link that came later", kind: .content,
            change: { tree, number in
                link(tree.file("f\(number)"), tree.folder.file("l\(number)"))
                try tree.folder.write("l\(number)", "after")
            })
    ]

    /// What the kernel tells nobody of, so that the next round sees it.
    private static let byRound: [Kind] = [
        Kind(description: "mapped into memory and written", kind: .content) { tree, number in
            let file = open(tree.file("f\(number)"), O_RDWR | O_CLOEXEC)
            let bytes = mmap(nil, 6, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            close(file)
            bytes?.storeBytes(of: UInt8(ascii: "X"), as: UInt8.self)  // and stays mapped
        }
    ]

    @Test("at once, with inotify", arguments: atOnce) func inotify(kind: Kind) async throws {
        try await notice(kind, .inotify)
    }

    @Test(
        "at once, with fanotify, where this process may have it", .enabled(if: mayHaveFanotify),
        arguments: atOnce + byName)
    func fanotify(kind: Kind) async throws {
        try await notice(kind, .fanotify)
    }

    /// Whether this process may mark a whole file system.
    private static var mayHaveFanotify: Bool {
        do throws(FileError) {
            _ = try FanotifyWatcher(FileTrees(["/tmp"]))
            return true
        } catch {
            return false
        }
    }

    private func notice(_ kind: Kind, _ mode: AgentConfiguration.Integrity.Mode) async throws {
        let tree = try WatchedTree(mode: mode) { tree in
            for number in 0..<Self.count { try kind.prepare(tree, number) }
        }
        try await tree.untilChecked()
        #expect(tree.monitor.status.state == .intact)
        #expect(tree.monitor.status.mode == (mode == .inotify ? "inotify" : "fanotify"))
        for number in 0..<Self.count {
            try kind.change(tree, number)
            try await tree.until(kind.name(number), is: kind.kind)
        }
        #expect(tree.monitor.status.overflows == 0)
        await tree.stop()
    }

    @Test("by the next round", arguments: byRound + byName) func noticedByRound(kind: Kind) async throws {
        let tree = try WatchedTree(interval: .milliseconds(20)) { tree in
            for number in 0..<Self.count { try kind.prepare(tree, number) }
        }
        try await tree.untilChecked()
        for number in 0..<Self.count {
            try kind.change(tree, number)
            try await tree.until(kind.name(number), is: kind.kind)
        }
        await tree.stop()
    }

    @Test("more than the kernel keeps is noticed as such, and every change is found then") func overflow() async throws
    {
        let tree = try WatchedTree { tree in for number in 0..<20_000 { try tree.write("f\(number)", "before") } }
        try await tree.untilChecked()
        // While the thread waits to be heard it reads no news.
        tree.hold(after: { chmod(tree.file("f0"), 0o600) }) {
            for number in 1..<20_000 { chmod(tree.file("f\(number)"), 0o600) }
        }
        try await tree.until { tree.monitor.status.changes == 20_000 }
        #expect(tree.monitor.status.overflows >= 1)
        #expect(tree.events.contains { $0.name == "overflow" })
        #expect(tree.monitor.snapshot?.changes.allSatisfy { $0.kinds == [.mode] } == true)
        await tree.stop()
    }
}
