import DeviceModel

extension StoreDatabase {
    /// Stores observations in one transaction, and numbers them.
    func append(_ observations: [Observation], lost: [Loss]) throws(StoreError) -> [RecordedObservation] {
        var (streams, clock, thinning) = (self.streams, self.clock, self.thinning)
        let (recorded, gone) = try sqlite.transaction { () throws(StoreError) in
            for loss in lost where loss.count > 0 { try insert(loss, &streams) }
            var recorded: [RecordedObservation] = []
            recorded.reserveCapacity(observations.count)
            for observation in observations {
                recorded.append(try insert(observation, &streams))
                try see(observation.time, &clock)
            }
            try mark(streams, at: (observations.last?.time ?? time.timestamp).known(by: clock))
            return (recorded, try prune(clock, &thinning))
        }
        (self.streams, self.clock, self.thinning) = (streams, clock, thinning)
        kept += recorded.count - gone.dropped
        dropped += gone.dropped
        if let trimmed = gone.trimmed {
            kept -= trimmed
            arrived = []
        }
        return recorded
    }

    private func insert(
        _ observation: Observation, _ streams: inout [StreamName: Stream]
    ) throws(StoreError) -> RecordedObservation {
        let name = observation.stream
        guard let stream = streams[name] else { preconditionFailure("every stream has an epoch") }
        let position = StreamPosition(stream: name, epoch: stream.epoch, sequence: stream.next)
        let record = RecordedObservation(position: position, observation: observation)
        let boot =
            observation.time.boot == time.boot
            ? bootRow
            : try sqlite.first("SELECT id FROM boots WHERE boot = ?", [.blob(observation.time.boot.bytes)]) {
                $0.integer(0)
            }
        try sqlite.run(ObservationRow.insert, ObservationRow.values(record, boot: boot ?? bootRow))
        // The first one of that id may still be on its way.
        if case .result(let result) = observation.content, result.reason != Command.givenBefore {
            try sqlite.run("UPDATE commands SET finished = 1 WHERE id = ?", [.text(result.id.rawValue)])
        }
        streams[name]?.next += 1
        return record
    }

    private func insert(_ loss: Loss, _ streams: inout [StreamName: Stream]) throws(StoreError) {
        guard let stream = streams[loss.stream] else { preconditionFailure("every stream has an epoch") }
        let last = stream.next + UInt64(loss.count) - 1
        try writeDown(
            Gap(
                stream.next...last, of: loss.stream, epoch: stream.epoch, reason: loss.reason, since: loss.since,
                until: loss.until))
        streams[loss.stream]?.next = last + 1
    }

    /// Writes down how far each stream is; when, only where that is known.
    private func mark(_ streams: [StreamName: Stream], at wall: WallTime?) throws(StoreError) {
        for (name, stream) in streams where stream.next != self.streams[name]?.next {
            try sqlite.run(
                "UPDATE streams SET next = ?, committed = ifnull(?, committed) WHERE name = ?",
                [.bits(stream.next), .optional(wall), .text(name.rawValue)])
        }
    }

    /// Takes note of a clock that was synchronised: with it all that was observed in this boot is dated.
    private func see(_ time: Timestamp, _ clock: inout BootClock) throws(StoreError) {
        guard time.boot == self.time.boot, clock.see(time), let offset = clock.offset else { return }
        try sqlite.run(
            "UPDATE boots SET offset = ? WHERE id = ?", [.integer(offset.nanoseconds), .integer(bootRow)])
    }
}

extension Timestamp {
    /// When it was, as far as that is known; nil: the clock of its boot was never right.
    fileprivate func known(by clock: BootClock) -> WallTime? {
        if isSynchronised { return wall }
        return clock.offset.map { WallTime(nanoseconds: monotonic.nanoseconds) + $0 }
    }
}
