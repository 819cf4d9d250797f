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

    /// What came of a look at a file.
    enum Look {
        case found(Found)
        /// It is not there, or not any more.
        case missing
        /// It could not be looked at just now: that says nothing of the file, and is to be tried again.
        case unknown(SystemProblem)
        /// Nobody lets it be looked at.
        case denied

        /// What comes of an error number.
        init(_ problem: SystemProblem) {
            switch problem.errno {
            case ENOENT, ENOTDIR: self = .missing
            case let errno: self = FileReader.passing.contains(errno) ? .unknown(problem) : .denied
            }
        }

        /// What it is; nil: it is not there, or that is not known.
        var found: Found? {
            if case .found(let found) = self { found } else { nil }
        }

        /// Whether there is nothing.
        var isMissing: Bool {
            if case .missing = self { true } else { false }
        }

        /// Whether nothing is known.
        var isUnknown: Bool {
            if case .unknown = self { true } else { false }
        }
    }

    /// How many bytes are read at a time: what a processor's own cache holds.
    private static let portion = 131_072
    /// After how many portions somebody is asked whether they still wait for the end.
    private static let question = 64
    /// What the system says where it is short of something, or somebody has borrowed the file for a moment (a lease).
    static let passing: Set<Int32> = [EAGAIN, EMFILE, ENFILE, ENOMEM, EINTR]

    private let sizeLimit: UInt64
    /// Told which file is being looked at; whether somebody still waits for the end of it.
    private let goesOn: (FilePath) -> Bool
    private let hasher: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    /// How many bytes were read so far.
    private(set) var bytesRead: UInt64 = 0

    /// - Parameters:
    ///   - sizeLimit: The size in bytes from which on a file is not read.
    ///   - goesOn: Told which file is being looked at, before it is, and every few megabytes; whether somebody still
    ///     waits for the end of it.
    /// - Throws: ``FileError`` where there is no memory.
    init(sizeLimit: UInt64, goesOn: @escaping (FilePath) -> Bool = { _ in true }) throws(FileError) {
        self.sizeLimit = sizeLimit
        self.goesOn = goesOn
        guard let hasher = ccrypto_hasher_new() else { throw FileError("SHA-256", ENOMEM) }
        self.hasher = hasher
        buffer = .allocate(byteCount: Self.portion, alignment: 64)
    }

    deinit {
        ccrypto_hasher_free(hasher)
        buffer.deallocate()
    }

    /// Tells that a file is about to be looked at.
    func begin(_ path: FilePath) {
        _ = goesOn(path)
    }

    /// Reads a file.
    ///
    /// - Parameter path: The file.
    /// - Returns: What it is.
    func read(_ path: FilePath) -> Look {
        begin(path)
        let status: cfiles_status
        switch cfiles_status.of(path) {
        case .success(let found): status = found
        case .failure(let problem): return Look(problem)
        }
        let isListable = status.kind != .folder || TreeWalk.isListable(path)
        return read(path, status, isListable: isListable)
    }

    /// Reads a file of which the kernel has said something already.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - status: What the kernel has said.
    ///   - isListable: Whether its names can be listed, where it is a folder.
    /// - Returns: What it is.
    func read(_ path: FilePath, _ status: cfiles_status, isListable: Bool) -> Look {
        guard let kind = status.kind else { return .missing }
        var entry = FileEntry(
            path: path, kind: kind, isMounted: status.is_mounted, mode: UInt16(status.mode & 0o7777),
            owner: status.owner, group: status.group)
        var stamp = FileStamp(status)
        switch kind {
        case .regular:
            guard status.size <= sizeLimit else {
                (entry.size, entry.content) = (status.size, .tooLarge)
                break
            }
            let file = path.withCString(cfiles_open)
            if file < 0, Self.passing.contains(-file) || [ENOENT, ENOTDIR].contains(-file) {
                return Look(SystemProblem(-file))
            }
            entry.size = status.size
            entry.content = .unreadable
            guard file >= 0 else { break }
            defer { close(file) }
            do throws(SystemProblem) {
                try read(file, path, &entry, &stamp)
            } catch {
                return .unknown(error)
            }
        case .link:
            guard let target = path.linkTarget else { return .missing }
            entry.content = .target(target)
        case .folder: entry.content = isListable ? .none : .unreadable
        case .pipe, .socket, .characterDevice, .blockDevice: break
        }
        return .found(Found(entry: entry, stamp: stamp, links: status.links))
    }

    /// Reads what is in an open file.
    private func read(
        _ file: Int32, _ path: FilePath, _ entry: inout FileEntry, _ stamp: inout FileStamp
    ) throws(SystemProblem) {
        var opened = cfiles_status()
        // Something else may have come in its place meanwhile: then there will be news of that, too.
        guard cfiles_status(file, "", &opened) == 0, opened.kind == .regular else { return }
        (stamp, entry.size) = (FileStamp(opened), opened.size)
        guard opened.size <= sizeLimit else { return entry.content = .tooLarge }
        guard ccrypto_hasher_begin(hasher) else { throw SystemProblem(ENOMEM) }
        switch hash(file, path, opened.size) {
        case .success(let size):
            entry.size = size
            var isWhole = false
            let digest = SHA256Hash { isWhole = ccrypto_hasher_end(hasher, $0) }
            guard isWhole else { throw SystemProblem(ENOMEM) }
            entry.content = .digest(digest)
        case .failure(SystemProblem(EFBIG)): entry.content = .tooLarge
        case .failure(let problem):
            if Self.passing.contains(problem.errno) { throw problem }
        }
    }

    /// MD5 of what is in a regular file, in hexadecimal digits; nil where that can't be read.
    func md5(_ path: FilePath) -> String? {
        let file = path.withCString(cfiles_open)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var opened = cfiles_status()
        guard cfiles_status(file, "", &opened) == 0, opened.kind == .regular, ccrypto_hasher_begin_md5(hasher),
            case .success = hash(file, path, opened.size)
        else { return nil }
        var digest = [UInt8](repeating: 0, count: SHA256Hash.size)  // the most that the hasher may write
        guard ccrypto_hasher_end(hasher, &digest) else { return nil }
        return Array(digest.prefix(Int(CCRYPTO_MD5_SIZE))).hexadecimal
    }

    /// Hands all that is in a file to the hasher.
    ///
    /// - Parameters:
    ///   - file: The open file.
    ///   - path: Its name.
    ///   - expected: How many bytes there should be.
    /// - Returns: How many there were; `EFBIG` for too many, `EINTR` where nobody waits for the end any more.
    private func hash(_ file: Int32, _ path: FilePath, _ expected: UInt64) -> Result<UInt64, SystemProblem> {
        cfiles_read_randomly(file)
        var size: UInt64 = 0
        var portions = 0
        while true {
            // No more than there should be, so that a file needs no second call to come to its end. What has been added
            // since has changed its status, too.
            let wanted = size < expected ? min(Self.portion, Int(clamping: expected - size)) : Self.portion
            let count = cfiles_read(file, buffer.baseAddress, wanted, Int64(size))
            guard count >= 0 else { return .failure(SystemProblem(Int32(-count))) }
            size += UInt64(count)
            bytesRead += UInt64(count)
            guard size <= sizeLimit else { return .failure(SystemProblem(EFBIG)) }
            guard ccrypto_hasher_add(hasher, buffer.baseAddress, Int(count)) else {
                return .failure(SystemProblem(EIO))
            }
            if count == 0 || expected > 0 && size >= expected { return .success(size) }
            portions += 1
            if portions.isMultiple(of: Self.question), !goesOn(path) { return .failure(SystemProblem(EINTR)) }
        }
    }
}

/// SHA-256 of bytes, by libcrypto.
func sha256(_ bytes: [UInt8]) -> SHA256Hash {
    var isThere = false
    let hash = SHA256Hash { isThere = ccrypto_sha256(bytes, bytes.count, $0) }
    precondition(isThere, "libcrypto has no SHA-256")
    return hash
}
