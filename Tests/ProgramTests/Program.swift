import Glibc
import TestSupport

/// A program that a test started, as a user does: with arguments, an environment and standard input, and nothing else.
final class Program: Sendable {
    /// How a program ended.
    typealias End = ChildProcess.End

    /// What was typed.
    let command: String
    /// What it says on standard output.
    let output = Lines("standard output")
    /// What it says on standard error.
    let errors = Lines("standard error")
    private let process: ChildProcess
    private let ended: Watched<End?>

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
        let own = [streams[0].read, streams[1].write, streams[2].write]
        defer { for descriptor in own { close(descriptor) } }
        let ended = Watched<End?>(nil)
        process = try ChildProcess(path, arguments, environment: environment, streams: own) { end in
            ended.change { $0 = end }
        }
        self.ended = ended
        output.read(streams[1].read)
        errors.read(streams[2].read)
    }

    /// The process.
    var id: pid_t { process.id }

    /// Sends a signal, unless the program has ended.
    func signal(_ number: Int32) { process.signal(number) }

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

    /// All that it said, on one line: who reads of failures only sees the line that says so.
    var description: String {
        "`\(command)` \(end): \((output + errors.map { "! \($0)" }).joined(separator: " | "))"
    }
}
