import DeviceModel
import Glibc
import TestSupport
import Testing

@testable import FileIntegrity

@Suite struct FileReaderTests {
    /// A file of 4 MiB of which no page is in memory; nil where the disk of temporary files keeps them there.
    private static func cold(in folder: TemporaryDirectory) throws -> String? {
        let path = try folder.write("cold", String(repeating: "0123456789abcdef", count: 1 << 18))
        let file = open(path, O_RDWR)
        defer { close(file) }
        // The kernel lets go of pages when it has the time.
        for _ in 0..<100 where fsync(file) == 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 {
            if !resident(path).contains(true) { return path }
        }
        return nil
    }

    /// Whether that can be tried here.
    private static let isPossible: Bool = {
        guard let folder = try? TemporaryDirectory() else { return false }
        let path = try? cold(in: folder)
        return path.flatMap(\.self) != nil
    }()

    /// Which pages of a file are in memory (mincore(2)).
    private static func resident(_ path: String) -> [Bool] {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 0, let map = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), map != MAP_FAILED else { return [] }
        defer { munmap(map, size) }
        var pages = [UInt8](repeating: 0, count: (size + 4_095) / 4_096)
        guard mincore(map, size, &pages) == 0 else { return [] }
        return pages.map { $0 & 1 == 1 }
    }

    @Test(
        "A file that was read leaves the page cache as it was: what was in memory is, and what was not is not",
        .enabled(if: isPossible, "the disk of temporary files keeps them in memory"))
    func pageCache() throws {
        let folder = try TemporaryDirectory()
        let path = try #require(try Self.cold(in: folder))
        let file = open(path, O_RDONLY)
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM)
        var part = [UInt8](repeating: 0, count: 1 << 20)
        #expect(pread(file, &part, part.count, 1 << 20) == part.count)
        close(file)
        let before = Self.resident(path)
        #expect(before.contains(true) && before.contains(false))
        let found = try FileReader(sizeLimit: 1 << 30).read(FilePath(path)).found
        #expect(found?.entry.size == 4 << 20)
        let after = Self.resident(path)
        #expect(
            zip(before, after).allSatisfy { $0 == $1 },
            "\(before.count { $0 }) pages before, \(after.count { $0 }) after")
    }
}
