import DeviceModel
import Glibc
import TestSupport
import Testing

/// Promise: what stands where a small file should be is an error, and never keeps the program waiting.
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
}
