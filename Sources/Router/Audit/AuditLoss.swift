import DeviceModel

/// Entries that could not be kept: how many, and from when to when.
struct AuditLoss: Hashable, Sendable {
    private var count: Int
    private var first: WallTime
    private var last: WallTime

    /// An entry that could not be kept.
    init(_ entry: AuditEntry) {
        (count, first, last) = (entry.times, entry.time, entry.until ?? entry.time)
    }

    /// What was lost with something else that was.
    func joined(with other: AuditLoss?) -> AuditLoss {
        guard let other else { return self }
        var both = self
        both.count += other.count
        (both.first, both.last) = (min(first, other.first), max(last, other.last))
        return both
    }

    /// The entry that says so.
    var entry: AuditEntry {
        AuditEntry(
            time: first, who: AuditEntry.router, source: AuditEntry.local, act: .entriesLost,
            result: "more happened than could be written, or the disk failed", times: count,
            until: count > 1 ? last : nil)
    }
}
