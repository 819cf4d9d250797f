import Glibc
import TestSupport

/// A terminal that nobody reads any more, and that takes no whole line.
final class UnreadTerminal: Sendable {
    /// The end at which programs write.
    let path: String
    private let master: Int32

    /// Makes one that has room for a few bytes.
    ///
    /// It is not full: a full one says so, while one with a little room says that it can be written to.
    init() throws {
        let whole = try Self.open()
        let room = try Self.fill(whole.path, .max)
        close(whole.master)
        (master, path) = try Self.open()
        let count = try Self.fill(path, room - 40)
        guard count == room - 40 else {
            throw HarnessError(description: "a pseudo terminal took \(room) bytes, the next one only \(count)")
        }
    }

    deinit { close(master) }

    /// Reads it after all, from now on.
    func read() -> Lines {
        let lines = Lines("terminal")
        lines.read(fcntl(master, F_DUPFD_CLOEXEC, 0))
        return lines
    }

    private static func open() throws -> (master: Int32, path: String) {
        // What posix_openpt(3), unlockpt(3) and ptsname(3) do; see ioctl_tty(2).
        let (unlock, tellNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var (isLocked, number): (Int32, UInt32) = (0, 0)
        let master = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0, ioctl(master, unlock, &isLocked) == 0, ioctl(master, tellNumber, &number) == 0 else {
            throw HarnessError(description: "this machine gives no pseudo terminal")
        }
        return (master, "/dev/pts/\(number)")
    }

    /// Writes byte by byte, until there is no more room.
    ///
    /// What it has taken moves on inside it, and makes room for more. The kernel may be late with that on a machine that
    /// has much to do, and has a second for it.
    ///
    /// - Returns: How many it took.
    private static func fill(_ path: String, _ most: Int) throws -> Int {
        let slave = Glibc.open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard slave >= 0 else { throw HarnessError(description: "\(path) can't be opened") }
        defer { close(slave) }
        var (count, hasRoom) = (0, true)
        while count < most, hasRoom {
            if write(slave, "x", 1) == 1 {
                count += 1
            } else {
                var wish = pollfd(fd: slave, events: Int16(POLLOUT), revents: 0)
                hasRoom = poll(&wish, 1, 1_000) != 0
            }
        }
        return count
    }
}
