/// Where the time comes from.
///
/// Everything that waits or dates takes one, so that tests can turn the clock by hand.
public protocol TimeSource: Sendable {
    /// The device's own clock, now.
    var now: MonotonicTime { get }
    /// The wall clock, now.
    var wall: WallTime { get }
    /// Whether the wall clock is synchronised with the world's time.
    var isWallSynchronised: Bool { get }
    /// The boot to which `now` belongs.
    var boot: BootID { get }

    /// Waits until the device's own clock has reached a point; returns at once when that is past.
    ///
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    func sleep(until deadline: MonotonicTime) async throws
}

extension TimeSource {
    /// All that the clocks say now.
    public var timestamp: Timestamp {
        Timestamp(boot: boot, monotonic: now, wall: wall, isSynchronised: isWallSynchronised)
    }

    /// A time stamp for something that the kernel saw at a point of the monotonic clock a moment ago.
    public func timestamp(at monotonic: MonotonicTime) -> Timestamp {
        var stamp = timestamp
        stamp.wall = stamp.wall - (stamp.monotonic - monotonic)
        stamp.monotonic = monotonic
        return stamp
    }
}
