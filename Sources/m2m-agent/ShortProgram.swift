import Doctor
import Glibc

/// A program that is run for what it prints, and that is soon at its end.
struct ShortProgram: Sendable {
    /// How long it may take, in milliseconds.
    private static let patience: Int64 = 20_000
    /// How much it may print, in bytes.
    private static let limit = 1_048_576

    private let words: [String]

    /// A program, by its name or its path, and its arguments.
    init(_ words: [String]) {
        self.words = words
    }

    /// Runs it.
    ///
    /// - Returns: What it has printed; nil where there is no such program, or it was not at its end in time.
    func result() -> ProgramResult? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let child = start(output: ends[1])
        close(ends[1])
        guard let child else { return nil }
        let output = read(from: ends[0])
        if output == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return output.map { ProgramResult(status: status & 0x7F == 0 ? status >> 8 & 0xFF : -1, output: $0) }
    }

    /// Starts it with its output into a pipe, and nothing to read.
    private func start(output: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        let variables = ["LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_COLORS=0"]
        var arguments = Self.pointers(words)
        var environment = Self.pointers(variables)
        defer { (arguments + environment).forEach { free($0) } }
        var child: pid_t = 0
        return posix_spawnp(&child, words[0], &actions, nil, &arguments, &environment) == 0 ? child : nil
    }

    /// Texts as execve(2) takes them; whoever has them frees them.
    private static func pointers(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { text in strdup(text) } + [nil]
    }

    /// All that comes out of a pipe until its end.
    private func read(from pipe: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let end = clock() + Self.patience
        while bytes.count < Self.limit {
            var wait = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let rest = end - clock()
            guard rest > 0, poll(&wait, 1, Int32(rest)) >= 0 || errno == EINTR else { return nil }
            guard wait.revents != 0 else { continue }
            let count = Glibc.read(pipe, &buffer, buffer.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
        }
        return nil
    }

    /// CLOCK_MONOTONIC, in milliseconds.
    private func clock() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}
