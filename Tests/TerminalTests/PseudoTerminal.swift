import Dispatch
import Glibc
import Synchronization
import TestSupport

/// A terminal at which a test sits.
final class PseudoTerminal: Sendable {
    /// The program's end.
    let slave: Int32
    private let master: Int32

    init() throws {
        // What posix_openpt(3), unlockpt(3) and ptsname(3) do; see ioctl_tty(2).
        let (unlock, tellNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var (isLocked, number): (Int32, UInt32) = (0, 0)
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        guard master >= 0, ioctl(master, unlock, &isLocked) == 0, ioctl(master, tellNumber, &number) == 0 else {
            throw HarnessError(description: "this machine gives no pseudo terminal")
        }
        slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard slave >= 0 else { throw HarnessError(description: "/dev/pts/\(number) can't be opened") }
    }

    /// Makes the terminal standard input and standard error of this process.
    func takeOver() throws {
        guard dup2(slave, STDIN_FILENO) >= 0, dup2(slave, STDERR_FILENO) >= 0 else {
            throw HarnessError(description: "the pseudo terminal can't be taken")
        }
    }

    /// Whether what is typed is shown.
    var echoes: Bool {
        var settings = termios()
        return tcgetattr(slave, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    fileprivate func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Reads what the program shows until it ends with a text.
    fileprivate func wait(for text: String) -> String {
        let end = Array(text.utf8)
        var shown: [UInt8] = []
        var byte: UInt8 = 0
        while shown.suffix(end.count) != end[...], read(master, &byte, 1) == 1 { shown.append(byte) }
        return String(decoding: shown, as: UTF8.self)
    }
}

/// A person at a terminal, who waits for each question and then types an answer.
final class Person: Sendable {
    private let queue = DispatchQueue(label: "person")
    private let seen = Mutex((shown: "", wasEchoed: false))

    /// Sits down; stays until the line after the last answer has ended.
    init(at terminal: PseudoTerminal, _ answers: [(question: String, answer: String)]) {
        queue.async { [self] in
            for (question, answer) in answers {
                note(terminal.wait(for: question), terminal.echoes)
                terminal.type(answer)
            }
            note(terminal.wait(for: "\n"), false)
        }
    }

    /// All that the terminal has shown, and whether it showed what was typed at any of the questions.
    func leave() -> (shown: String, wasEchoed: Bool) {
        queue.sync {}
        return seen.withLock(\.self)
    }

    private func note(_ shown: String, _ echoes: Bool) {
        seen.withLock { seen in
            seen.shown += shown
            seen.wasEchoed = seen.wasEchoed || echoes
        }
    }
}
