import DeviceModel
import Glibc
import Synchronization
import Wire

@testable import Router

/// An audit log's disk in memory, that fails when a test wants it to.
final class MemoryAuditDisk: AuditDisk {
    /// What is on it, and how it fails.
    struct State {
        var log: [UInt8] = []
        var head: [UInt8]?
        /// How many bytes still fit into the log; nil: as many as there are.
        var room: Int?
        var isSyncFailing = false
        var isCutFailing = false
        var isHeadFailing = false
        var isHeadUnreadable = false
        var isBusy = false
        /// How many bytes of the log were read.
        var bytesRead = 0
        /// How often it was brought onto the disk.
        var syncs = 0
    }

    let path = "audit.log"
    private let state: Mutex<State>

    init(_ log: [UInt8] = [], head: AuditHead? = nil) {
        state = Mutex(State(log: log, head: head?.text))
    }

    /// Changes what is on it, or how it fails.
    func set(_ change: (inout sending State) -> Void) {
        state.withLock { change(&$0) }
    }

    var bytesRead: Int { state.withLock(\.bytesRead) }
    var syncs: Int { state.withLock(\.syncs) }
    var log: [UInt8] { state.withLock(\.log) }
    var head: AuditHead? { state.withLock(\.head).flatMap(AuditHead.init(text:)) }

    func lock() throws(FileError) -> Bool {
        if state.withLock(\.isBusy) { throw FileError(path, EWOULDBLOCK) }
        return false
    }

    func unlock() {}

    func size() throws(FileError) -> Int { log.count }

    func read(from offset: Int, count: Int) throws(FileError) -> [UInt8] {
        state.withLock { state in
            let bytes = Array(state.log.dropFirst(offset).prefix(count))
            state.bytesRead += bytes.count
            return bytes
        }
    }

    func append(_ bytes: [UInt8]) throws(FileError) {
        let isFull = state.withLock { state in
            let count = min(bytes.count, state.room ?? bytes.count)
            state.log += bytes.prefix(count)
            state.room? -= count
            return count < bytes.count
        }
        if isFull { throw FileError(path, ENOSPC) }
    }

    func sync() throws(FileError) {
        let isFailing = state.withLock { state in
            state.syncs += 1
            return state.isSyncFailing
        }
        if isFailing { throw FileError(path, EIO) }
    }

    func cut(to size: Int) throws(FileError) {
        let isFailing = state.withLock { state in
            if !state.isCutFailing { state.log.removeLast(state.log.count - size) }
            return state.isCutFailing
        }
        if isFailing { throw FileError(path, EIO) }
    }

    func readHead() throws(FileError) -> [UInt8]? {
        if state.withLock(\.isHeadUnreadable) { throw FileError("audit.head", EACCES) }
        return state.withLock(\.head)
    }

    func writeHead(_ text: [UInt8]) throws(FileError) {
        let isFailing = state.withLock { state in
            if !state.isHeadFailing { state.head = text }
            return state.isHeadFailing
        }
        if isFailing { throw FileError("audit.head", EIO) }
    }
}
