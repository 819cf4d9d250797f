import DeviceModel
import Glibc
import Wire

/// The router's audit log: it only grows, and each entry carries the hash of all before it.
///
/// An actor because it is one file for everybody, in which one entry follows the other, and its calls wait for the disk:
/// they run on a thread of their own. What it does with the disk is ``AuditBook``; here entries that come at the same
/// time are written together, so that many wait for the disk as long as one.
///
/// In the router's folder: `audit.log` with the entries, and `audit.head` with its end. Both are the router's alone.
actor AuditLog {
    /// Entries that are written together.
    private final class Group {
        var entries: [AuditEntry] = []
        var outcome: Result<AuditHead, RouterProblem>?
    }

    /// So many entries are written together, and those that one caller adds to them.
    private static let groupBound = 1_000

    private let path: String
    private var book: AuditBook
    /// What is written next.
    private var waiting: Group?

    private let executor = BlockingExecutor(label: "m2m.audit")

    /// The thread on which everything here runs.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Reads the log once, on the caller's thread; it is made where it is not there.
    ///
    /// - Parameters:
    ///   - folder: The router's folder.
    ///   - report: Told in words, now and later, of what is not as it should be. None of it keeps the log from growing.
    /// - Throws: ``RouterProblem`` when it can't be used.
    init(folder: String, report: @escaping @Sendable (String) -> Void) throws(RouterProblem) {
        let disk: AuditFiles
        do throws(FileError) {
            disk = try AuditFiles(folder: folder)
        } catch {
            throw Self.explain(error)
        }
        try self.init(disk, report: report)
    }

    /// Reads the log once, on the caller's thread.
    init(_ disk: any AuditDisk, report: @escaping @Sendable (String) -> Void) throws(RouterProblem) {
        path = disk.path
        do throws(FileError) {
            book = try AuditBook(disk, report: report)
        } catch {
            throw Self.explain(error)
        }
    }

    /// The end of the log, as a device remembers it.
    var head: AuditHead { book.head }

    /// Writes entries; they are on the disk when it returns.
    ///
    /// - Returns: The end of the log behind them.
    /// - Throws: ``RouterProblem`` when they could not be written; the log is as it was before.
    @discardableResult
    func append(_ entries: [AuditEntry]) async throws(RouterProblem) -> AuditHead {
        let group = waiting.flatMap { $0.entries.count < Self.groupBound ? $0 : nil } ?? Group()
        waiting = group
        group.entries += entries
        await Task.yield()  // whoever else has come meanwhile is let in
        if let outcome = group.outcome { return try outcome.get() }
        if waiting === group { waiting = nil }
        do throws(FileError) {
            let head = try book.append(group.entries)
            group.outcome = .success(head)
            return head
        } catch {
            let problem = Self.explain(error)
            group.outcome = .failure(problem)
            throw problem
        }
    }

    /// Whether the log has an entry of this number with this hash: whoever remembers it can trust what is before it.
    ///
    /// - Throws: ``RouterProblem`` when the file can't be read.
    func knows(_ head: AuditHead) async throws(RouterProblem) -> Bool {
        do throws(FileError) {
            return try book.knows(head)
        } catch {
            throw Self.explain(error)
        }
    }

    /// The newest entries, in the order of the log, also those of other processes.
    ///
    /// - Parameters:
    ///   - accountID: Whose; nil: everybody's, and those of no account.
    ///   - since: How far back; nil: to the beginning.
    ///   - limit: How many, at most.
    /// - Returns: The entries with their numbers. Those that can't be read are left out.
    /// - Throws: ``RouterProblem`` when the file can't be read.
    func entries(
        of accountID: Int64?, since: WallTime?, limit: Int
    ) async throws(RouterProblem) -> [(sequence: UInt64, entry: AuditEntry)] {
        var newestFirst: [(sequence: UInt64, entry: AuditEntry)] = []
        for block in try refreshed().blocks.reversed() where block.mayHold(of: accountID, since: since) {
            guard newestFirst.count < limit else { break }
            do throws(FileError) {
                let wanted = try book.entries(in: block).filter { _, entry in
                    (accountID == nil || entry.account?.id == accountID)
                        && since.map { entry.until ?? entry.time >= $0 } ?? true
                }
                newestFirst += wanted.suffix(limit - newestFirst.count).reversed()
            } catch {
                throw Self.explain(error)
            }
            await Task.yield()  // a long look back holds up nobody who writes
        }
        return newestFirst.reversed()
    }

    private func refreshed() throws(RouterProblem) -> AuditIndex {
        do throws(FileError) {
            try book.refresh()
            return book.index
        } catch {
            throw Self.explain(error)
        }
    }

    private static func explain(_ error: FileError) -> RouterProblem {
        let advice =
            switch error.errno {
            case EWOULDBLOCK: "another process has been writing it for too long; end that one"
            case ENOSPC, EDQUOT: "\(errorText(error.errno)); make room on its disk"
            case EACCES, EPERM: "\(errorText(error.errno)); give it to the router's user"
            case EINVAL, EISDIR: "it is no file; move it away"
            default: "\(errorText(error.errno)); see to its disk"
            }
        let code = error.errno == EWOULDBLOCK ? ErrorCode.busy : error.code
        return RouterProblem(code, error.path, "the audit log \(error.path) cannot be used: \(advice)")
    }
}
