import Glibc
import Logging
import Synchronization

/// Log lines on standard error that nobody ever waits for: an agent whose terminal was stopped with Ctrl-S, or whose log
/// nobody reads, goes on with its outputs.
///
/// What can't be written at once is left out, and the next line says how much that was.
struct StandardErrorLog: LogHandler {
    /// What lines from all loggers share.
    private static let state = Mutex((lost: 0, isTorn: false))
    private static let output = StandardError()
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
        state.withLock { state in
            // A line of which a part was written ends where it ends.
            let end = state.isTorn ? "\n" : ""
            let before = state.lost > 0 ? "(\(state.lost) lines could not be written) " : ""
            let bytes = Array("\(end)\(before)\(line)".utf8.prefix(longest - 1)) + [UInt8(ascii: "\n")]
            let count = output.write(bytes)
            guard count == bytes.count else {
                state.lost += 1
                if count > 0 { state.isTorn = true }
                return
            }
            state = (0, false)
        }
    }

    /// The wall clock as swift-log's own handler writes it.
    private static func timestamp() -> String {
        var moment = time(nil)
        var parts = tm()
        localtime_r(&moment, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            let count = strftime(start, buffer.count, "%Y-%m-%dT%H:%M:%S%z", &parts)
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// Standard error, as far as it takes something at once.
private enum StandardError {
    /// Asked with each message not to wait.
    case socket
    /// Whatever has a descriptor: this process's own one where standard error is a pipe or a terminal.
    case file(Int32)

    init() {
        var status = stat()
        let kind = fstat(STDERR_FILENO, &status) == 0 ? status.st_mode & S_IFMT : 0
        switch kind {
        case S_IFSOCK: self = .socket
        case S_IFCHR, S_IFIFO:
            // A terminal says that it can be written to, and then takes no more than a part. Only O_NONBLOCK helps, and
            // on the descriptor that was inherited that would be everybody's.
            let own = open("/proc/self/fd/\(STDERR_FILENO)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            self = .file(own >= 0 ? own : STDERR_FILENO)
        default: self = .file(STDERR_FILENO)
        }
    }

    /// Writes what can be written at once.
    ///
    /// - Returns: How many bytes; less than 1 for none.
    func write(_ bytes: [UInt8]) -> Int {
        switch self {
        case .socket: return send(STDERR_FILENO, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        case .file(let file):
            var polled = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
            guard poll(&polled, 1, 0) > 0, polled.revents & Int16(POLLOUT) != 0 else { return 0 }
            return Glibc.write(file, bytes, bytes.count)
        }
    }
}
