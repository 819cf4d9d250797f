import DeviceModel
import Glibc
import TestSupport

/// m2m-keeper with simulated lines, as a process of its own.
final class KeeperProcess: Sendable {
    private let process: ChildProcess
    private let ended: Mailbox<ChildProcess.End>

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: What is typed behind its name.
    ///   - environment: Its whole environment.
    ///   - output: The file that takes what it says.
    /// - Throws: ``HarnessError`` when it can't be started.
    init(_ arguments: [String], environment: [String: String], output: String) throws {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let said = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for descriptor in [nothing, said] { close(descriptor) } }
        let ended = Mailbox<ChildProcess.End>(bound: 1, policy: .refuseNewest)
        process = try ChildProcess(
            Made.simulatedKeeper.path, arguments, environment: environment, streams: [nothing, said, said]
        ) { ended.send($0) }
        self.ended = ended
    }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) { process.signal(number) }

    /// Waits for its end.
    ///
    /// - Returns: Its exit status; nil when a signal ended it.
    func end() async -> Int32? {
        if case .exited(let status) = await ended.next() { status } else { nil }
    }
}
