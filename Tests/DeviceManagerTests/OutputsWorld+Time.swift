import DeviceModel

@testable import DeviceManager

// Time passes, and everything happens in its turn.
extension OutputsWorld {
    /// Time passes, and everything happens that is due.
    mutating func pass(_ duration: Int) throws(OutputDifference) {
        let end = now + duration
        var patience = 1_000
        while let next = next(), next <= end {
            if next > now { patience = 1_000 }
            patience -= 1
            guard patience > 0 else { throw difference("it does not come to rest") }
            now = max(now, next)
            try step()
        }
        now = end
    }

    private func next() -> Int? {
        var moments = flights.values.map { $0.isDone == nil ? $0.lands : $0.answers }
        moments.append(keeper?.next ?? OutputsModel.never)
        if let frozenUntil {
            moments.append(frozenUntil)
        } else {
            moments += arrivals.values
            moments.append(wakes ?? OutputsModel.never)
        }
        return moments.min()
    }

    /// What has come for a frozen agent is read by several of its tasks, so that one thing may overtake another.
    private mutating func shuffleInbox() {
        for index in (0..<3).flatMap({ _ in inbox.indices.dropFirst() })
        where inbox[index].mayOvertake(inbox[index - 1]) && Bool.random(using: &chance) {
            inbox.swapAt(index - 1, index)
        }
    }

    /// One thing of those that are due: the keeper first, then the lines, and the agent's own clock at last.
    private mutating func step() throws(OutputDifference) {
        if isAgentFirst, frozenUntil == nil, let wakes, wakes <= now {
            return try feed(.tick)
        }
        try keep { $0.tick(at: $1) }
        try tellNews()
        if let output = flights.first(where: { $0.value.isDone == nil && $0.value.lands <= now })?.key {
            return try land(output)
        }
        if let output = flights.first(where: { $0.value.isDone != nil && $0.value.answers <= now })?.key {
            return try answer(output)
        }
        if let end = frozenUntil, end <= now {
            frozenUntil = nil
            shuffleInbox()
            while !inbox.isEmpty, machine != nil { try feed(inbox.removeFirst()) }
            return
        }
        guard frozenUntil == nil else { return }
        if let output = arrivals.first(where: { $0.value <= now })?.key {
            arrivals[output] = nil
            // Where the agent takes a line itself, that makes it safe.
            if keeper == nil { try set(output, terms[output].safeOn, isOrdered: false) }
            let reason = keeper?.adopt(output, at: now)
            return try feed(
                .found(output, on: witness.lines[output], reason, until: keeper?.deadline(of: output)))
        }
        if let wakes, wakes <= now { try feed(.tick) }
    }
}

extension OutputStimulus {
    /// Who brings it: who commands, who drives a line, or whoever listens to the keeper; nil: it has its place.
    private var messenger: Int? {
        switch self {
        case .order, .renew, .link, .stop, .tick: 0
        case .driven, .tooLate: 1
        case .madeSafe: 2
        case .found, .lost: nil
        }
    }

    fileprivate func mayOvertake(_ other: OutputStimulus) -> Bool {
        guard let messenger, let before = other.messenger else { return false }
        return messenger != before
    }
}
