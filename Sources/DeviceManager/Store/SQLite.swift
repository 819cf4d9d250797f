import CSQLite
import DeviceModel

/// A connection to an SQLite database: a thin typed face of its C interface, for one thread at a time.
final class SQLite {
    private let path: String
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]
    private static let isSaving: Void = csqlite_save_memory()

    /// Opens a database, made when it is not there.
    init(path: String) throws(StoreError) {
        Self.isSaving
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(path, &handle, flags, nil)
        guard result == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? ""
            sqlite3_close_v2(handle)
            throw StoreError(path: path, sqliteCode: result, message: message)
        }
        (self.path, self.handle) = (path, handle)
    }

    deinit {
        for statement in statements.values { statement.finalize() }
        sqlite3_close_v2(handle)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(StoreError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// Runs a statement, again and again with other values without parsing it again.
    ///
    /// - Parameters:
    ///   - sql: The statement.
    ///   - values: What its question marks stand for.
    ///   - row: Called for each row of the result.
    /// - Throws: ``StoreError``, and what `row` throws.
    func run(
        _ sql: String, _ values: [SQLiteValue] = [], row: (borrowing Row) throws(StoreError) -> Void = { _ in }
    ) throws(StoreError) {
        let statement = try statement(sql)
        defer { statement.reset() }
        try run(statement, values, row: row)
    }

    /// Runs a statement that is parsed for this once.
    func runOnce(_ sql: String, row: (borrowing Row) throws(StoreError) -> Void) throws(StoreError) {
        let statement = try prepare(sql, flags: 0)
        defer { statement.finalize() }
        try run(statement, [], row: row)
    }

    private func run(
        _ statement: Statement, _ values: [SQLiteValue], row: (borrowing Row) throws(StoreError) -> Void
    ) throws(StoreError) {
        for (index, value) in values.enumerated() { try check(statement.bind(value, at: Int32(index + 1))) }
        while true {
            switch sqlite3_step(statement.handle) {
            case SQLITE_ROW: try row(Row(statement: statement.handle))
            case SQLITE_DONE: return
            case let result: try check(result)
            }
        }
    }

    /// The first row of a result, if there is one.
    func first<Result>(
        _ sql: String, _ values: [SQLiteValue] = [], _ read: (borrowing Row) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        var result: Result?
        try run(sql, values) { (row) throws(StoreError) in if result == nil { result = try read(row) } }
        return result
    }

    /// Does something wholly or not at all.
    func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            try? execute("ROLLBACK")  // safe: where this fails SQLite did so itself; the first error is the one to tell
            throw error
        }
    }

    /// How many rows the last statement has changed.
    var changedRows: Int { Int(sqlite3_changes64(handle)) }

    /// The error for a database in which something makes no sense.
    func damage(_ message: String) -> StoreError {
        StoreError(path: path, sqliteCode: SQLITE_CORRUPT, message: message)
    }

    private func statement(_ sql: String) throws(StoreError) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try prepare(sql, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
        statements[sql] = statement
        return statement
    }

    private func prepare(_ sql: String, flags: UInt32) throws(StoreError) -> Statement {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v3(handle, sql, -1, flags, &prepared, nil))
        guard let prepared else { preconditionFailure("'\(sql)' is no statement") }
        return Statement(handle: prepared)
    }

    private func check(_ result: Int32) throws(StoreError) {
        guard result != SQLITE_OK else { return }
        throw StoreError(path: path, sqliteCode: result, message: String(cString: sqlite3_errmsg(handle)))
    }

    /// A statement that was parsed.
    private struct Statement {
        let handle: OpaquePointer

        func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
            switch value {
            case .null: sqlite3_bind_null(handle, index)
            case .integer(let integer): sqlite3_bind_int64(handle, index, integer)
            case .real(let number): sqlite3_bind_double(handle, index, number)
            case .text(let text): csqlite_bind_text(handle, index, text, Int32(clamping: text.utf8.count))
            case .blob(let bytes): csqlite_bind_blob(handle, index, bytes, Int32(clamping: bytes.count))
            }
        }

        func reset() {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }

        func finalize() { sqlite3_finalize(handle) }
    }

    /// A row of a result, for as long as it is being read.
    struct Row: ~Copyable {
        fileprivate let statement: OpaquePointer

        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }

        func text(_ column: Int32) -> String {
            guard let bytes = sqlite3_column_text(statement, column) else { return "" }
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        }

        func blob(_ column: Int32) -> [UInt8] {
            guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
            return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
        }
    }
}

/// A value that a database can hold.
enum SQLiteValue {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// A number of 64 bits without a sign, which SQLite does not have: the same bits with one.
    static func bits(_ number: UInt64) -> SQLiteValue { .integer(Int64(bitPattern: number)) }

    /// A text, or nothing.
    static func optional(_ text: String?) -> SQLiteValue { text.map { .text($0) } ?? .null }

    /// A time, or nothing.
    static func optional(_ time: WallTime?) -> SQLiteValue { time.map { .integer($0.nanoseconds) } ?? .null }
}
