import CLinux
import Glibc

/// The machine's own clocks.
public struct SystemTime: TimeSource {
    /// The kernel's boot id.
    public let boot: BootID

    /// Reads the boot id.
    ///
    /// - Throws: ``SystemTimeError`` when the kernel does not tell it: there is no `/proc`.
    public init() throws(SystemTimeError) {
        let path = "/proc/sys/kernel/random/boot_id"
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemTimeError(path: path, errno: errno) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(file, &buffer, buffer.count)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        guard let boot = BootID(text: text) else { throw SystemTimeError(path: path, errno: EINVAL) }
        self.boot = boot
    }

    /// `CLOCK_MONOTONIC`.
    public var now: MonotonicTime { Self.monotonic }

    /// `CLOCK_MONOTONIC`, for whoever needs nothing else.
    public static var monotonic: MonotonicTime {
        MonotonicTime(nanoseconds: clinux_monotonic_ns())
    }

    /// `CLOCK_REALTIME`.
    public var wall: WallTime {
        WallTime(nanoseconds: clinux_wall_ns())
    }

    /// What the kernel says of its clock: adjtimex(2) without `STA_UNSYNC`.
    public var isWallSynchronised: Bool {
        clinux_clock_is_synchronised()
    }

    /// Sleeps on Swift's `SuspendingClock`, which is `CLOCK_MONOTONIC` on Linux.
    public func sleep(until deadline: MonotonicTime) async throws {
        let rest = deadline - now
        guard rest > .zero else { return try Task.checkCancellation() }
        try await Task.sleep(for: rest, tolerance: min(rest / 20, Duration.milliseconds(5)), clock: .suspending)
    }
}

/// The kernel did not tell its boot id.
public struct SystemTimeError: ExplainedError {
    /// The file that should have told it.
    public let path: String
    /// Why it did not.
    public let errno: Int32

    /// Always an internal failure: without /proc nothing can be dated.
    public var code: ErrorCode { .internalFailure }
    /// The file that should have told it.
    public var resource: String { path }
    /// The reason in words.
    public var description: String {
        "cannot read this boot's id from \(path): \(errorText(errno)); is /proc mounted?"
    }
}
