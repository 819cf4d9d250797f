import Components
import DeviceModel
import HAL

/// All outputs of the device: who may change them, and what makes them safe.
///
/// A plain value: what happened and when it was go in, what to do comes out. Every caller is above it, so each rule is
/// enforced here once (Docs/SafeOutputs.md). In this order: forced safe beats everything; a command to the safe
/// value is always done; interlocks; `min_on` and `min_off`; whoever holds it.
struct Outputs {
    /// What can happen.
    enum Event {
        /// The line of an output is there, and was found like this.
        case found(ComponentID, FoundOutput)
        /// The line of an output can't be driven any more; what it is then is not known.
        case lost(ComponentID, String)
        /// Somebody commands.
        case order(OutputOrder)
        /// The holder of a lease wants it to go on, or to end.
        case renew(LeaseRenewal, number: Int)
        /// A drive has been done.
        case driven(ComponentID, number: Int)
        /// A drive was not done, because the time of its command had run out.
        case tooLate(ComponentID, number: Int)
        /// Whoever holds the line made it safe by itself.
        case madeSafe(ComponentID, KeeperReason)
        /// The link to the router is there, or is lost.
        case link(isUp: Bool)
        /// The agent stops: nothing is commanded any more.
        case stop
        /// The device is disabled, for this reason: everything is made safe, and commanded to safe only; nil: it is so no
        /// more, and everything stays as it is until somebody commands.
        case disable(String?)
        /// An output leaves the configuration: it is made safe, and commands are refused.
        case retire(ComponentID)
        /// Time passed.
        case tick
    }

    /// What is to be done, in this order.
    enum Action {
        /// Write down how the outputs are, before anything else is done.
        case journal(OutputJournal)
        /// Drive a line. It has to be answered with `driven`, `tooLate` or `lost`.
        case drive(OutputDrive)
        /// An order or a renewal has come to its end.
        case answer(number: Int, CommandOutcome)
        /// An output has changed.
        case report(ComponentID, OutputReport)
        /// Tell whoever holds the lines that this program lives.
        case beat
    }

    /// How long a line may take to be there and to be driven, when nobody says otherwise.
    static let usualPatience: Duration = .seconds(2)

    /// The outputs, by name.
    private(set) var all: [ComponentID: Output] = [:]
    private var configured: [ComponentID: OutputRules] = [:]
    /// Since when there is no link; nil: there is one.
    private(set) var linkDownSince: MonotonicTime?
    private var isStopping = false
    /// Why the device is disabled; nil: it is not.
    private var disabledBecause: String?
    /// How often a beat is wanted while an output is away from safe; nil: never.
    private let heartbeat: Duration?
    private let patience: Duration
    private var nextBeat: MonotonicTime?
    private var journal: OutputJournal
    private var drives = 0

    /// - Parameters:
    ///   - heartbeat: How often whoever holds the lines wants to hear of this program while an output is away from safe;
    ///     nil: never.
    ///   - patience: How long a line may take to be there and to be driven, until people are told that it does not answer.
    ///   - journal: What a run before this one wrote down.
    ///   - boot: This boot: what an other one wrote down says nothing.
    ///   - now: The present. There is no link yet, which counts as lost.
    init(
        heartbeat: Duration? = nil, patience: Duration = usualPatience, journal: OutputJournal? = nil, boot: BootID,
        now: MonotonicTime
    ) {
        self.heartbeat = heartbeat
        self.patience = patience
        let known = journal.flatMap { $0.boot == boot ? $0 : nil }
        self.journal = known ?? OutputJournal(boot: boot)
        linkDownSince = min(known?.linkDownSince ?? now, now)
    }

    /// Adds an output; its line is not there yet.
    ///
    /// One that was retired comes in the place of itself: it is another one, and goes on counting.
    mutating func add(_ id: ComponentID, _ rules: OutputRules, at now: MonotonicTime) {
        let retired = all[id]
        let remembered = retired == nil ? journal.entries[id] : nil
        var output = Output(id: id, rules: rules, patience: patience, remembered: remembered, at: now)
        if let retired { (output.counters, output.claim.cause) = (retired.counters, .changed) }
        all[id] = output
        configured[id] = rules
        couple()
    }

    /// Forgets an output that was retired and is safe, or never had its line.
    mutating func remove(_ id: ComponentID) {
        (all[id], configured[id], journal.entries[id]) = (nil, nil, nil)
        couple()
    }

    /// An interlock holds for both sides, whichever of them has it.
    private mutating func couple() {
        for (id, rules) in OutputRules.coupled(configured) { all[id]?.rules = rules }
    }

    /// When ``Event/tick`` is due; nil: never.
    var deadline: MonotonicTime? {
        (all.values.compactMap { $0.deadline(linkDownSince) } + [nextBeat].compactMap(\.self)).min()
    }

    /// Whether every output is safe, or stays under the rules of whoever holds its line.
    func isSettled(keeps: Bool) -> Bool {
        all.values.allSatisfy { $0.isSettled(keeps: keeps) }
    }

    /// Whether an output is safe and nothing is under way for it.
    func isSafe(_ id: ComponentID) -> Bool {
        all[id]?.isSettled(keeps: false) ?? true
    }

