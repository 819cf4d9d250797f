/// What is promised of outputs, as a model of its own to compare the machine with.
///
/// It keeps a pile of words for each output: the one at the bottom is in force, those above it are of commands that are
/// still to be done. A command that is not done is taken out, as though it had never been given; whatever forces an
/// output safe clears the pile.
struct OutputsModel {
    /// What somebody said an output is to be.
    struct Word: Equatable {
        var value: Bool
        /// The command that is still to be done; nil: it is in force.
        var number: Int?
        var overLink = false
        var lease: Int?
        var ends: Int?
    }

    /// Somebody who waits for an answer.
    struct Ask {
        var number: Int
        var value: Bool
        var deadline: Int
        /// The lease that is to go on when its turn comes, and until when.
        var renewal: Renewal?
    }

    struct Renewal {
        var lease: Int
        var ends: Int
    }

    struct Move {
        var value: Bool
        var begun: Int
        var asks: [Ask]
        var until: Int?
    }

    enum State { case absent, there, stuck }

    /// What outlives the agent.
    struct Memory {
        var word: Word
        /// Since when it is on and since when it is off; nil: it is not, or that is doubtful.
        var onSince: Int?
        var offSince: Int?
    }

    struct Line {
        let terms: OutputTerms
        var state = State.absent
        var pile: [Word]
        var asks: [Ask] = []
        var move: Move?
        var isOn: Bool
        var onSince: Int?
        var offSince: Int?
        /// Until when the keeper was told to leave it away from safe.
        var told: Int?
        /// Whether word that it was made safe came while it was being moved, so that nobody knows which was first.
        var isDoubtful = false
        /// What a run before this one knew.
        var memory: Memory?
        /// Whether the line has been there in this run.
        var wasThere = false

        var word: Word { pile[pile.count - 1] }
        var isAway: Bool {
            isOn != terms.safeOn || word.value != terms.safeOn || move.map { $0.value != terms.safeOn } ?? false
        }
    }

    /// What the machine has to do.
    enum Deed: Hashable {
        /// A line is switched.
        case drive(Int, on: Bool, until: Int?, notAfter: Int?)
        /// A line stays as it is until another time, and must not be switched for that.
        case keep(Int, on: Bool, until: Int?, notAfter: Int?)
        case answer(Int, OutputEnd)
    }

    static let patience = 2_000
    static let never = Int.max

    var lines: [Line]
    /// The pauses between outputs that exclude each other.
    private var pauses: [[Int?]]
    var linkDownSince: Int?
    var isStopping = false
    let keeps: Bool
    var deeds: [Deed] = []

    init(_ terms: [OutputTerms], keeps: Bool, memory: [Memory?], linkDownSince: Int?, now: Int) {
        self.keeps = keeps
        self.linkDownSince = linkDownSince ?? now
        lines = terms.indices.map { index in
            Line(
                terms: terms[index], pile: [Word(value: terms[index].safeOn)], isOn: terms[index].safeOn,
                memory: memory[index])
        }
        pauses = terms.indices.map { one in
            terms.indices.map { other in
                let excludes = terms[one].interlock.contains(other) || terms[other].interlock.contains(one)
                return excludes ? max(terms[one].pause, terms[other].pause) : nil
            }
        }
    }

    /// The pause between two outputs that exclude each other; nil: they do not.
    func pause(_ one: Int, _ other: Int) -> Int? { pauses[one][other] }

    // MARK: What happens

    /// Something happens.
    ///
    /// - Returns: What has to be done because of it.
    mutating func handle(_ stimulus: OutputStimulus, at now: Int) -> [Deed] {
        deeds = []
        switch stimulus {
        case .order, .renew, .link: pass(to: now)  // what time has forced comes before what anybody wants
        default: break
        }
        switch stimulus {
        case .found(let output, let on, _, let until): find(output, on, until, at: now)
        case .lost(let output): lose(output)
        case .order(let call): take(call, at: now)
        case .renew(let renewal): renew(renewal, at: now)
        case .driven(let output, _): driven(output, at: now)
        case .tooLate(let output, _): tooLate(output)
        case .madeSafe(let output, _): madeSafe(output, at: now)
        case .link(let isUp): linkDownSince = isUp ? nil : linkDownSince ?? now
        case .stop:
            isStopping = true
            for output in lines.indices where lines[output].isAway && (!keeps || lines[output].terms.hold == nil) {
                force(output)
            }
        case .tick: break
        }
        pass(to: now)
        for output in lines.indices { settle(output, at: now) }
        return deeds
    }

    func answer(_ asks: [Ask], _ kind: OutputEnd) -> [Deed] {
        asks.map { .answer($0.number, kind) }
    }

    /// Safe, whatever anybody wants; those who want just that still wait for it, however late it comes.
    mutating func force(_ output: Int) {
        let safe = lines[output].terms.safeOn
        lines[output].pile = [Word(value: safe)]
        deeds += answer(lines[output].asks.filter { $0.value != safe }, .failed)
        lines[output].asks = lines[output].asks.filter { $0.value == safe }.map {
            Ask(number: $0.number, value: $0.value, deadline: Self.never, renewal: $0.renewal)
        }
    }

    /// A command is not done: its word does not count.
    mutating func forget(_ output: Int, _ asks: [Ask]) {
        guard !asks.isEmpty else { return }
        let numbers = Set(asks.map(\.number))
        lines[output].pile.removeAll { $0.number.map(numbers.contains) ?? false }
        lines[output].asks.removeAll { numbers.contains($0.number) }
    }

    // MARK: Time

