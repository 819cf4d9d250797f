import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// Promise: a baseline is of all files, or there is none.
@Suite struct BaselineMakerTests {
    private let folder: TemporaryDirectory
    private let trees: FileTrees

    init() throws {
        folder = try TemporaryDirectory()
        for name in ["a", "b", "c"] { try folder.write(name, name) }
        trees = FileTrees([folder.path])
    }

    private var walk: TreeWalk { TreeWalk(trees, mounts: MountTable()) }

    @Test("Every file is in it, in the order of a walk") func all() throws {
        let reader = try FileReader(sizeLimit: 1_024)
        let entries = try #require(BaselineMaker(reader: reader) { true }.entries(walk))
        #expect(
            entries.map(\.path)
                == [folder.path, folder.file("a"), folder.file("b"), folder.file("c")].map { FilePath($0) })
        #expect(entries.map(\.kind) == [.folder, .regular, .regular, .regular])
    }

    @Test("Told to stop before it is whole, it is none", arguments: 0..<4) func stopped(after count: Int) throws {
        let reader = try FileReader(sizeLimit: 1_024)
        var asked = 0
        let maker = BaselineMaker(reader: reader) {
            asked += 1
            return asked <= count
        }
        #expect(maker.entries(walk) == nil)
    }
}

/// What can't be looked at just now says nothing of the file.
@Suite struct UnknownFilesTests {
    /// F_SETLEASE in linux/fcntl.h, which Swift does not know.
    private static let setLease: Int32 = 1_024

    @Test("A file that somebody has borrowed for a moment is neither missing nor unreadable, and is looked at later")
    func borrowed() throws {
        let folder = try TemporaryDirectory()
        try folder.write("a", "text")
        let trees = FileTrees([folder.path])
        let reader = try FileReader(sizeLimit: 1_024)
        let entries = try #require(
            BaselineMaker(reader: reader) { true }.entries(TreeWalk(trees, mounts: MountTable())))
        let checker = FileChecker(
            trees, watcher: nil, reader: reader, baseline: Baseline(entries), mounts: MountTable())
        // Whoever opens it has to wait until the lease is given back; who does not wait is told so (fcntl(2)).
        signal(SIGIO, SIG_IGN)
        let file = open(folder.file("a"), O_RDWR | O_CLOEXEC)
        defer { close(file) }
        guard fcntl(file, Self.setLease, Int32(F_WRLCK)) == 0 else {
            throw HarnessError(description: "no lease: \(errorText(errno))")
        }
        var findings: FileChecker.Findings = [:]
        checker.checkAll(from: FilePath(folder.path), into: &findings)
        let isKnown = checker.check(FilePath(folder.file("a")), into: &findings)
        #expect(!isKnown)
        #expect(findings.isEmpty)
        #expect(checker.puzzles.keys.map(\.description) == [folder.file("a")])
        #expect(fcntl(file, Self.setLease, Int32(F_UNLCK)) == 0)
        checker.checkAll(from: FilePath(folder.path), into: &findings)
        #expect(findings.isEmpty)
        #expect(checker.puzzles.isEmpty)
    }
}
