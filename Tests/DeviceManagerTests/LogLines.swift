import Logging
import Synchronization

/// What is logged, a line each as a test wants to see it.
final class LogLines: LogHandler {
    private let lines = Mutex<[String]>([])
    private let line: @Sendable (LogEvent) -> String
    private let level: Logger.Level

    /// - Parameters:
    ///   - level: What is less than this is not logged.
    ///   - line: Makes a line of what is logged.
    init(_ level: Logger.Level = .trace, _ line: @escaping @Sendable (LogEvent) -> String) {
        (self.level, self.line) = (level, line)
    }

    /// All lines, oldest first.
    var all: [String] { lines.withLock(\.self) }

    func log(event: LogEvent) {
        lines.withLock { $0.append(line(event)) }
    }

    // MARK: What nobody changes

    var logLevel: Logger.Level {
        get { level }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
}
