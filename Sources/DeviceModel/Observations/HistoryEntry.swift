/// A piece of the past: what was observed, or that something is missing.
public enum HistoryEntry: Hashable, Sendable {
    /// Something was observed.
    case observation(RecordedObservation)
    /// Observations are missing.
    case gap(Gap)

    /// Puts gaps where they belong among observations.
    ///
    /// - Parameters:
    ///   - gaps: What is missing, the oldest epoch first, and within it in the order of the numbers.
    ///   - records: The observations, in the order in which they are to be told.
    /// - Returns: Both; each gap before the first observation of its epoch that comes behind it, else at the end.
    public static func merge(_ gaps: [Gap], into records: [RecordedObservation]) -> [HistoryEntry] {
        var waiting: [StreamKey: [Gap]] = Dictionary(grouping: gaps) { StreamKey(stream: $0.stream, epoch: $0.epoch) }
            .mapValues { $0.reversed() }
        var entries: [HistoryEntry] = []
        entries.reserveCapacity(records.count + gaps.count)
        for record in records {
            let key = StreamKey(stream: record.position.stream, epoch: record.position.epoch)
            while let next = waiting[key]?.last, next.first < record.position.sequence {
                entries.append(.gap(next))
                waiting[key]?.removeLast()
            }
            entries.append(.observation(record))
        }
        let rest = gaps.filter { gap in
            guard let next = waiting[StreamKey(stream: gap.stream, epoch: gap.epoch)]?.last else { return false }
            return gap.first >= next.first
        }
        return entries + rest.map(HistoryEntry.gap)
    }

    private struct StreamKey: Hashable {
        var stream: StreamName
        var epoch: UInt64
    }
}
