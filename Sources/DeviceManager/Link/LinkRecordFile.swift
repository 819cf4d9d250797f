import DeviceModel
import Glibc
import Synchronization
import Wire

/// Keeps a ``LinkRecord`` in a file of the state directory.
final class LinkRecordFile: Sendable {
    private let path: String
    private let known: Mutex<(record: LinkRecord, isKept: Bool)>
    /// A disk that hangs holds up nobody else.
    private let queue = BlockingQueue(label: "m2m.link-record")
    /// How long the disk may take: a device that waits for it for ever could not be commanded.
    private static let patience: Duration = .seconds(2)

    init(_ path: String) {
        self.path = path
        let bytes = try? SafeFile.read(path)  // safe: what can't be read is remembered no more
        let read = bytes.flatMap { LinkRecord(String(decoding: $0, as: UTF8.self)) }
        known = Mutex((read ?? LinkRecord(), read != nil))
    }

    /// Counts a connection that is about to be made.
    ///
    /// - Parameter time: The clock.
    /// - Returns: What is to be told of it, and why it is not written down by now; then the router may take this device
    ///   for a copy of itself when it has been started anew.
    func count(on time: any TimeSource) async -> (record: LinkRecord, problem: FileError?) {
        let record = known.withLock { known in
            // An enrolment takes the file away: what the last router said means nothing to the next one.
            if known.isKept, !SafeFile.exists(path) { known.record.auditHead = nil }
            known.record.connects += 1
            return known.record
        }
        let answer = Mailbox<FileError?>(bound: 1, policy: .refuseNewest)
        queue.start { [self] in answer.send(write(record)) }
        switch await answer.next(until: time.now + Self.patience, on: time) {
        case .element(let problem): return (record, problem)
        case .deadline, .finished: return (record, FileError(path, ETIMEDOUT))
        }
    }

    /// Remembers what the router has said; nobody waits for it.
    func remember(_ head: AuditHead) {
        let record = known.withLock { known -> LinkRecord? in
            guard known.record.auditHead != head else { return nil }
            known.record.auditHead = head
            return known.record
        }
        if let record { queue.start { [self] in _ = write(record) } }
    }

    /// Writes the file: beside the old one, or, where there is no room for two, over it.
    private func write(_ record: LinkRecord) -> FileError? {
        let bytes = Array(record.text.utf8)
        do throws(FileError) {
            try SafeFile.write(bytes, to: path)
        } catch {
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return error }
            defer { close(file) }
            guard pwrite(file, bytes, bytes.count, 0) == bytes.count, fdatasync(file) == 0 else { return error }
        }
        known.withLock { $0.isKept = true }
        return nil
    }
}
