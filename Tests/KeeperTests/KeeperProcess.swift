import DeviceModel
import Dispatch
import Glibc
import Synchronization
import TestSupport

/// m2m-keeper with simulated lines, as a process of its own.
final class KeeperProcess: Sendable {
    /// The program: the Makefile makes it, because SwiftPM has no part in it.
    private static var path: String {
        get throws {
            let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let path = "/\(root)/.build/keeper/m2m-keeper-simulated"
            guard access(path, X_OK) == 0 else {
                throw HarnessError(description: "there is no \(path): run make keeper")
            }
            return path
        }
    }

    private let id: pid_t
    private let isThere = Mutex(true)
    private let ended = Mailbox<Int32>(bound: 1, policy: .refuseNewest)

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: What is typed behind its name.
    ///   - environment: Its whole environment.
    ///   - output: The file that takes what it says.
    /// - Throws: ``HarnessError`` when it can't be started.
    init(_ arguments: [String], environment: [String: String], output: String) throws {
        let path = try Self.path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // It would keep the ports open on which routers of other tests listen.
        for descriptor: Int32 in 3..<512 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var id: pid_t = 0
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        let number = posix_spawn(&id, path, &actions, nil, words, variables)
        guard number == 0 else { throw HarnessError(description: "\(path) can't be started: \(number)") }
        self.id = id
        reap()
    }

    deinit { signal(SIGKILL) }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) {
        isThere.withLock { isThere in
            if isThere { kill(id, number) }
        }
    }

    /// Waits for its end.
    ///
    /// - Returns: Its exit status; nil when a signal ended it.
    func end() async -> Int32? {
        guard let status = await ended.next(), status & 0x7F == 0 else { return nil }
        return status >> 8 & 0xFF
    }

    /// Its id is given up only when nobody can send it a signal any more.
    private func reap() {
        let (id, ended) = (id, ended)
        DispatchQueue(label: "m2m.test.keeper").async { [weak self] in
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            self?.isThere.withLock { $0 = false }
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            ended.send(status)
        }
    }
}
