import DeviceModel
import FoundationEssentials
import GRDB
import Wire

/// What the files of devices are meant to be.
extension RouterStore {
    /// Changes what is known of a device's files, in one piece.
    ///
    /// - Parameters:
    ///   - owner: Whose device it is.
    ///   - device: The device's row.
    ///   - nextFiles: The files that are about to be approved with what the body sets as next; nil: none are.
    ///   - body: Changes it; what it gives is given back.
    /// - Returns: What there is now, and what the body has given.
    /// - Throws: What the database throws.
    @discardableResult
    func changeFiles<Value: Sendable>(
        of owner: Owner, device: Int64, nextFiles: [FileEntry]? = nil,
        _ body: @escaping @Sendable (inout DeviceFiles) -> Value
    ) async throws -> (files: DeviceFiles, Value) {
        let next = nextFiles.map { FileList($0).bytes.data }
        return try await database.write { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT root, counter, approved, approvedBy, nextRoot, nextBy, seenRoot, wanted, response, disabled,
                        objection, windowEnd
                    FROM integrity WHERE device = (SELECT id FROM devices WHERE id = ? AND owner = ?)
                    """, arguments: [device, owner.id])
            let before = row.map(Self.files) ?? DeviceFiles()
            var files = before
            let value = body(&files)
            guard files != before || next != nil else { return (files, value) }
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO integrity (device) SELECT id FROM devices WHERE id = ? AND owner = ?
                    """, arguments: [device, owner.id])
            if let next {
                try db.execute(
                    sql: """
                        UPDATE integrity SET nextFiles = ?
                        WHERE device = (SELECT id FROM devices WHERE id = ? AND owner = ?)
                        """, arguments: [next, device, owner.id])
            }
            // What was about to be approved takes its files along.
            if files.counter != before.counter {
                try db.execute(
                    sql: """
                        UPDATE integrity SET files = nextFiles, nextFiles = NULL
                        WHERE device = (SELECT id FROM devices WHERE id = ? AND owner = ?)
                        """, arguments: [device, owner.id])
            }
            try db.execute(
                sql: """
                    UPDATE integrity SET root = ?, counter = ?, approved = ?, approvedBy = ?, nextRoot = ?, nextBy = ?,
                        seenRoot = ?, wanted = ?, response = ?, disabled = ?, objection = ?, windowEnd = ?
                    WHERE device = (SELECT id FROM devices WHERE id = ? AND owner = ?)
                    """,
                arguments: [
                    files.approved?.root.bytes.data, Int64(clamping: files.counter),
                    files.approved?.time.nanoseconds, files.approved?.by.description, files.next?.root.bytes.data,
                    files.next?.by.description,
                    files.seen?.bytes.data, files.wanted?.rawValue, files.response?.rawValue, files.disabledBecause,
                    files.objection?.rawValue, files.windowEnd?.nanoseconds, device, owner.id,
                ])
            return (files, value)
        }
    }

    /// What is known of a device's files.
    func files(of owner: Owner, device: Int64) async throws -> DeviceFiles {
        try await changeFiles(of: owner, device: device) { _ in }.files
    }

    private static func files(_ row: Row) -> DeviceFiles {
        func digest(_ name: String) -> SHA256Hash? {
            (row[name] as Data?).flatMap { SHA256Hash(bytes: [UInt8]($0)) }
        }
        var files = DeviceFiles()
        files.approved = digest("root").map {
            DeviceFiles.Approved(
                root: $0, time: WallTime(nanoseconds: row["approved"] ?? 0), by: .init(row["approvedBy"] ?? ""))
        }
        files.counter = UInt64(clamping: row["counter"] as Int64)
        files.next = digest("nextRoot").map { DeviceFiles.Next(root: $0, by: .init(row["nextBy"] ?? "")) }
        files.seen = digest("seenRoot")
        files.wanted = (row["wanted"] as String?).flatMap(IntegrityResponse.init(rawValue:))
        files.response = (row["response"] as String?).flatMap(IntegrityResponse.init(rawValue:))
        files.disabledBecause = row["disabled"]
        files.objection = (row["objection"] as String?).map(Objection.init(rawValue:))
        files.windowEnd = (row["windowEnd"] as Int64?).map { WallTime(nanoseconds: $0) }
        return files
    }

    /// The files that are about to be approved; nil: none are.
    func nextFiles(of owner: Owner, device: Int64) async throws -> [FileEntry]? {
        let bytes = try await database.read { db in
            try Data.fetchOne(
                db,
                sql: """
                    SELECT i.nextFiles FROM integrity i JOIN devices d ON d.id = i.device
                    WHERE i.device = ? AND d.owner = ?
                    """, arguments: [device, owner.id])
        }
        return bytes.flatMap { FileList(bytes: [UInt8]($0)) }?.entries
    }

    /// The files that were approved; nil: none were.
    func approvedFiles(of owner: Owner, device: Int64) async throws -> [FileEntry]? {
        let bytes = try await database.read { db in
            try Data.fetchOne(
                db,
                sql: """
                    SELECT i.files FROM integrity i JOIN devices d ON d.id = i.device WHERE i.device = ? AND d.owner = ?
                    """, arguments: [device, owner.id])
        }
        return bytes.flatMap { FileList(bytes: [UInt8]($0)) }?.entries
    }
}
