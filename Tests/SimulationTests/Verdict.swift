import DeviceModel

/// What became of everything that a device has committed, once all is quiet.
struct Verdict: CustomStringConvertible {
    /// How many observations were committed, and how many arrived once.
    private(set) var committed = 0
    private(set) var arrived = 0
    /// How many are named as missing, with a number or without one.
    private(set) var named = 0
    private(set) var forgotten = 0
    /// What must not be, in words.
    private(set) var violations: [String] = []

    var description: String {
        "\(committed) committed, \(arrived) arrived, \(named) named in a gap, \(forgotten) lost with a restored disk"
    }

    init(_ history: CommittedHistory, _ rows: [SimulatedRouter.Row], _ gaps: [Gap]) {
        var found: [UInt64: SimulatedRouter.Row] = [:]
        for row in rows {
            guard let serial = row.content.serial, let fact = history.facts[serial] else {
                violations.append("the router has what nobody observed: \(row)")
                continue
            }
            if found.updateValue(row, forKey: serial) != nil { violations.append("\(serial) is there twice") }
            if fact.commit != nil, fact.content != row.content { violations.append("\(serial) is another one: \(row)") }
            checkTime(row, serial, fact)
        }
        judge(history, found, gaps)
        checkNumbers(rows, gaps)
    }

    private mutating func judge(
        _ history: CommittedHistory, _ found: [UInt64: SimulatedRouter.Row], _ gaps: [Gap]
    ) {
        for (serial, fact) in history.facts.sorted(by: { $0.key < $1.key }) {
            guard let position = fact.position, fact.commit != nil else { continue }
            committed += 1
            if found[serial] != nil {
                arrived += 1
            } else if gaps.contains(where: { $0.names(position) }) {
                named += 1
            } else if history.wasForgotten(fact), gaps.contains(where: { $0.mayHide(fact, in: position.stream) }) {
                forgotten += 1
            } else {
                violations.append(
                    "\(serial) was committed as \(position.stream) \(position.epoch) \(position.sequence), and is lost")
            }
        }
    }

    /// Every epoch has each of its numbers once: as an observation or in a gap, which says how many.
    private mutating func checkNumbers(_ rows: [SimulatedRouter.Row], _ gaps: [Gap]) {
        var seen: [String: SequenceRanges] = [:]
        for row in rows {
            let key = "\(row.position.stream) \(row.position.epoch)"
            seen[key, default: SequenceRanges()].insert(row.position.sequence...row.position.sequence)
        }
        for gap in gaps {
            let key = "\(gap.stream) \(gap.epoch)"
            if !seen[key, default: SequenceRanges()].intersection(SequenceRanges([gap.numbers])).isEmpty {
                violations.append("what is there, or another gap, is called missing: \(gap)")
            }
            if let count = gap.count, count != gap.last - gap.first + 1 {
                violations.append("a gap counts wrong: \(gap)")
            }
            seen[key, default: SequenceRanges()].insert(gap.numbers)
        }
        for (key, numbers) in seen.sorted(by: { $0.key < $1.key }) where numbers.through != numbers.last {
            violations.append("numbers of \(key) are neither there nor named: \(numbers.ranges)")
        }
    }

    private mutating func checkTime(_ row: SimulatedRouter.Row, _ serial: UInt64, _ fact: CommittedHistory.Fact) {
        guard row.time.isSynchronised else { return }
        let error = row.time.wall - fact.madeAt
        if error > .seconds(1) || error < .seconds(-1) {
            violations.append("\(serial) is dated \(row.time.wall.rfc3339), and was made at \(fact.madeAt.rfc3339)")
        }
    }
}

extension Gap {
    /// Whether it says that an unknown number is missing from before something was made.
    fileprivate func mayHide(_ fact: CommittedHistory.Fact, in stream: StreamName) -> Bool {
        self.stream == stream && count == nil && [.storeReplaced, .uncleanStop].contains(reason)
            && since.map { $0 < fact.madeAt } ?? true
    }

    fileprivate func names(_ position: StreamPosition) -> Bool {
        stream == position.stream && epoch == position.epoch && numbers.contains(position.sequence)
    }
}
