/// A point on the device's own clock, which counts from its boot and never jumps: Linux' `CLOCK_MONOTONIC`.
///
/// The kernel's edge time stamps and all deadlines are on this clock. Values of different boots must not be compared.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the boot.
    public var nanoseconds: Int64

    /// A point so many nanoseconds after the boot.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The earlier one is smaller.
    public static func < (one: Self, other: Self) -> Bool {
        one.nanoseconds < other.nanoseconds
    }

    /// The point a duration later; the end of the clock where that is past it.
    public static func + (time: Self, duration: Duration) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return Self(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// The point a duration earlier.
    public static func - (time: Self, duration: Duration) -> Self {
        time + (.zero - duration)
    }

    /// How much later one point is than the other.
    public static func - (later: Self, earlier: Self) -> Duration {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (later > earlier ? .max : .min) : difference)
    }
}
