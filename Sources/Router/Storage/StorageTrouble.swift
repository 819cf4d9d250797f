import Logging
import Synchronization

/// Whether the router's database can be written, said once when it can't and once when it can again.
final class StorageTrouble: Sendable {
    private let logger: Logger
    private let isThere = Mutex(false)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// It could not be written, for whatever reason: that is another one with each statement.
    func begins(_ problem: RouterProblem) {
        let wasThere = isThere.withLock { isThere in
            defer { isThere = true }
            return isThere
        }
        if !wasThere {
            logger.error("nothing can be stored; devices keep what they have", metadata: ["reason": "\(problem)"])
        }
    }

    /// It was written.
    func isOver() {
        let wasThere = isThere.withLock { isThere in
            defer { isThere = false }
            return isThere
        }
        if wasThere { logger.notice("the database can be written again") }
    }
}
