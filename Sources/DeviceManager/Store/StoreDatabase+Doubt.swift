import DeviceModel

/// What the router can't read: it must not keep everything else from going up for ever.
extension StoreDatabase {
    /// The router can't read something among what was sent: each of it goes alone from now on, and what went alone is
    /// given up.
    func doubt(_ receptions: [StreamReception]) throws(StoreError) {
        if receptions.count == 1, let sole = receptions.first, try isOne(sole) { return try giveUp(sole) }
        for reception in receptions { doubted.add(reception) }
    }

    func isDoubted(_ row: ObservationRow) -> Bool {
        let position = row.record.position
        return isDoubted(position.sequence...position.sequence, position.stream, position.epoch)
    }

    func isDoubted(_ gap: Gap) -> Bool { isDoubted(gap.numbers, gap.stream, gap.epoch) }

    private func isDoubted(_ numbers: ClosedRange<UInt64>, _ stream: StreamName, _ epoch: UInt64) -> Bool {
        doubted.contains { $0.stream == stream && $0.epoch == epoch && $0.received.contains(numbers) }
    }

    /// Whether a batch was one observation, or one gap.
    private func isOne(_ reception: StreamReception) throws(StoreError) -> Bool {
        guard reception.received.ranges.count == 1 else { return false }
        let observations = try count("observations WHERE \(Self.condition(reception, "sequence", "sequence"))")
        let gaps = try count("gaps WHERE isAcknowledged = 0 AND \(Self.condition(reception, "first", "last"))")
        return observations + gaps == 1
    }

    /// It goes, and is named as missing; a gap is reduced to what every router can read, and only where that is not read
    /// either the router does without it.
    private func giveUp(_ reception: StreamReception) throws(StoreError) {
        let went = try sqlite.transaction { () throws(StoreError) in
            try sqlite.execute(
                "UPDATE gaps SET isAcknowledged = (reason = '\(GapReason.unreadable.rawValue)'), "
                    + "reason = '\(GapReason.unreadable.rawValue)', since = NULL, until = NULL "
                    + "WHERE \(Self.condition(reception, "first", "last"))")
            return try drop(.unreadable, Self.condition(reception, "sequence", "sequence"))
        }
        kept -= went
        dropped += went
        doubted.remove(reception)
    }

    private func count(_ rows: String) throws(StoreError) -> Int64 {
        var count: Int64 = 0
        try sqlite.runOnce("SELECT count(*) FROM \(rows)") { count = $0.integer(0) }
        return count
    }

    /// The rows whose numbers are among those of a reception that is one range.
    private static func condition(_ reception: StreamReception, _ first: String, _ last: String) -> String {
        let numbers = reception.received.ranges.first ?? 0...0
        return "stream = '\(reception.stream.rawValue)' AND epoch = \(Int64(bitPattern: reception.epoch)) "
            + "AND \(first) >= \(numbers.lowerBound) AND \(last) <= \(numbers.upperBound)"
    }
}