    /// When an output has to be made safe; nil: nothing forces it.
    func forcedEnd(_ output: Int) -> Int? {
        let line = lines[output]
        guard line.word.value != line.terms.safeOn else { return nil }
        var ends = [line.word.ends ?? Self.never]
        if let maxOn = line.terms.maxOn, line.word.value {
            let begin = line.move.flatMap { $0.value && !line.isOn ? $0.begun : nil } ?? line.onSince
            ends.append(begin.map { $0 + maxOn } ?? Self.never)
        }
        if line.word.overLink, let after = line.terms.linkAfter, let linkDownSince {
            ends.append(linkDownSince + after)
        }
        return ends.min().flatMap { $0 == Self.never ? nil : $0 }
    }

    /// When time alone changes something.
    var deadline: Int {
        lines.indices.map { output in
            let line = lines[output]
            let stuck = line.state == .there ? line.move.map { $0.begun + Self.patience } : nil
            let heldSafe = line.word.value == line.terms.safeOn ? line.word.ends : nil
            return min(forcedEnd(output) ?? Self.never, stuck ?? Self.never, heldSafe ?? Self.never)
        }.min() ?? Self.never
    }

    private mutating func pass(to now: Int) {
        for output in lines.indices {
            if let end = forcedEnd(output), end <= now {
                force(output)
            } else if let end = lines[output].word.ends, end <= now {
                let top = lines[output].pile.count - 1
                (lines[output].pile[top].lease, lines[output].pile[top].ends) = (nil, nil)
            }
            guard lines[output].state == .there, let move = lines[output].move, move.begun + Self.patience <= now
            else { continue }
            deeds += answer(move.asks, .unknown) + answer(lines[output].asks, .failed)
            lines[output].state = .stuck
            lines[output].asks = []
            lines[output].move?.asks = []
            force(output)
        }
    }

    // MARK: Driving

    private mutating func settle(_ output: Int, at now: Int) {
        guard lines[output].state == .there, lines[output].move == nil else { return }
        if !lines[output].asks.isEmpty {
            drop(output, .failed) { $0.value != $1 }
            drop(output, .expired) { ask, _ in ask.deadline <= now }
            drop(output, .failed) { $0.value != $1 }
            let lease = lines[output].word.lease
            drop(output, .refused("it is not held any more")) { ask, _ in
                ask.renewal.map { $0.lease != lease } ?? false
            }
        }
        for ask in lines[output].asks where ask.number > lines[output].word.number ?? 0 {
            guard let renewal = ask.renewal, renewal.lease == lines[output].word.lease else { continue }
            lines[output].pile[lines[output].pile.count - 1].ends = renewal.ends
        }
        let line = lines[output]
        let value = line.word.value
        let isSafe = value == line.terms.safeOn
        if value == line.isOn, isSafe || line.told == forcedEnd(output) && !line.isDoubtful {
            deeds += answer(line.asks, .done)
            keep(output, line.asks)
            lines[output].asks = []
            return
        }
        lines[output].move = Move(value: value, begun: now, asks: line.asks, until: nil)
        (lines[output].asks, lines[output].isDoubtful) = ([], false)
        let until = forcedEnd(output)
        lines[output].move?.until = until
        if value == line.isOn {
            deeds.append(.keep(output, on: value, until: until, notAfter: line.told))
        } else {
            var latest = line.asks.map(\.deadline).max() ?? Self.never
            // What is given up must not be done afterwards, unless it makes the output safe.
            if !isSafe { latest = min(latest, now + Self.patience) }
            let notAfter = latest == Self.never ? nil : latest
            deeds.append(.drive(output, on: value, until: until, notAfter: notAfter))
        }
    }

    /// Tells those who wait in vain.
    private mutating func drop(_ output: Int, _ kind: OutputEnd, _ isInVain: (Ask, Bool) -> Bool) {
        let value = lines[output].word.value
        let vain = lines[output].asks.filter { isInVain($0, value) }
        deeds += answer(vain, kind)
        forget(output, vain)
    }

    /// Commands are done: the newest of their words is in force, and what was before it is history.
    private mutating func keep(_ output: Int, _ asks: [Ask]) {
        guard !asks.isEmpty else { return }
        let numbers = Set(asks.map(\.number))
        guard let newest = lines[output].pile.lastIndex(where: { $0.number.map(numbers.contains) ?? false })
        else { return }
        lines[output].pile.removeFirst(newest)
        lines[output].pile[0].number = nil
    }

    private mutating func driven(_ output: Int, at now: Int) {
        guard let move = lines[output].move else { return }
        (lines[output].state, lines[output].move) = (.there, nil)
        lines[output].told = move.value == lines[output].terms.safeOn ? nil : move.until
        // Away from safe since early rather than late, and safe since late rather than early.
        let early = move.value && !lines[output].terms.safeOn
        if move.value != lines[output].isOn { became(output, move.value, at: early ? move.begun : now) }
        deeds += answer(move.asks, .done)
        keep(output, move.asks)
    }

    private mutating func tooLate(_ output: Int) {
        guard let move = lines[output].move else { return }
        (lines[output].state, lines[output].move) = (.there, nil)
        let isChange = move.value != lines[output].isOn
        deeds += answer(move.asks, isChange ? .expired : .failed)
        forget(output, move.asks)
        if !isChange { force(output) }
    }

    mutating func became(_ output: Int, _ on: Bool, at moment: Int) {
        lines[output].isOn = on
        (lines[output].onSince, lines[output].offSince) = on ? (moment, nil) : (nil, moment)
    }
}
