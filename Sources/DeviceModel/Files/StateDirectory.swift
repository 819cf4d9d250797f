import Glibc

/// The folder with everything that a program keeps, held by one process at a time.
public final class StateDirectory: Sendable {
    /// A program that keeps things in a folder of its own.
    public struct Owner: Hashable, Sendable {
        /// What people call it, such as `agent`.
        let name: String
        /// How another folder is named, such as `device.state_directory`.
        let setting: String

        /// A program with the setting that names its folder.
        public init(_ name: String, setting: String) {
            self.name = name
            self.setting = setting
        }
    }

    /// The folder.
    public let path: String
    /// The folder, which can be locked also where nothing can be written; and the file that says who has it, or -1.
    private let (held, lock): (Int32, Int32)

    /// Makes the folder where it is not there, and takes it for this process.
    ///
    /// A disk that can only be read now may be well again later: its folder is taken all the same.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - owner: Who keeps things there, for messages.
    /// - Throws: ``StateDirectoryError``: `busy` when another process has it.
    public init(_ path: String, of owner: Owner) throws(StateDirectoryError) {
        self.path = path
        do throws(FileError) {
            try SafeFile.makeFolder(path)
        } catch  where error.errno != EROFS || !SafeFile.exists(path) {
            throw StateDirectoryError(path: path, owner: owner, problem: .system(error.errno))
        } catch {
            // It is there, and can be read.
        }
        held = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        lock = Self.open("\(path)/lock")
        // `deinit` closes both.
        guard held >= 0, lock >= 0 || errno == EROFS || errno == ENOSPC || errno == EDQUOT else {
            throw StateDirectoryError(path: path, owner: owner, problem: .system(errno))
        }
        for file in [held, lock] where file >= 0 && !Self.take(file) {
            let (number, holder) = (errno, Self.holder(lock))
            throw StateDirectoryError(
                path: path, owner: owner, problem: number == EWOULDBLOCK ? .held(holder) : .system(number))
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(lock, 0)
        pwrite(lock, text, text.count, 0)
    }

    deinit {
        for file in [held, lock] where file >= 0 { close(file) }
    }

    /// Opens the file that says who has the folder: to be read, where it can't be written.
    ///
    /// - Returns: -1, with `errno`, where it can't be opened.
    private static func open(_ file: String) -> Int32 {
        let lock = Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock < 0, errno == EROFS else { return lock }
        let readable = Glibc.open(file, O_RDONLY | O_CLOEXEC)
        if readable < 0 { errno = EROFS }
        return readable
    }

    /// Locks a file; one that is being let go of is waited for.
    ///
    /// A process that has just been started by the last holder keeps the lock until it has become another program.
    ///
    /// - Returns: Whether it is ours now; otherwise `errno` says why not.
    private static func take(_ file: Int32) -> Bool {
        var tries = 10
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            tries -= 1
            guard errno == EWOULDBLOCK, tries > 0 else { return false }
            usleep(20_000)
        }
        return true
    }

    /// A file in the folder.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The process that holds the lock, as it wrote itself down.
    private static func holder(_ lock: Int32) -> Int? {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(lock, &buffer, buffer.count, 0)
        return Int(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).filter(\.isNumber))
    }
}

/// Why the folder with a program's state can't be used.
public struct StateDirectoryError: ExplainedError, Hashable {
    enum Problem: Hashable {
        case held(Int?)
        case system(Int32)
    }

    /// The folder.
    public let path: String
    let owner: StateDirectory.Owner
    let problem: Problem

    /// The kind of failure.
    public var code: ErrorCode {
        switch problem {
        case .held: .busy
        case .system(EACCES), .system(EPERM), .system(EROFS): .notPermitted
        case .system: .systemFailure
        }
    }

    /// The folder.
    public var resource: String { path }

    private func advice(_ number: Int32) -> String {
        switch number {
        case ENOTDIR, EEXIST: "move away what is there and is no folder"
        case EACCES, EPERM: "give it to this user"
        case EROFS, ENOSPC, EDQUOT, EIO: "see to its disk"
        case ENOENT: "make it"
        default: "see to it"
        }
    }

    /// The failure in words.
    public var description: String {
        switch problem {
        case .held(let process):
            "another \(owner.name)\(process.map { " (process \($0))" } ?? "") uses \(path); stop it, "
                + "or give this one a \(owner.setting) of its own"
        case .system(let number):
            "the folder \(path) cannot be used: \(errorText(number)); \(advice(number)), "
                + "or set \(owner.setting) to another one"
        }
    }
}
