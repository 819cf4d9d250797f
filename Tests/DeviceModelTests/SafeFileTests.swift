import DeviceModel
import Glibc
import TestSupport
import Testing

/// Promises that a small file is replaced wholly or not at all, and that what stands where one should be is an error and
/// never keeps the program waiting.
@Suite(.timeLimit(.minutes(1))) struct SafeFileTests {
    @Test("A pipe or a folder in place of a file is an error, at once") func noFile() throws {
        let folder = try TemporaryDirectory()
        mkfifo(folder.file("pipe"), 0o600)
        mkdir(folder.file("folder"), 0o700)
        #expect(throws: FileError.self) { try SafeFile.read(folder.file("pipe")) }
        let error = #expect(throws: FileError.self) { try SafeFile.read(folder.file("folder")) }
        #expect(error?.errno == EISDIR)
        #expect(try SafeFile.read(folder.file("nothing")) == nil)
    }

    /// The text of a file; nil: there is none.
    private func text(_ path: String) throws -> String? {
        try SafeFile.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Which file this is.
    private func number(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    @Test("A file is replaced by another one: whoever has the old one open reads the old text to its end")
    func replaced() throws {
        let folder = try TemporaryDirectory()
        let (path, other) = (folder.file("table"), folder.file("other"))
        try SafeFile.write("old".utf8, to: path)
        #expect(link(path, other) == 0)  // another name for the same file
        try SafeFile.write("new".utf8, to: path)
        #expect(try text(path) == "new")
        #expect(try text(other) == "old")
        #expect(number(path) != number(other))
        #expect(!SafeFile.exists("\(path).new"))
    }

    @Test("Where the new file can't be made, the old one is as it was")
    func notReplaced() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("table")
        try SafeFile.write("old".utf8, to: path)
        #expect(mkdir("\(path).new", 0o700) == 0)
        let error = #expect(throws: FileError.self) { try SafeFile.write("new".utf8, to: path) }
        #expect(error?.path == path)
        #expect(try text(path) == "old")
    }

    @Test("What was left behind by a writer that died is in nobody's way")
    func leftBehind() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("table")
        try folder.write("table.new", "half of i")
        try SafeFile.write("new".utf8, to: path)
        #expect(try text(path) == "new")
        #expect(!SafeFile.exists("\(path).new"))
    }
}