    /// Something happened.
    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        switch event {
        // What time has forced comes before what anybody wants.
        case .order, .renew, .link: pass(to: now)
        default: break
        }
        switch event {
        case .found(let id, let found): adopt(id, found, at: now)
        case .lost(let id, let reason): all[id]?.lose(reason)
        case .order(let order): actions += take(order, at: now)
        case .renew(let renewal, let number): actions += renew(renewal, number, at: now)
        case .driven(let id, let number): all[id]?.driven(number, at: now)
        case .tooLate(let id, let number): all[id]?.tooLate(number)
        case .madeSafe(let id, let reason): all[id]?.madeSafe(reason, linkDownSince, at: now)
        case .link(let isUp): linkDownSince = isUp ? nil : linkDownSince ?? now
        case .stop:
            isStopping = true
            for id in all.keys { all[id]?.stop(keeps: heartbeat != nil) }
        case .disable(let reason): disabledBecause = reason
        case .retire(let id): all[id]?.retire()
        case .tick: break
        }
        pass(to: now)
        if let disabledBecause {
            for id in all.keys where all[id]?.isAway == true { all[id]?.force(.disabled(disabledBecause)) }
        }
        return finish(actions, at: now)
    }

    private mutating func pass(to now: MonotonicTime) {
        for id in all.keys { all[id]?.pass(to: now, linkDownSince) }
    }

    /// Brings the lines to where they are to be, and says what has changed.
    private mutating func finish(_ before: [Action], at now: MonotonicTime) -> [Action] {
        var (actions, answers) = ([Action](), before)
        for id in all.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            if let drive = all[id]?.settle(at: now, linkDownSince, &drives) { actions.append(.drive(drive)) }
            answers += all[id]?.takeAnswers() ?? []
            all[id]?.countLeaseEnds()
            if let report = all[id]?.news() { actions.append(.report(id, report)) }
        }
        actions += answers  // at the end, so that whoever asked can read what they were told
        let written = OutputJournal(
            boot: journal.boot, linkDownSince: linkDownSince, entries: all.compactMapValues(\.entry))
        if written != journal {
            journal = written
            actions.insert(.journal(written), at: 0)
        }
        return actions + beat(at: now)
    }

    private mutating func beat(at now: MonotonicTime) -> [Action] {
        guard let heartbeat, all.values.contains(where: \.isAway) else {
            nextBeat = nil
            return []
        }
        if let nextBeat, nextBeat > now { return [] }
        nextBeat = now + heartbeat
        return [.beat]
    }

    // MARK: A line is there

    private mutating func adopt(_ id: ComponentID, _ found: FoundOutput, at now: MonotonicTime) {
        all[id]?.adopt(found, linkDownSince, at: now)
        guard let output = all[id], output.isAway else { return }
        // Two that must not be away from safe together, and were found so: nobody knows which of them was meant.
        for other in output.rules.interlock where all[other]?.isAway == true {
            all[id]?.force(.interlock(other))
            all[other]?.force(.interlock(id))
        }
    }

    // MARK: Somebody commands

    private mutating func take(_ order: OutputOrder, at now: MonotonicTime) -> [Action] {
        do throws(OutputRefusal) {
            let target = try check(order, at: now)
            all[order.component]?.accept(order, target, at: now)
            return []
        } catch {
            if error.status == .refused { all[order.component]?.counters.refusals += 1 }
            if error.status == .failed { all[order.component]?.remember(order) }
            return [.answer(number: order.number, CommandOutcome(error.status, error.words))]
        }
    }

    /// The rules, in the order of their precedence.
    ///
    /// - Returns: What the output is to be.
    private func check(_ order: OutputOrder, at now: MonotonicTime) throws(OutputRefusal) -> LineValue {
        guard let output = all[order.component] else {
            throw OutputRefusal(.failed, "\(order.component) is not there any more")
        }
        if order.deadline <= now { throw .expired }
        try output.checkLine()
        let target = output.target(of: order.wish)
        if isStopping, target != output.rules.safe { throw OutputRefusal(.refused, "the agent is stopping") }
        if let disabledBecause, target != output.rules.safe {
            throw OutputRefusal(.refused, "this device is disabled: \(disabledBecause)")
        }
        // Always, but where it is held safe, that lease is not taken away from its holder.
        if target == output.rules.safe, order.lease == nil || output.wanted != target { return target }
        if target != output.rules.safe {
            for partner in output.rules.interlock.sorted(by: { $0.rawValue < $1.rawValue }) {
                try all[partner]?.checkInterlock(for: output, at: now, linkDownSince)
            }
        }
        try output.checkTimes(target, order, at: now)
        try output.checkHolder(order, at: now)
        return target
    }

    private mutating func renew(_ renewal: LeaseRenewal, _ number: Int, at now: MonotonicTime) -> [Action] {
        func end(_ status: CommandStatus, _ reason: String) -> [Action] {
            [.answer(number: number, CommandOutcome(status, reason))]
        }
        guard let output = all[renewal.component] else {
            return end(.refused, "\(renewal.component) has no output that could be held")
        }
        guard renewal.deadline > now else { return end(.expired, OutputRefusal.expired.words) }
        do throws(OutputRefusal) {
            try output.checkLine()
        } catch {
            return end(error.status, error.words)
        }
        guard output.claim.holder?.lease == renewal.lease else {
            return end(.refused, output.isHeldNoMore)
        }
        let until = renewal.duration > .zero ? now + renewal.duration : nil
        all[renewal.component]?.renew(until: until, renewal, number)
        return []
    }
}
