import CCrypto
import CFiles
import DeviceModel
import Glibc

/// Reads what a baseline knows of a file: what the kernel says, and SHA-256 of what is in it.
///
/// One thread uses it; its buffer is there once.
final class FileReader {
    /// A file as it was found.
    struct Found {
        var entry: FileEntry
        var stamp: FileStamp
        /// How many names the file has.
        var links: UInt32
    }

    /// How many bytes are read at a time: what a processor's own cache holds.
    private static let portion = 131_072

    private let sizeLimit: UInt64
    /// Whether nobody waits for the end of what is being read.
    private let isGivenUp: () -> Bool
    private let hasher: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    /// How many bytes were read so far.
    private(set) var bytesRead: UInt64 = 0

    /// - Parameters:
    ///   - sizeLimit: The size in bytes from which on a file is not read.
    ///   - isGivenUp: Whether nobody waits for the end of what is being read.
    /// - Throws: ``FileError`` where there is no memory.
    init(sizeLimit: UInt64, isGivenUp: @escaping () -> Bool = { false }) throws(FileError) {
        self.sizeLimit = sizeLimit
        self.isGivenUp = isGivenUp
        guard let hasher = ccrypto_hasher_new() else { throw FileError("SHA-256", ENOMEM) }
        self.hasher = hasher
        buffer = .allocate(byteCount: Self.portion, alignment: 64)
    }

    deinit {
        ccrypto_hasher_free(hasher)
        buffer.deallocate()
    }

    /// Reads a file.
    ///
    /// - Parameter path: The file.
    /// - Returns: What it is; nil: it is not there, or not any more.
    func read(_ path: FilePath) -> Found? {
        guard case .success(let status) = cfiles_status.of(path) else { return nil }
        let isListable = status.kind != .folder || TreeWalk.isListable(path)
        return read(path, status, isListable: isListable)
    }

    /// Reads a file of which the kernel has said something already.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - status: What the kernel has said.
    ///   - isListable: Whether its names can be listed, where it is a folder.
    /// - Returns: What it is; nil: it is not there any more.
    func read(_ path: FilePath, _ status: cfiles_status, isListable: Bool) -> Found? {
        guard let kind = status.kind else { return nil }
        var entry = FileEntry(
            path: path, kind: kind, isMounted: status.is_mounted, mode: UInt16(status.mode & 0o7777),
            owner: status.owner, group: status.group)
        var stamp = FileStamp(status)
        switch kind {
        case .regular:
            guard let (size, content, seen) = contents(of: path, status) else { return nil }
            (entry.size, entry.content, stamp) = (size, content, seen)
        case .link:
            guard let target = target(of: path) else { return nil }
            entry.content = .target(target)
        case .folder: entry.content = isListable ? .none : .unreadable
        case .pipe, .socket, .characterDevice, .blockDevice: break
        }
        return Found(entry: entry, stamp: stamp, links: status.links)
    }

    private func contents(of path: FilePath, _ status: cfiles_status) -> (UInt64, FileContent, FileStamp)? {
        let file = path.withCString(cfiles_open)
        guard file >= 0 else {
            return -file == ENOENT || -file == ENOTDIR ? nil : (status.size, .unreadable, FileStamp(status))
        }
        defer { close(file) }
        var opened = cfiles_status()
        // Something else may have come in its place meanwhile: then there will be news of that, too.
        guard cfiles_status(file, "", &opened) == 0, opened.kind == .regular else {
            return (status.size, .unreadable, FileStamp(status))
        }
        let stamp = FileStamp(opened)
        guard opened.size <= sizeLimit else { return (opened.size, .tooLarge, stamp) }
        guard ccrypto_hasher_begin(hasher) else { return (opened.size, .unreadable, stamp) }
        switch hash(file, opened.size) {
        case .success(let size):
            return (size, .digest(SHA256Hash { ccrypto_hasher_end(hasher, $0) }), stamp)
        case .failure(SystemProblem(EFBIG)): return (opened.size, .tooLarge, stamp)
        case .failure(SystemProblem(EINTR)): return nil
        case .failure: return (opened.size, .unreadable, stamp)
        }
    }

    /// MD5 of what is in a regular file, in hexadecimal digits; nil where that can't be read.
    func md5(_ path: FilePath) -> String? {
        let file = path.withCString(cfiles_open)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var opened = cfiles_status()
        guard cfiles_status(file, "", &opened) == 0, opened.kind == .regular, ccrypto_hasher_begin_md5(hasher),
            case .success = hash(file, opened.size)
        else { return nil }
        let digest = SHA256Hash { ccrypto_hasher_end(hasher, $0) }
        return Array(digest.bytes.prefix(Int(CCRYPTO_MD5_SIZE))).hexadecimal
    }

    /// Hands all that is in a file to the hasher.
    ///
    /// - Parameters:
    ///   - file: The open file.
    ///   - expected: How many bytes there should be.
    /// - Returns: How many there were; `EFBIG` for too many, `EINTR` where nobody waits for the end any more.
    private func hash(_ file: Int32, _ expected: UInt64) -> Result<UInt64, SystemProblem> {
        cfiles_read_randomly(file)
        var size: UInt64 = 0
        while true {
            let count = cfiles_read(file, buffer.baseAddress, Self.portion, Int64(size))
            guard count >= 0 else { return .failure(SystemProblem(Int32(-count))) }
            size += UInt64(count)
            bytesRead += UInt64(count)
            guard size <= sizeLimit else { return .failure(SystemProblem(EFBIG)) }
            guard ccrypto_hasher_add(hasher, buffer.baseAddress, Int(count)) else {
                return .failure(SystemProblem(EIO))
            }
            // A short file needs no second call to come to its end.
            if count < Self.portion, size >= expected || count == 0 { return .success(size) }
            if size.isMultiple(of: 1 << 24), isGivenUp() { return .failure(SystemProblem(EINTR)) }
        }
    }

    private func target(of path: FilePath) -> [UInt8]? {
        guard let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
        let count = path.withCString { readlink($0, start, FilePath.limit) }
        guard count >= 0 else { return nil }
        return Array(buffer.prefix(count))
    }
}

/// SHA-256 of bytes, by libcrypto.
func sha256(_ bytes: [UInt8]) -> SHA256Hash {
    SHA256Hash { ccrypto_sha256(bytes, bytes.count, $0) }
}
