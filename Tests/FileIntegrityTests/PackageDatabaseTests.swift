import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

/// What Debian's packages say of files, from what dpkg writes down.
@Suite struct PackageDatabaseTests {
    private let folder: TemporaryDirectory
    private let database: PackageDatabase

    init() throws {
        folder = try TemporaryDirectory()
        mkdir(folder.file("info"), 0o755)
        try folder.write(
            "info/gzip.md5sums",
            "0123456789abcdef0123456789abcdef  bin/gzip\nfedcba9876543210fedcba9876543210  usr/share/doc/gzip/a b\n")
        try folder.write("info/libc6:amd64.md5sums", "11111111111111111111111111111111  usr/lib/libc.so\n")
        try folder.write("info/gzip.list", "/bin/gzip\n")
        try folder.write("info/broken.md5sums", "short\n\n\n")
        try folder.write(
            "status",
            """
            Package: gzip
            Version: 1.12-1
            Conffiles:
             /etc/gzip.conf 22222222222222222222222222222222
             /etc/old.conf 33333333333333333333333333333333 obsolete
            Description: none

            Package: libc6
            Version: 2.36-9

            """)
        database = PackageDatabase(folder.path)
    }

    @Test("A file is found as it is called today and as its package calls it; a configuration file, too")
    func owners() {
        let paths = ["/usr/bin/gzip", "/usr/share/doc/gzip/a b", "/usr/lib/libc.so", "/etc/gzip.conf", "/etc/other"]
        let owners = database.owners(of: Set(paths.map { FilePath($0) }))
        #expect(owners.count == 4)
        #expect(owners[FilePath("/usr/bin/gzip")]?.md5 == "0123456789abcdef0123456789abcdef")
        #expect(owners[FilePath("/usr/lib/libc.so")]?.package == "libc6")
        #expect(owners[FilePath("/etc/gzip.conf")]?.md5 == "22222222222222222222222222222222")
    }

    @Test("A file is said to match its package, or not to, with the version that is installed")
    func remarks() {
        let gzip = FilePath("/usr/bin/gzip")
        let good = database.remarks(on: [gzip]) { _ in "0123456789abcdef0123456789abcdef" }
        #expect(good == [gzip: PackageRemark(matches: true, words: "it matches its package gzip 1.12-1")])
        let bad = database.remarks(on: [gzip, FilePath("/nobody")]) { _ in "f" }
        #expect(bad == [gzip: PackageRemark(matches: false, words: "it is not as in its package gzip 1.12-1")])
    }

    @Test("MD5 is the one that everybody has")
    func md5() throws {
        let path = try folder.write("new", "new")
        #expect(try FileReader(sizeLimit: 1_024).md5(FilePath(path)) == "22af645d1859cb5ca6da0c484f1f37ea")
    }

    @Test("Where there is no such database nothing is said")
    func nothing() {
        #expect(PackageDatabase("/nowhere").remarks(on: [FilePath("/usr/bin/gzip")]) { _ in nil }.isEmpty)
    }

    @Test("Who did not match at first is asked about again when the update has had its time")
    func again() throws {
        // A file that every machine has, and that a package may have.
        let file = FilePath("/etc/hostname")
        let md5 = try #require(try FileReader(sizeLimit: 1 << 20).md5(file))
        try folder.write("info/gzip.md5sums", "\(String(repeating: "0", count: 32))  etc/hostname\n")
        var opinions = SecondOpinions()
        func ask(_ files: Set<FilePath>) -> [FileChange] {
            opinions.heard(database.remarks(on: files) { true })
        }
        let entry = FileEntry(path: file, kind: .regular, mode: 0, owner: 0, group: 0)
        let change = FileChange(path: file, kinds: [.content], before: entry, now: entry)
        func second(_ number: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: number * 1_000_000_000) }
        let first = opinions.remember([change], at: second(0))
        #expect(first == [file])
        let none = ask([file])
        #expect(none.isEmpty)
        #expect(opinions.remarks[file]?.hasPrefix("it is not as in its package gzip") == true)
        let early = opinions.due(at: second(19))
        #expect(early.isEmpty)
        try folder.write("info/gzip.md5sums", "\(md5)  etc/hostname\n")
        // Not again at once: it takes its time.
        let soon = opinions.remember([change], at: second(4))
        let due = opinions.due(at: second(24))
        #expect(soon.isEmpty && due == [file])
        let explained = ask([file])
        #expect(explained.map(\.path) == [file])
        #expect(explained.first?.remark?.hasPrefix("it matches its package gzip") == true)
        #expect(opinions.deadline == nil)
        let later = opinions.remember([change], at: second(40))
        #expect(later == [file])
        // It has changed once more, and matches again.
        let known = ask([file])
        #expect(known.map(\.path) == [file])
        let elsewhere = FileChange(path: FilePath("/tmp/x"), kinds: [.added])
        opinions.keep { _ in false }
        let forgotten = opinions.due(at: second(60))
        // It matched, and is not asked about again while it waits.
        #expect(forgotten.isEmpty)
        let nowhere = opinions.remember([elsewhere], at: second(80))
        #expect(nowhere.isEmpty)
        opinions.keep { _ in false }
        #expect(opinions.remarks.isEmpty)
    }
}
