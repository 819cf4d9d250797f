import DeviceModel

/// Slows down who guesses passwords: for each account and source apart, so that nobody can keep a stranger out.
///
/// A plain value.
struct LoginThrottle {
    private struct Guesses {
        var failures: Int
        var last: MonotonicTime
    }

    private struct Origin: Hashable {
        var account: String
        var source: String
    }

    /// So many failures are free: everybody mistypes.
    private static let free = 3
    private static let longest: Duration = .seconds(30)
    /// After so long without a failure all is forgotten.
    private static let memory: Duration = .seconds(900)
    /// So many origins are remembered; the one that was heard of longest ago goes.
    private static let bound = 10_000

    private var guesses: [Origin: Guesses] = [:]

    /// How long a try has to wait; nil: it may go on.
    func delay(account: String, source: String, at now: MonotonicTime) -> Duration? {
        guard let known = guesses[Origin(account: account, source: source)], known.failures >= Self.free else {
            return nil
        }
        let pause = min(Self.longest, .seconds(1 << min(known.failures - Self.free, 10)))
        let rest = known.last + pause - now
        return rest > .zero && now - known.last < Self.memory ? rest : nil
    }

    /// A try failed.
    mutating func failed(account: String, source: String, at now: MonotonicTime) {
        let origin = Origin(account: account, source: source)
        let before = guesses[origin].map { now - $0.last < Self.memory ? $0.failures : 0 } ?? 0
        if guesses.count >= Self.bound, guesses[origin] == nil {
            guesses = guesses.filter { now - $0.value.last < Self.memory }
            if guesses.count >= Self.bound, let oldest = guesses.min(by: { $0.value.last < $1.value.last })?.key {
                guesses[oldest] = nil
            }
        }
        guesses[origin] = Guesses(failures: before + 1, last: now)
    }

    /// A try succeeded.
    mutating func succeeded(account: String, source: String) {
        guesses[Origin(account: account, source: source)] = nil
    }
}
