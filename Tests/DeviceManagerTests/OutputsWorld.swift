import Components
import DeviceModel
import HAL
import TestSupport
import Testing

@testable import DeviceManager

/// What went wrong in a history.
struct OutputDifference: Error, CustomStringConvertible {
    let description: String
}

/// What happened in a history, line by line.
final class OutputsStory {
    var lines: [String] = []
}

/// A device in plain numbers: lines, whoever holds them, the link, and the agent that is killed and started again.
///
/// It gives the same stimuli to the machine and to the model and compares what they do. The lines are the witness: each
/// change of one is looked at, whatever either of the two thinks.
struct OutputsWorld {
    /// What is broken in the machine, to see whether that is noticed.
    struct Sabotage: Sendable, CustomTestStringConvertible {
        /// What the machine lacks; empty: nothing.
        var lacks = ""
        var rules: @Sendable (OutputTerms) -> OutputTerms = { $0 }
        var stimulus: @Sendable (OutputStimulus) -> OutputStimulus? = { $0 }
        var journal: @Sendable (OutputJournal) -> OutputJournal = { $0 }
        var drive: @Sendable (OutputDrive) -> OutputDrive = { $0 }
        /// Whether the machine is compared with the model; else there is only the witness.
        var isCompared = true

        /// Whether lines then do what they must not.
        var isSeenAtTheLines = false

        var testDescription: String { lacks }

        static let none = Sabotage()
    }

    /// A drive on its way to its line and back.
    struct Flight {
        var drive: OutputDrive
        var lands: Int
        var answers: Int
        /// Whether the machine meant to change the line.
        var isChange: Bool
        /// Whether it was done; nil: it is still on its way.
        var isDone: Bool?
    }

    /// What the keeper tells: it and the answer to the drive that is under way may overtake each other.
    private struct News {
        var output: Int
        var reason: KeeperReason
        /// The drive whose answer is heard first; nil: none.
        var after: Int?
    }

    let terms: [OutputTerms]
    let sabotage: Sabotage
    /// Nil where the agent holds the lines itself.
    var keeper: ModelKeeper?
    var witness: OutputsWitness
    var now = 1_000

    // The agent.
    var machine: Outputs?
    /// When its next tick is due; nil: never.
    var wakes: Int?
    var model: OutputsModel
    var flights: [Int: Flight] = [:]
    /// When lines are there, of those that are not.
    var arrivals: [Int: Int] = [:]
    var frozenUntil: Int?
    var inbox: [OutputStimulus] = []
    /// What the keeper did and the agent has not heard yet.
    private var news: [News] = []

    // What outlives it.
    var boot: UInt8 = 1
    var journal: OutputJournal?
    /// How many characters of the journal's text are left; nil: all.
    var journalLength: Int?
    var memories: [OutputsModel.Memory?]
    var linkDownSince: Int?

    /// How long drives may take to their line, and back.
    let latencies: [Int]
    /// Whether the agent's clock strikes before the keeper's where both are due.
    let isAgentFirst: Bool
    var chance: SeededGenerator
    /// After how many actions the agent dies; nil: not now.
    var deathAfter: Int?
    /// What happened, if it is to be told.
    let story: OutputsStory?

    /// A device whose agent is not started yet.
    ///
    /// - Parameters:
    ///   - seed: Decides everything that is left to chance.
    ///   - sabotage: What is broken.
    ///   - isTold: Whether a story is written of what happens.
    init(seed: UInt64, sabotage: Sabotage = .none, isTold: Bool = false) {
        var chance = SeededGenerator(seed: seed)
        let hasKeeper = Int.random(in: 0..<4, using: &chance) > 0
        latencies =
            [[0], [0], [0, 0, 50], [0, 50, 200, 1_000], [0, 0, 0, 100, 3_000]].randomElement(using: &chance) ?? [0]
        // A freeze lasts for 5 s at most, and a drive takes twice the longest latency.
        let slack = latencies == [0] ? 0 : 13_000
        isAgentFirst = Bool.random(using: &chance)
        terms = OutputTerms.random(using: &chance)
        self.chance = chance
        self.sabotage = sabotage
        story = isTold ? OutputsStory() : nil
        keeper = hasKeeper ? ModelKeeper(terms) : nil
        witness = OutputsWitness(terms, slack: slack)
        memories = terms.map { _ in nil }
        model = OutputsModel(terms, keeps: hasKeeper, memory: memories, linkDownSince: nil, now: now)
    }

    func tell(_ line: @autoclosure () -> String) {
        story?.lines.append("\(now) ms: \(line())")
    }

    func difference(_ words: String) -> OutputDifference {
        OutputDifference(description: "\(now) ms: \(words)")
    }

    // MARK: The agent

