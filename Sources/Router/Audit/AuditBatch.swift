import DeviceModel

/// What waits to be written into the audit log: what a person or a device did, failures that are put together, and how
/// much was lost.
///
/// A plain value.
struct AuditBatch {
    /// So many entries wait while they can't be written; further ones are counted.
    static let bound = 1_024
    private static let (firstPause, longestPause) = (Duration.seconds(1), Duration.seconds(30))

    private var failures = FailureAggregator()
    private var waiting: [AuditEntry] = []
    private var lost: AuditLoss?
    private var pause = firstPause
    /// Not before this is it tried again to write; nil: the last try went well.
    private var retryAt: MonotonicTime?

    /// Something happened.
    mutating func add(_ note: AuditNote, at now: MonotonicTime) {
        switch note {
        case .entry(let entry): keep([entry])
        case .failure(let failure): keep(failures.add(failure, at: now))
        }
    }

    /// Something was lost before it came here.
    mutating func lose(_ loss: AuditLoss?) {
        if let loss { lost = loss.joined(with: lost) }
    }

    private mutating func keep(_ entries: [AuditEntry]) {
        for entry in entries {
            if waiting.count < Self.bound { waiting.append(entry) } else { lose(AuditLoss(entry)) }
        }
    }

    /// When something has to be written that does not have to be now; nil: nothing waits.
    var deadline: MonotonicTime? {
        let isWaiting = !waiting.isEmpty || lost != nil
        return [failures.deadline, isWaiting ? retryAt : nil].compactMap(\.self).min()
    }

    /// What is to be written now, in order.
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - isLast: Whether nothing will come any more: all has to be written that there is.
    /// - Returns: The entries; they are to be written again, until they are ``written()``.
    mutating func due(at now: MonotonicTime, isLast: Bool = false) -> [AuditEntry] {
        keep(isLast ? failures.flush() : failures.due(at: now))
        if let retryAt, now < retryAt, !isLast { return [] }
        return waiting + (lost.map { [$0.entry] } ?? [])
    }

    /// What was due is written.
    mutating func written() {
        (waiting, lost, retryAt, pause) = ([], nil, nil, Self.firstPause)
    }

    /// What was due could not be written.
    mutating func failed(at now: MonotonicTime) {
        retryAt = now + pause
        pause = min(pause * 2, Self.longestPause)
    }
}
