import CSQLite
public import DeviceModel
import Glibc

/// Why the store could not do what was asked.
public struct StoreError: ExplainedError, Hashable {
    /// The database.
    public let path: String
    /// SQLite's extended result code (sqlite.org/rescode.html).
    public let sqliteCode: Int32
    let message: String

    /// The primary result code: the lowest byte.
    private var primary: Int32 { sqliteCode & 0xFF }

    /// The kind of failure.
    public var code: ErrorCode {
        switch primary {
        case SQLITE_PERM, SQLITE_AUTH, SQLITE_READONLY: .notPermitted
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_MISUSE, SQLITE_ERROR, SQLITE_CONSTRAINT: .internalFailure
        default: .systemFailure
        }
    }

    /// Whether what is in the file makes no sense.
    var isDamage: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB }

    /// Whether the connection may be what does not work, rather than the file.
    var wantsReopening: Bool { primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN }

    /// Whether it may be over by itself, without anybody who changes rights or settings.
    var mayHeal: Bool {
        switch primary {
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED: true
        case SQLITE_READONLY, SQLITE_CANTOPEN: !isForbidden
        default: false
        }
    }

    private var folder: String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }

    /// Whether this user may not use the file, or its folder: the disk has nothing to do with it.
    private var isForbidden: Bool {
        [path, folder].contains { (name: String) in
            access(name, R_OK | W_OK) != 0 && (errno == EACCES || errno == EPERM)
        }
    }

    /// Whether there is no space: SQLite calls it something else where it was to be mapped into memory.
    private var isDiskFull: Bool {
        if primary == SQLITE_FULL { return true }
        guard primary == SQLITE_IOERR else { return false }
        var disk = statvfs()
        return statvfs(folder, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail == 0
    }

    /// The database.
    public var resource: String { path }

    /// The failure in words.
    public var description: String {
        switch primary {
        case _ where isDiskFull: "the disk with \(path) is full; free some space, it goes on by itself"
        case SQLITE_READONLY: "\(path) cannot be written: \(message); is its disk mounted read-only?"
        case SQLITE_CORRUPT, SQLITE_NOTADB: "\(path) is damaged (\(message)); it is set aside, and a new one is begun"
        case SQLITE_CANTOPEN:
            "\(path) cannot be opened: \(message); is it a file, is its folder there, and may this user use it?"
        case SQLITE_BUSY, SQLITE_LOCKED: "\(path) is in use by another program"
        case SQLITE_IOERR: "the disk with \(path) does not work: \(message)"
        default: "\(path) failed: \(message) (SQLite \(sqliteCode))"
        }
    }
}