    /// Starts the agent; its lines are there after so long each.
    mutating func start(_ delays: [Int]) {
        tell("agent started, \(journal == nil ? "without a journal" : "with a journal")")
        let read = readJournal().map(sabotage.journal)
        let bootID = BootID(bytes: [UInt8](repeating: boot, count: BootID.size)) ?? 0
        if read == nil || read?.boot != bootID {
            (memories, linkDownSince, journal) = (terms.map { _ in nil }, nil, nil)
            witness.forgetHolders()
        }
        var machine = Outputs(
            heartbeat: keeper == nil ? nil : .milliseconds(1_000), journal: read, boot: bootID,
            now: .milliseconds(now))
        for (index, terms) in terms.enumerated() {
            machine.add(OutputTerms.id(index), sabotage.rules(terms).rules, at: .milliseconds(now))
            arrivals[index] = now + delays[index]
        }
        self.machine = machine
        wakes = machine.deadline?.milliseconds
        witness.linkWent(down: linkDownSince ?? now)
        model = OutputsModel(terms, keeps: keeper != nil, memory: memories, linkDownSince: linkDownSince, now: now)
    }

    /// What is left of the journal, sometimes by way of its text.
    private mutating func readJournal() -> OutputJournal? {
        defer { journalLength = nil }
        guard let journal, journalLength != nil || Int.random(in: 0..<4, using: &chance) == 0 else { return journal }
        let text = journal.text
        return OutputJournal(text: String(text.prefix(journalLength ?? text.count)))
    }

    /// The agent dies; of what is under way to the lines, some arrives.
    mutating func kill() throws(OutputDifference) {
        tell("agent killed")
        for (output, flight) in flights.sorted(by: { $0.key < $1.key })
        where flight.isDone == nil && Bool.random(using: &chance) {
            try land(output)
        }
        (machine, flights, arrivals, frozenUntil, inbox, deathAfter) = (nil, [:], [:], nil, [], nil)
        (news, wakes) = ([], nil)
        witness.forgetCalls()
        if keeper == nil {
            for output in terms.indices { try set(output, terms[output].safeOn, isOrdered: false) }
        } else {
            try keep { $0.agentLost(at: $1) }
        }
    }

    /// The machine and the model hear of something, or will when the agent is awake.
    mutating func feed(_ stimulus: OutputStimulus) throws(OutputDifference) {
        guard machine != nil, deathAfter != 0 else { return }
        guard frozenUntil == nil else { return inbox.append(stimulus) }
        try handle(stimulus)
        try tellNews()
        // What takes no time is done at once, but after what the agent has yet to read.
        while inbox.isEmpty, let output = flights.first(where: { $0.value.answers <= now })?.key {
            if flights[output]?.isDone == nil { try land(output) }
            try answer(output)
        }
    }

    private mutating func handle(_ stimulus: OutputStimulus) throws(OutputDifference) {
        if case .lost(let output) = stimulus { flights[output] = nil }
        tell("\(stimulus)")
        witness.hears(stimulus, at: now)
        var done: [OutputsModel.Deed] = []
        var actions: [Outputs.Action] = []
        if let stimulus = sabotage.stimulus(stimulus), var machine {
            self.machine = nil
            actions = machine.handle(stimulus.event, at: .milliseconds(now)).map { action in
                if case .drive(let drive) = action { .drive(sabotage.drive(drive)) } else { action }
            }
            wakes = machine.deadline?.milliseconds
            self.machine = machine
        }
        for (index, action) in actions.enumerated() {
            switch action {
            case .journal: if index > 0 { throw difference("the journal came after something was done") }
            case .drive(let drive):
                let (output, on) = (OutputTerms.index(drive.component), drive.value == .active)
                let (until, notAfter) = (drive.until?.milliseconds, drive.notAfter?.milliseconds)
                done.append(
                    drive.isChange
                        ? .drive(output, on: on, until: until, notAfter: notAfter)
                        : .keep(output, on: on, until: until, notAfter: notAfter))
            case .answer(let number, let outcome): done.append(.answer(number, outcome.kind))
            case .report, .beat: break
            }
        }
        let expected = model.handle(stimulus, at: now)
        if sabotage.isCompared { try compare(done, expected, after: stimulus) }
        try perform(actions)
    }

    private func compare(
        _ done: [OutputsModel.Deed], _ expected: [OutputsModel.Deed], after stimulus: OutputStimulus
    ) throws(OutputDifference) {
        guard done.count == expected.count, done.isEmpty || Set(done) == Set(expected) else {
            throw difference("after \(stimulus), the machine did \(done), and promised was \(expected)")
        }
        for output in terms.indices {
            guard let one = machine?.all[OutputTerms.id(output)] else { continue }
            let line = model.lines[output]
            if (one.wanted == .active) != line.word.value || (one.value == .active) != line.isOn {
                throw difference(
                    "\(OutputTerms.id(output)) is \(one.value), to be \(one.wanted), and promised was \(line.isOn), \(line.word)"
                )
            }
        }
        if wakes ?? OutputsModel.never > model.deadline {
            throw difference(
                "the machine sleeps until \(wakes ?? OutputsModel.never), but has something to do at \(model.deadline)")
        }
    }

