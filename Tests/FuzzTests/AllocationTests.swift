import FuzzTargets
import Glibc
import Testing

/// Promise: what announces 1 GiB gets no memory for it, and what nests 10 000 levels gets no stack.
@Suite(.timeLimit(.minutes(5))) struct AllocationTests {
    @Test("Frames of a few bytes that announce 1 GiB are refused where there is no memory for that")
    func announcements() async {
        await #expect(processExitsWith: .success) {
            // A process of its own: its memory is that of nobody else.
            let files = try FuzzTarget.all.map { target in
                (target: target, files: try Corpus.files(of: target).filter(\.isTooMuch))
            }
            #expect(files.flatMap(\.files).count > 100)
            let before = try Memory.peak()
            try Memory.limit(toMore: 268_435_456)
            #expect(Memory.isScarce(1_073_741_824))
            for (target, files) in files {
                for file in files { #expect(try target.check(file.bytes) != .read, "\(target.name): \(file.path)") }
            }
            #expect(try Memory.peak() - before < 67_108_864)
        }
    }
}

/// The memory of this process.
private enum Memory {
    /// How much there was at most in use, in bytes (`VmHWM`, proc(5)).
    static func peak() throws -> Int {
        try value("/proc/self/status", "VmHWM:") * 1_024
    }

    /// Lets the process have only so much more address space.
    static func limit(toMore count: Int) throws {
        let size = try value("/proc/self/status", "VmSize:") * 1_024
        let bound = rlimit(rlim_cur: rlim_t(size + count), rlim_max: rlim_t(size + count))
        try withUnsafePointer(to: bound) { bound in
            guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), bound) == 0 else { throw Trouble() }
        }
    }

    /// Whether there is not so much left.
    static func isScarce(_ count: Int) -> Bool {
        let region = mmap(nil, count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard region != MAP_FAILED else { return true }
        munmap(region, count)
        return false
    }

    private static func value(_ file: String, _ name: String) throws -> Int {
        guard let stream = fopen(file, "r") else { throw Trouble() }
        defer { fclose(stream) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), stream) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(whereSeparator: \.isWhitespace)
            if words.count > 1, words[0] == name, let value = Int(words[1]) { return value }
        }
        throw Trouble()
    }

    private struct Trouble: Error {}
}
