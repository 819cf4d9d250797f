/// When something happened on a device: the clock that never jumps, and what the wall clock said.
public struct Timestamp: Hashable, Sendable {
    /// The boot to which `monotonic` belongs.
    public var boot: BootID
    /// The device's own clock.
    public var monotonic: MonotonicTime
    /// What the device's wall clock said.
    public var wall: WallTime
    /// Whether the wall clock was synchronised with the world's time.
    public var isSynchronised: Bool

    /// A time stamp of these parts.
    public init(boot: BootID, monotonic: MonotonicTime, wall: WallTime, isSynchronised: Bool) {
        self.boot = boot
        self.monotonic = monotonic
        self.wall = wall
        self.isSynchronised = isSynchronised
    }
}
