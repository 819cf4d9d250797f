import Logging
import Synchronization

/// Whether the router's database can be written, said once when it can't and once when it can again.
final class StorageTrouble: Sendable {
    private let logger: Logger
    private let reason = Mutex<String?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// It could not be written.
    func begins(_ problem: RouterProblem) {
        let words = "\(problem)"
        let isNews = reason.withLock { reason in
            defer { reason = words }
            return reason != words
        }
        if isNews {
            logger.error("nothing can be stored; devices keep what they have", metadata: ["reason": "\(words)"])
        }
    }

    /// It was written.
    func isOver() {
        let wasThere = reason.withLock { reason in
            defer { reason = nil }
            return reason != nil
        }
        if wasThere { logger.notice("the database can be written again") }
    }
}
