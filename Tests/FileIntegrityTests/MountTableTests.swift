import CFiles
import DeviceModel
import Testing

@testable import FileIntegrity

/// What is mounted where, by the kernel's word.
@Suite struct MountTableTests {
    private static let text = """
        25 1 8:1 / / rw,noatime shared:1 - nfs4 server:/root rw
        26 25 0:5 / /dev rw shared:2 master:3 - devtmpfs udev rw
        40 25 0:44 / /opt/app/my\\040files rw - fuse.sshfs me@there:/ rw
        41 25 0:45 / /opt/app/lib rw - ext4 /dev/sda2 rw
        42 41 0:46 / /opt/app/lib rw shared:9 - nfs4 server:/lib rw
        43 25 0:47 / /opt/app/data rw - nfs server:/data rw
        44 43 8:2 / /opt/app/data rw - ext4 /dev/sdb1 rw
        this is no mount
        """

    @Test("Only what lies on top below the beginning of a tree, and may never answer, is left alone")
    func remote() {
        let table = MountTable(Self.text)
        let root = FilePath("/opt/app")
        #expect(table.isRemote(FilePath("/opt/app/my files"), below: root))
        #expect(table.isRemote(FilePath("/opt/app/my files/deep/down"), below: root))
        #expect(table.isRemote(FilePath("/opt/app/lib"), below: root))
        #expect(!table.isRemote(FilePath("/opt/app/data/x"), below: root))
        #expect(!table.isRemote(FilePath("/opt/app/library"), below: root))
        #expect(!table.isRemote(FilePath("/opt/app"), below: root))
        // A tree that begins there was meant.
        #expect(!table.isRemote(FilePath("/opt/app/lib"), below: FilePath("/opt/app/lib")))
        #expect(!MountTable().isRemote(FilePath("/opt/app/lib"), below: root))
    }

    @Test("What may never answer is not touched, and said to be mounted")
    func untouched() throws {
        let table = MountTable(Self.text)
        // Nothing of it is there: whoever touched it would not find it.
        var walk = TreeWalk(FileTrees(["/opt/app"]), mounts: table, from: FilePath("/opt/app/lib"))
        let next = walk.next()
        let step = try #require(next)
        #expect(step.isRemote && step.status.is_mounted && step.status.kind == .folder)
        #expect(walk.next() == nil)
        let lib = FileEntry(path: FilePath("/opt/app/lib"), kind: .folder, mode: 0o755, owner: 1, group: 2)
        let file = FileEntry(path: FilePath("/opt/app/lib/a"), kind: .regular, mode: 0o644, owner: 0, group: 0)
        let checker = FileChecker(
            FileTrees(["/opt/app"]), watcher: nil, reader: try FileReader(sizeLimit: 1),
            baseline: Baseline([lib, file]), mounts: table)
        var findings: FileChecker.Findings = [:]
        checker.checkAll(from: lib.path, into: &findings)
        #expect(checker.check(file.path, into: &findings))
        #expect(findings.count == 1)
        let change = try #require(findings[lib.path] ?? nil)
        #expect(change.kinds == [.mount])
        #expect(change.text == "/opt/app/lib: something is mounted over it")
    }

    @Test("This machine has something mounted")
    func here() {
        // As root file systems go, this one may be anything.
        #expect(!MountTable.now().isRemote(FilePath("/nowhere")))
    }
}
