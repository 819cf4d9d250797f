import DeviceModel
import Glibc
import Synchronization

/// The audit log's two files in the router's folder.
///
/// Other processes may use them, too: flock(2) keeps them apart.
final class AuditFiles: AuditDisk {
    private final class Descriptor: Sendable {
        let number: Int32

        init(_ number: Int32) {
            self.number = number
        }

        deinit { close(number) }
    }

    let path: String
    private let (folder, headPath): (String, String)
    private let isReadOnly: Bool
    private let patience: Duration
    private let log: Mutex<Descriptor>

    /// Opens the log; it is made where it is not there.
    ///
    /// - Parameters:
    ///   - folder: The router's folder.
    ///   - isReadOnly: Whether nothing is written, and nothing made.
    ///   - patience: How long another process that writes is waited for.
    /// - Throws: ``FileError`` when it can't be opened, or is no file.
    init(folder: String, isReadOnly: Bool = false, patience: Duration = .seconds(5)) throws(FileError) {
        (self.folder, path, headPath) = (folder, "\(folder)/audit.log", "\(folder)/audit.head")
        (self.isReadOnly, self.patience) = (isReadOnly, patience)
        log = Mutex(try Self.open(path, in: folder, isReadOnly: isReadOnly))
    }

    private static func open(_ path: String, in folder: String, isReadOnly: Bool) throws(FileError) -> Descriptor {
        let mode = (isReadOnly ? O_RDONLY : O_RDWR | O_APPEND) | O_CLOEXEC | O_NONBLOCK
        var number = Glibc.open(path, mode)
        let isNew = number < 0 && errno == ENOENT && !isReadOnly
        if isNew { number = Glibc.open(path, mode | O_CREAT, 0o600) }
        guard number >= 0 else { throw FileError(path, errno) }
        if isNew { SafeFile.syncFolder(of: path) }
        let descriptor = Descriptor(number)
        guard let status = FileStatus(of: number) else { throw FileError(path, errno) }
        guard status.isRegular else { throw FileError(path, EINVAL) }
        return descriptor
    }

    private var file: Descriptor { log.withLock(\.self) }

    // MARK: The lock

    func lock() throws(FileError) -> Bool {
        var isAnother = false
        for _ in 0..<10 {
            let file = file
            try wait(for: file)
            if isInPlace(file) { return isAnother }
            flock(file.number, LOCK_UN)
            let opened = try Self.open(path, in: folder, isReadOnly: isReadOnly)
            log.withLock { $0 = opened }
            isAnother = true
        }
        throw FileError(path, ESTALE)
    }

    private func wait(for file: Descriptor) throws(FileError) {
        let pause: UInt32 = 10_000
        var rest = patience
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, rest > .zero else { throw FileError(path, errno) }
            usleep(pause)
            rest -= .microseconds(pause)
        }
    }

    /// Whether it is still the file of its name, and not one that was moved away.
    private func isInPlace(_ file: Descriptor) -> Bool {
        guard let opened = FileStatus(of: file.number), let named = FileStatus(path: path) else { return false }
        return opened.identity == named.identity
    }

    func unlock() {
        flock(file.number, LOCK_UN)
    }

    // MARK: The log

    func size() throws(FileError) -> Int {
        guard let status = FileStatus(of: file.number) else { throw FileError(path, errno) }
        return status.size
    }

    func read(from offset: Int, count: Int) throws(FileError) -> [UInt8] {
        let file = file
        var number: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let count = pread(file.number, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0 { number = errno }
            used = max(0, count)
        }
        guard number == 0 else { throw FileError(path, number) }
        return bytes
    }

    func append(_ bytes: [UInt8]) throws(FileError) {
        let file = file
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(path, count < 0 ? errno : ENOSPC) }
            rest = rest.dropFirst(count)
        }
    }

    func sync() throws(FileError) {
        guard fdatasync(file.number) == 0 else { throw FileError(path, errno) }
    }

    func cut(to size: Int) throws(FileError) {
        guard ftruncate(file.number, off_t(size)) == 0 else { throw FileError(path, errno) }
    }

    // MARK: Its end

    func readHead() throws(FileError) -> [UInt8]? {
        try SafeFile.read(headPath)
    }

    func writeHead(_ text: [UInt8]) throws(FileError) {
        var number = Glibc.open(headPath, O_WRONLY | O_CLOEXEC)
        let isNew = number < 0 && errno == ENOENT
        if isNew { number = Glibc.open(headPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }
        guard number >= 0 else { throw FileError(headPath, errno) }
        defer { close(number) }
        let count = pwrite(number, text, text.count, 0)
        guard count == text.count else { throw FileError(headPath, count < 0 ? errno : ENOSPC) }
        // What is longer was none of ours.
        if let status = FileStatus(of: number), status.size > count { ftruncate(number, off_t(count)) }
        guard isNew else { return }
        fsync(number)
        SafeFile.syncFolder(of: headPath)
    }
}
