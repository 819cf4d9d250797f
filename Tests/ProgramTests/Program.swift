import Dispatch
import Glibc
import Synchronization
import TestSupport

/// A program that a test started, as a user does: with arguments, an environment and standard input, and nothing else.
final class Program: Sendable {
    /// How a program ended.
    enum End: Hashable, Sendable {
        /// By itself, with this status.
        case exited(Int32)
        /// By this signal.
        case killed(Int32)
    }

    /// What was typed.
    let command: String
    /// What it says on standard output.
    let output = Lines("standard output")
    /// What it says on standard error.
    let errors = Lines("standard error")
    /// The process.
    let id: pid_t

    private let isThere = Mutex(true)
    private let ended = Watched<End?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Its whole environment.
    ///   - input: Its whole standard input, a line each.
    ///   - folder: Where its pipes are made.
    /// - Throws: ``HarnessError`` when it can't be started.
    init(
        _ path: String, _ arguments: [String], environment: [String: String], input: [String],
        folder: TemporaryDirectory
    ) throws {
        command = ([path.split(separator: "/").last.map(String.init) ?? path] + arguments).joined(separator: " ")
        let streams = try (0..<3).map { _ in try Self.pipe(folder) }
        let text = Array(input.map { "\($0)\n" }.joined().utf8)
        // Nobody reads yet, and a pipe holds 64 KiB: what a person types fits.
        guard write(streams[0].write, text, text.count) == text.count else {
            throw HarnessError(description: "the input of \(command) is too long")
        }
        close(streams[0].write)
        let spawned = Spawned(
            path: path, arguments: [path] + arguments, environment: environment,
            streams: [streams[0].read, streams[1].write, streams[2].write])
        id = try spawned.start()
        for descriptor in spawned.streams { close(descriptor) }
        output.read(streams[1].read)
        errors.read(streams[2].read)
        reap()
    }

    deinit { signal(SIGKILL) }

    /// Sends a signal, unless the program has ended.
    func signal(_ number: Int32) {
        isThere.withLock { isThere in
            if isThere { kill(id, number) }
        }
    }

    /// Waits until the program has ended, and nobody writes where it wrote.
    @discardableResult
    func end() async throws -> End {
        let end = try await ended.wait(for: "end of \(command)") { $0 }
        _ = try await output.end()
        _ = try await errors.end()
        return end
    }

    /// Waits for the end; what came out of it.
    func outcome() async throws -> Outcome {
        let end = try await end()
        return Outcome(command: command, end: end, output: output.all, errors: errors.all)
    }

    /// Waits for the end on a thread of its own: a process id is only given up once nobody can signal it any more.
    private func reap() {
        let (id, ended) = (id, ended)
        DispatchQueue(label: "m2m.test.reaper").async { [weak self] in
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            self?.isThere.withLock { $0 = false }
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            ended.change { $0 = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal) }
        }
    }

    /// A pipe whose ends no other program inherits: what is being started at the same time must not keep it open.
    private static func pipe(_ folder: TemporaryDirectory) throws -> (read: Int32, write: Int32) {
        let path = folder.file("pipe-\(UInt64.random(in: 0...(.max)))")
        guard mkfifo(path, 0o600) == 0 else { throw HarnessError(description: "no pipe can be made at \(path)") }
        defer { unlink(path) }
        let read = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let write = open(path, O_WRONLY | O_CLOEXEC)
        guard read >= 0, write >= 0, fcntl(read, F_SETFL, 0) == 0 else {
            throw HarnessError(description: "the pipe at \(path) can't be opened")
        }
        return (read, write)
    }
}

/// What came of a program that has ended.
struct Outcome: Hashable, Sendable, CustomStringConvertible {
    let command: String
    let end: Program.End
    let output: [String]
    let errors: [String]

    /// The exit status; nil when a signal ended it.
    var status: Int32? {
        if case .exited(let status) = end { status } else { nil }
    }

    /// All that it said, as a reader of failures wants it.
    var description: String {
        "`\(command)` \(end)\n\((output + errors.map { "! \($0)" }).joined(separator: "\n"))"
    }
}

/// What a process is started with.
private struct Spawned {
    let path: String
    let arguments: [String]
    let environment: [String: String]
    /// Standard input, output and error.
    let streams: [Int32]

    func start() throws -> pid_t {
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
        let number = Self.withCStrings(arguments) { arguments in
            Self.withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&id, path, &actions, &attributes, arguments, environment)
            }
        }
        guard number == 0 else {
            throw HarnessError(description: "\(path) can't be started: \(String(cString: strerror(number)))")
        }
        return id
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let strings = texts.map { strdup($0) }
        defer { for string in strings { free(string) } }
        return body(strings + [nil])
    }
}