    private mutating func perform(_ actions: [Outputs.Action]) throws(OutputDifference) {
        for action in actions {
            if let left = deathAfter {
                if left == 0 { return }
                deathAfter = left - 1
            }
            switch action {
            case .journal(let content):
                journal = content
                (memories, linkDownSince) = (model.memories, model.linkDownSince)
            case .drive(let drive):
                let output = OutputTerms.index(drive.component)
                if arrivals[output] != nil { continue }  // its line is gone, and the agent has not heard of it yet
                guard flights[output] == nil else { throw difference("two drives at a time for \(drive.component)") }
                let there = latencies.randomElement(using: &chance) ?? 0
                let back = latencies.randomElement(using: &chance) ?? 0
                let isChange = drive.value != machine?.all[drive.component]?.value
                flights[output] = Flight(
                    drive: drive, lands: now + there, answers: now + there + back, isChange: isChange)
                if there == 0 { try land(output) }
            case .answer(let number, let outcome):
                try witness.answered(number, outcome.kind, missing: arrivals.keys, at: now)
            case .report: break
            case .beat: keeper?.live(at: now)
            }
        }
    }

    // MARK: The lines

    /// Looks at the lines as they are now.
    mutating func check() throws(OutputDifference) {
        try witness.check(hasKeeper: keeper != nil, missing: arrivals.keys, at: now)
    }

    /// A drive comes to its line.
    mutating func land(_ output: Int) throws(OutputDifference) {
        guard var flight = flights[output] else { return }
        let drive = flight.drive
        if keeper != nil { try keep { $0.tick(at: $1) } }
        // An agent that holds the lines itself looks after their ends itself.
        let looksAtTime = keeper != nil || drive.isChange
        if looksAtTime, let notAfter = drive.notAfter, notAfter.milliseconds <= now {
            flight.isDone = false
        } else if keeper?.refuses(output, drive, at: now) == true {
            flight.isDone = false
        } else {
            keeper?.note(output, drive, at: now)
            if drive.isChange { try set(output, drive.value == .active, isOrdered: flight.isChange) }
            flight.isDone = true
        }
        keeper?.live(at: now)
        flights[output] = flight
    }

    mutating func answer(_ output: Int) throws(OutputDifference) {
        guard let flight = flights.removeValue(forKey: output), let isDone = flight.isDone else { return }
        let number = flight.drive.number
        try feed(isDone ? .driven(output, number: number) : .tooLate(output, number: number))
        try tellNews()
    }

    mutating func set(_ output: Int, _ on: Bool, isOrdered: Bool) throws(OutputDifference) {
        if witness.lines[output] != on { tell("line \(OutputTerms.id(output)) \(on ? "on" : "off")") }
        try witness.saw(output, on, isOrdered: isOrdered, hasKeeper: keeper != nil, at: now)
    }

    /// A line can't be driven for a while.
    mutating func lose(_ output: Int, for duration: Int) throws(OutputDifference) {
        if flights[output]?.isDone == nil, flights[output] != nil, Bool.random(using: &chance) { try land(output) }
        flights[output] = nil
        arrivals[output] = now + duration
        try feed(.lost(output))
    }

    /// Whoever holds the lines dies, and they fall to safe.
    mutating func resetLines() throws(OutputDifference) {
        tell("all lines safe")
        flights = [:]
        news = []
        if keeper != nil { keeper = ModelKeeper(terms) }
        for output in terms.indices { try set(output, terms[output].safeOn, isOrdered: false) }
    }

    /// The keeper does something; what it makes safe is news.
    mutating func keep(_ act: (inout ModelKeeper, Int) -> [(Int, KeeperReason)]) throws(OutputDifference) {
        guard var holder = keeper else { return }
        let made = act(&holder, now)
        keeper = holder
        for (output, reason) in made {
            try set(output, terms[output].safeOn, isOrdered: false)
            if arrivals[output] == nil, machine != nil {
                let isOvertaken = Bool.random(using: &chance)
                let after = isOvertaken ? flights[output]?.drive.number : nil
                news.append(News(output: output, reason: reason, after: after))
            }
        }
    }

    mutating func tellNews() throws(OutputDifference) {
        while let index = news.firstIndex(where: { $0.after == nil || flights[$0.output]?.drive.number != $0.after }) {
            let news = news.remove(at: index)
            try feed(.madeSafe(news.output, news.reason))
        }
    }
}

extension MonotonicTime {
    var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}

extension CommandOutcome {
    fileprivate var kind: OutputEnd {
        switch status {
        case .done: .done
        case .failed: .failed
        case .expired: .expired
        case .refused:
            .refused(String((reason ?? "").prefix { $0 != ":" }))
        default: .unknown
        }
    }
}
