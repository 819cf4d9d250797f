import DeviceModel
import Logging

/// Writes what waits in an ``AuditQueue`` into the audit log.
struct AuditService {
    let queue: AuditQueue
    let log: AuditLog
    let time: any TimeSource
    let logger: Logger

    /// So many notes are looked at before something is written.
    private static let portion = 256

    /// Runs until the queue is finished, and everything in it is written, or can't be.
    func run() async {
        var batch = AuditBatch()
        var isFailing = false
        var isLast = false
        while !isLast {
            switch await queue.notes.next(until: batch.deadline, on: time) {
            case .element(let note): batch.add(note, at: time.now)
            case .deadline: break
            case .finished: isLast = true
            }
            var count = 1
            while isLast || count < Self.portion, let note = queue.notes.takeIfWaiting() {
                batch.add(note, at: time.now)
                count += 1
            }
            batch.lose(queue.takeLoss())
            let due = batch.due(at: time.now, isLast: isLast)
            guard !due.isEmpty else { continue }
            do {
                try await log.append(due)
                batch.written()
                if isFailing { logger.notice("the audit log can be written again") }
                isFailing = false
            } catch {
                batch.failed(at: time.now)
                if !isFailing { logger.error("the audit log cannot be written", metadata: ["reason": "\(error)"]) }
                isFailing = true
                if isLast { logger.error("entries of the audit log are lost", metadata: ["count": "\(due.count)"]) }
            }
        }
    }
}
