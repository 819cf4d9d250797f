import Glibc
import Logging
import Synchronization

/// Log lines on standard error that nobody ever waits for: an agent whose terminal was stopped with Ctrl-S, or whose log
/// nobody reads, goes on with its outputs.
///
/// What can't be written at once is left out, and the next line says how much that was.
struct StandardErrorLog: LogHandler {
    /// What lines from all loggers share.
    private static let lost = Mutex(0)
    /// A pipe that can be written to at all takes so many bytes at once (PIPE_BUF, pipe(7)).
    private static let longest = 4_096

    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.info
    private let label: String

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        let words = all.sorted { $0.key < $1.key }.map { " \($0)=\($1)" }.joined()
        Self.write("\(Self.timestamp()) \(event.level) \(label):\(words) [\(event.source)] \(event.message)")
    }

    private static func write(_ line: String) {
        lost.withLock { lost in
            var polled = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            guard poll(&polled, 1, 0) > 0, polled.revents & Int16(POLLOUT) != 0 else {
                lost += 1
                return
            }
            let before = lost > 0 ? "(\(lost) lines could not be written) " : ""
            let bytes = Array("\(before)\(line)".utf8.prefix(longest - 1)) + [UInt8(ascii: "\n")]
            _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
            lost = 0
        }
    }

    /// The wall clock as swift-log's own handler writes it.
    private static func timestamp() -> String {
        var moment = time(nil)
        var parts = tm()
        localtime_r(&moment, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let count = strftime(buffer.baseAddress, buffer.count, "%Y-%m-%dT%H:%M:%S%z", &parts)
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
