import DeviceModel

/// How long to wait before the next try: longer after each failure, up to a bound.
///
/// A plain value.
public struct Backoff: Sendable {
    /// How the pauses are spread.
    public enum Jitter: Sendable {
        /// Not at all.
        case none
        /// Anything from nothing to the full pause, so that many who failed together don't try again together.
        case full
    }

    private let first: Duration
    private let cap: Duration
    private let jitter: Jitter
    /// How many tries have failed since the last success.
    public private(set) var failures = 0

    /// - Parameters:
    ///   - first: The pause after the first failure.
    ///   - cap: No pause is longer.
    ///   - jitter: How the pauses are spread.
    public init(first: Duration, cap: Duration, jitter: Jitter) {
        self.first = first
        self.cap = cap
        self.jitter = jitter
    }

    /// A try failed.
    ///
    /// - Parameter generator: Where the spread comes from.
    /// - Returns: The pause before the next try.
    public mutating func failed(using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(failures, 30)
        failures += 1
        let longest = min(cap, first * (1 << doublings))
        switch jitter {
        case .none: return longest
        case .full: return longest * Double.random(in: 0...1, using: &generator)
        }
    }

    /// A try succeeded, and lasted.
    public mutating func succeeded() {
        failures = 0
    }
}
