import DeviceModel
import FoundationEssentials
import GRDB

/// Everything that the router keeps, in one SQLite database.
///
/// This type owns all its SQL; whatever belongs to somebody is asked for by owner, in every statement.
///
/// WAL with `synchronous=FULL`: what is acknowledged to a device is on the disk.
struct RouterStore: Sendable {
    /// An account, as whatever belongs to it is marked.
    struct Owner: Hashable, Sendable {
        let id: Int64
        let name: String
    }

    /// A device in somebody's space.
    struct Device: Hashable, Sendable {
        let row: Int64
        let owner: Owner
        let name: DeviceID
        let key: [UInt8]
        /// Why it is not commanded until its owner trusts it again; nil: it is.
        var alarm: String?
        /// Whether its owner has revoked it.
        var isRevoked = false
    }

    let database: any DatabaseWriter
    let time: any TimeSource
    private let path: String

    /// Opens the database of a router, made when it is not there.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - time: The clock.
    /// - Throws: ``RouterProblem`` when it can't be opened.
    init(path: String, time: any TimeSource) throws {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "m2m.router"
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try RouterSchema.migrator.migrate(pool)
            database = pool
        } catch let error as DatabaseError {
            throw Self.explain(error, path)
        }
        (self.path, self.time) = (path, time)
    }

    /// A database in memory, for tests.
    init(inMemoryAt time: any TimeSource) throws {
        let queue = try DatabaseQueue()
        try RouterSchema.migrator.migrate(queue)
        database = queue
        (path, self.time) = ("the database", time)
    }

    /// What the database has thrown, in words.
    func explain(_ error: DatabaseError) -> RouterProblem { Self.explain(error, path) }

    var now: Int64 { time.wall.nanoseconds }

    /// Whether somebody has a device: asked first in every transaction that knows a device by its row alone.
    static func has(_ db: Database, _ owner: Owner, _ device: Int64) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT 1 FROM devices WHERE id = ? AND owner = ?", arguments: [device, owner.id]) == true
    }

    static func explain(_ error: DatabaseError, _ path: String) -> RouterProblem {
        switch error.resultCode {
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            RouterProblem(
                .notPermitted, path,
                "\(path) cannot be used: \(error.message ?? ""); do its folder and its rights exist?")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            RouterProblem(.systemFailure, path, "\(path) is damaged; restore it from a backup")
        case .SQLITE_FULL: RouterProblem(.systemFailure, path, "the disk with \(path) is full")
        default: RouterProblem(.systemFailure, path, "\(path) failed: \(error)")
        }
    }
}

extension Row {
    func bytes(_ column: String) -> [UInt8] { [UInt8](self[column] as Data) }
    func unsigned(_ column: String) -> UInt64 { UInt64(bitPattern: self[column] as Int64) }
}

extension [UInt8] {
    /// As the database takes it.
    var data: Data { Data(self) }
}
