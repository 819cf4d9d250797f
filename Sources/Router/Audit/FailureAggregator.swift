import DeviceModel

/// Puts failures together that come again and again, so that whoever guesses passwords does not fill the disk.
///
/// The first failure of a kind is written at once. The same again is counted, and written as one entry once a minute and
/// when everything has to be written; a minute without one, and the next is a first one again. A thousand kinds are told
/// apart; further ones are put together for each act, whoever they were. So a flood makes about a thousand lines a minute.
///
/// A plain value.
struct FailureAggregator {
    /// What two failures have in common that are put together.
    private struct Kind: Hashable {
        var act: AuditAct
        var account: AuditEntry.Account?
        var who: String
        var source: String

        init(_ failure: AuditEntry) {
            (act, account, source) = (failure.act, failure.account, failure.source)
            // Who has no account here calls themselves what they like.
            who = failure.account == nil ? "" : failure.who
        }
    }

    static let window: Duration = .seconds(60)
    static let bound = 1_000

    /// The kinds that are remembered, with what came again of them.
    private var repeated: [Kind: AuditEntry?] = [:]
    /// When the minute of each of them is over, in that order.
    private var ends: [(time: MonotonicTime, kind: Kind)] = []

    /// When it wants to be asked next what is due; nil: never.
    var deadline: MonotonicTime? { ends.first?.time }

    /// Something failed.
    ///
    /// - Returns: What is written now.
    mutating func add(_ failure: AuditEntry, at now: MonotonicTime) -> [AuditEntry] {
        let due = due(at: now)
        let isOneOfMany = repeated.count >= Self.bound && repeated[Kind(failure)] == nil
        let failure = isOneOfMany ? failure.ofMany : failure
        let kind = Kind(failure)
        guard let before = repeated[kind] else {
            begin(kind, at: now)
            return due + [failure]
        }
        repeated[kind] = .some(before?.joined(with: failure) ?? failure)
        return due
    }

    /// What is written at a time.
    mutating func due(at now: MonotonicTime) -> [AuditEntry] {
        guard let deadline, deadline <= now else { return [] }
        let over = ends.prefix { $0.time <= now }.map(\.kind)
        ends.removeFirst(over.count)
        return over.compactMap { kind in
            guard case .some(let entry?) = repeated.removeValue(forKey: kind) else { return nil }
            begin(kind, at: now)
            return entry
        }
    }

    /// Everything that has been counted, which is forgotten then.
    mutating func flush() -> [AuditEntry] {
        defer { self = FailureAggregator() }
        return ends.compactMap { repeated[$0.kind] ?? nil }
    }

    private mutating func begin(_ kind: Kind, at now: MonotonicTime) {
        repeated[kind] = .some(nil)
        ends.append((now + Self.window, kind))
    }
}

extension AuditEntry {
    /// What is written instead of an entry where there are too many kinds.
    fileprivate var ofMany: AuditEntry {
        AuditEntry(
            time: time, who: "several", source: "many sources", act: act, result: result, times: times, until: until)
    }

    /// Both entries in one.
    fileprivate func joined(with later: AuditEntry) -> AuditEntry {
        let several = "several"
        return AuditEntry(
            time: min(time, later.time), account: account, who: who == later.who ? who : several, source: source,
            act: act, object: object == later.object ? object : several,
            result: result == later.result ? result : several,
            times: times + later.times, until: max(until ?? time, later.until ?? later.time))
    }
}
