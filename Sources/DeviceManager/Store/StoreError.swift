import CSQLite
public import DeviceModel

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

    /// The database.
    public var resource: String { path }

    /// The failure in words.
    public var description: String {
        switch primary {
        case SQLITE_FULL: "the disk with \(path) is full; free some space, it goes on by itself"
        case SQLITE_READONLY: "\(path) cannot be written: \(message); is its disk mounted read-only?"
        case SQLITE_CORRUPT, SQLITE_NOTADB: "\(path) is damaged (\(message)); move it away to begin a new one"
        case SQLITE_CANTOPEN: "\(path) cannot be opened: \(message); do its folder and its rights exist?"
        case SQLITE_BUSY, SQLITE_LOCKED: "\(path) is in use by another program"
        case SQLITE_IOERR: "the disk with \(path) does not work: \(message)"
        default: "\(path) failed: \(message) (SQLite \(sqliteCode))"
        }
    }
}
