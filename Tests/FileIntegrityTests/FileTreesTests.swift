import DeviceModel
import TestSupport
import Testing

@testable import FileIntegrity

@Suite struct FileTreesTests {
    @Test("What does not begin with a slash begins with this process's folder, also what is left out")
    func relative() {
        let trees = FileTrees(["house/../house/garden"], excludes: ["house/garden/*.log"])
        let here = FilePath.current
        #expect(trees == FileTrees(["\(here)/house/garden"], excludes: ["\(here)/house/garden/*.log"]))
        #expect(trees.roots == [here.appending("house/garden".utf8)])
        #expect(trees.covers(here.appending("house/garden/rose".utf8)))
        #expect(!trees.covers(here.appending("house/garden/x.log".utf8)))
        #expect(!trees.covers(FilePath("house/garden/rose")))
    }

    @Test("A path at which there is nothing is named, until there is something", .timeLimit(.minutes(1)))
    func absent() async throws {
        let tree = try WatchedTree(paths: ["tree", "later"])
        try await tree.untilChecked()
        #expect(
            tree.monitor.status.problems.map { $0.hasPrefix("nothing is at \(tree.folder.file("later")) ") } == [true])
        try tree.folder.write("later", "text")
        try await tree.until { tree.monitor.status.problems.isEmpty && tree.monitor.status.changes == 1 }
        await tree.stop()
    }
}
