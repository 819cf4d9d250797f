import DeviceModel

/// Slows down who guesses passwords: for each account and source apart, so that nobody can keep a stranger out, and a
/// source that tries many names for all of them together.
///
/// A plain value.
struct LoginThrottle {
    /// Who is slowed down: a source at one account, or, with an account of nil, one that tries many.
    private struct Origin: Hashable {
        var account: String?
        var source: String
    }

    /// So many failures are free: everybody mistypes.
    private static let free = 3
    /// So many names are free for one source: a household may share an address.
    private static let freeNames = 30

    private var accounts = Guesses<Origin>()
    private var sources = Guesses<Origin>()

    /// How long a try has to wait; nil: it may go on.
    func delay(account: String, source: String, at now: MonotonicTime) -> Duration? {
        let one = accounts.delay(Origin(account: account, source: source), free: Self.free, at: now)
        let many = sources.delay(Origin(source: source), free: Self.freeNames, at: now)
        return [one, many].compactMap(\.self).max()
    }

    /// A try failed.
    mutating func failed(account: String, source: String, at now: MonotonicTime) {
        let isNewName = accounts.failed(Origin(account: account, source: source), at: now)
        if isNewName { _ = sources.failed(Origin(source: source), at: now) }
    }

    /// A try succeeded.
    mutating func succeeded(account: String, source: String) {
        accounts.forget(Origin(account: account, source: source))
        sources.takeBack(Origin(source: source))
    }
}

/// How often whom failed, and when last.
private struct Guesses<Origin: Hashable> {
    private struct Entry {
        var failures: Int
        var last: MonotonicTime
    }

    private static var longest: Duration { .seconds(30) }
    /// After so long without a failure all is forgotten.
    private static var memory: Duration { .seconds(900) }
    /// So many origins are remembered; the one that was heard of longest ago goes.
    private static var bound: Int { 10_000 }

    private var entries: [Origin: Entry] = [:]

    func delay(_ origin: Origin, free: Int, at now: MonotonicTime) -> Duration? {
        guard let known = entries[origin], known.failures >= free else { return nil }
        let pause = min(Self.longest, .seconds(1 << min(known.failures - free, 10)))
        let rest = known.last + pause - now
        return rest > .zero && now - known.last < Self.memory ? rest : nil
    }

    /// - Returns: Whether it is the first failure that is remembered.
    mutating func failed(_ origin: Origin, at now: MonotonicTime) -> Bool {
        let before = entries[origin].map { now - $0.last < Self.memory ? $0.failures : 0 } ?? 0
        if entries.count >= Self.bound, entries[origin] == nil {
            entries = entries.filter { now - $0.value.last < Self.memory }
            if entries.count >= Self.bound, let oldest = entries.min(by: { $0.value.last < $1.value.last })?.key {
                entries[oldest] = nil
            }
        }
        entries[origin] = Entry(failures: before + 1, last: now)
        return before == 0
    }

    mutating func forget(_ origin: Origin) {
        entries[origin] = nil
    }

    mutating func takeBack(_ origin: Origin) {
        if let known = entries[origin] { entries[origin]?.failures = max(0, known.failures - 1) }
    }
}
