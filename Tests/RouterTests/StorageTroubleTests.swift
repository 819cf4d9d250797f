import DeviceModel
import Logging
import Synchronization
import Testing

@testable import Router

/// Promise: that nothing can be stored is said once, whatever fails meanwhile, and once that it can again.
@Suite struct StorageTroubleTests {
    /// What is logged: levels.
    private final class Levels: LogHandler {
        let all = Mutex<[Logger.Level]>([])
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }

        func log(event: LogEvent) {
            all.withLock { $0.append(event.level) }
        }

        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }
    }

    @Test("Trouble of several kinds is one line, its end another, and the next time both come again")
    func once() {
        let levels = Levels()
        let trouble = StorageTrouble(Logger(label: "test") { _ in levels })
        trouble.isOver()
        for _ in 0..<2 {
            for words in ["INSERT failed", "UPDATE failed", "INSERT failed"] {
                trouble.begins(RouterProblem(.systemFailure, "router.db", words))
            }
            trouble.isOver()
            trouble.isOver()
        }
        #expect(levels.all.withLock { $0 } == [.error, .notice, .error, .notice])
    }
}
