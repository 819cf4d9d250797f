import Glibc

/// Small files that are there wholly or not at all, also after a power cut.
public enum SafeFile {
    /// The biggest file that is read, where nobody says otherwise.
    public static let usualLimit = 1_048_576

    /// Writes a file: beside it, then onto the disk, then in its place.
    ///
    /// - Parameters:
    ///   - bytes: What goes in.
    ///   - path: The file.
    ///   - isPublic: Whether others than its owner may read it.
    ///   - isNew: Whether a file that is there already is an error (`EEXIST`), and not replaced.
    /// - Throws: ``FileError`` when it can't be written; the old file is still there then.
    public static func write(
        _ bytes: some Sequence<UInt8>, to path: String, isPublic: Bool = false, isNew: Bool = false
    ) throws(FileError) {
        let bytes = Array(bytes)
        let beside = "\(path).new"
        let mode: mode_t = isPublic ? 0o644 : 0o600
        unlink(beside)
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw FileError(path, errno) }
        var number: Int32 = 0
        let count = Glibc.write(file, bytes, bytes.count)
        if count != bytes.count { number = count < 0 ? errno : ENOSPC }
        if number == 0, fchmod(file, mode) != 0 || fsync(file) != 0 { number = errno }
        close(file)
        if number == 0, (isNew ? link(beside, path) : rename(beside, path)) != 0 { number = errno }
        if number != 0 || isNew { unlink(beside) }
        guard number == 0 else { throw FileError(path, number) }
        syncFolder(of: path)
    }

    /// Gives a file another name, also after a power cut.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - place: Its new name; a file that has it is replaced.
    /// - Throws: ``FileError`` when it can't be had.
    public static func move(_ path: String, to place: String) throws(FileError) {
        guard rename(path, place) == 0 else { throw FileError(place, errno) }
        syncFolder(of: place)
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: How many bytes it may have.
    /// - Returns: Its bytes; nil when there is no such file.
    /// - Throws: ``FileError`` when it can't be read, is bigger than that, or is no file but a folder or a pipe.
    public static func read(_ path: String, limit: Int = usualLimit) throws(FileError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError(path, errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw FileError(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path, status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count >= 0 else { throw FileError(path, errno) }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
            guard bytes.count <= limit else { throw FileError(path, EFBIG) }
        }
    }

    /// Whether there is a file or folder of a name; a link is one, wherever it leads.
    public static func exists(_ path: String) -> Bool {
        faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Makes a folder, and those above it, for this user alone.
    ///
    /// - Parameter path: The folder.
    /// - Throws: ``FileError`` when it can't be made, or not be written to.
    public static func makeFolder(_ path: String) throws(FileError) {
        var folder = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            folder += "/\(part)"
            guard mkdir(folder, 0o700) == 0 || access(folder, F_OK) == 0 else { throw FileError(folder, errno) }
        }
        guard access(path, W_OK) == 0 else { throw FileError(path, errno) }
    }

    /// Makes the folder of a file, and those above it, for this user alone.
    ///
    /// - Parameter path: The file; without a folder in its path there is nothing to make.
    /// - Throws: ``FileError`` when the folder can't be made, or not be written to.
    public static func makeFolder(of path: String) throws(FileError) {
        if let end = path.lastIndex(of: "/"), end != path.startIndex { try makeFolder(String(path[..<end])) }
    }

    /// Brings a new name onto the disk, too.
    ///
    /// - Parameter path: The file that has it.
    package static func syncFolder(of path: String) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let name = end == path.startIndex ? (path.hasPrefix("/") ? "/" : ".") : String(path[..<end])
        let folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

/// Why a file can't be used.
public struct FileError: ExplainedError, Hashable {
    /// The file or folder.
    public let path: String
    /// What the system said.
    public let errno: Int32

    /// A file can't be used.
    public init(_ path: String, _ errno: Int32) {
        self.path = path
        self.errno = errno
    }

    /// The kind of failure.
    public var code: ErrorCode {
        switch errno {
        case EACCES, EPERM, EROFS: .notPermitted
        case ENOENT: .notFound
        case EFBIG: .tooLarge
        default: .systemFailure
        }
    }

    /// The file or folder.
    public var resource: String { path }

    /// The failure in words.
    public var description: String { "\(path) cannot be used: \(errorText(errno))" }
}
