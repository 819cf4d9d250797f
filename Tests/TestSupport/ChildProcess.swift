import Dispatch
public import Glibc
import Synchronization

/// A program as a process of its own, which has nothing of the test run's: no descriptor, no variable, no signal mask.
///
/// It is killed with the last reference to it.
public final class ChildProcess: Sendable {
    /// How a program ended.
    public enum End: Hashable, Sendable {
        /// By itself, with this status.
        case exited(Int32)
        /// By this signal.
        case killed(Int32)
    }

    /// The process.
    public let id: pid_t
    private let isThere = Mutex(true)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Its whole environment.
    ///   - streams: Standard input, output and error; they stay the caller's.
    ///   - onEnd: Told once how it ended.
    /// - Throws: ``HarnessError`` when it can't be started.
    public init(
        _ path: String, _ arguments: [String], environment: [String: String], streams: [Int32],
        onEnd: @escaping @Sendable (End) -> Void
    ) throws {
        id = try Self.start(path, arguments, environment, streams)
        reap(onEnd)
    }

    deinit { signal(SIGKILL) }

    /// Sends a signal, unless the program has ended.
    public func signal(_ number: Int32) {
        isThere.withLock { isThere in
            if isThere { kill(id, number) }
        }
    }

    private static func start(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ streams: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        // Other tests' sockets are not this program's: a port that it inherited would stay taken.
        for descriptor: Int32 in 3..<512 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // No signal is blocked or ignored, whatever the test run itself was started with.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var id: pid_t = 0
        let number = withCStrings([path] + arguments) { arguments in
            withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&id, path, &actions, &attributes, arguments, environment)
            }
        }
        guard number == 0 else {
            throw HarnessError(description: "\(path) can't be started: \(String(cString: strerror(number)))")
        }
        return id
    }

    /// Waits for the end on a thread of its own: a process id is only given up once nobody can signal it any more.
    private func reap(_ onEnd: @escaping @Sendable (End) -> Void) {
        DispatchQueue(label: "m2m.test.reaper").async { [weak self, id] in
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            self?.isThere.withLock { $0 = false }
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            onEnd(signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal))
        }
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let strings = texts.map { strdup($0) }
        defer { for string in strings { free(string) } }
        return body(strings + [nil])
    }
}
