import Components
import DeviceModel
import HAL

/// One output: what its line is, what it is to be, and whose word that is.
///
/// A plain value, a part of ``Outputs``.
struct Output {
    /// Somebody who holds an output: nobody else may move it away from safe.
    struct Holder: Hashable {
        var lease: LeaseID
        var who: String
        var isRenewed: Bool
    }

    /// Whose word it is that the output is as it is to be.
    struct Claim: Hashable {
        var wanted: LineValue
        var cause: OutputCause
        var holder: Holder?
        /// When its lease or its pulse ends.
        var end: MonotonicTime?
        /// When whoever held the line before this run makes it safe: nobody who comes anew gives it more time.
        var given: MonotonicTime?
        /// Who gave the command.
        var who = ""
        var cameOverLink = false
    }

    /// Whether the line can be driven.
    enum Line: Hashable {
        /// It was not asked for yet.
        case pending
        case held
        case missing(String)
        /// A drive takes too long.
        case hangs
    }

    /// An order or a renewal that is done when the line is driven to its target.
    struct Waiting {
        var number: Int
        var target: LineValue
        /// The point from which it must not be begun any more.
        var deadline: MonotonicTime
        /// What holds again when it is not done; nil: it has changed nothing.
        var before: Claim?
        /// The lease that a renewal lets go on when its turn comes, and until when.
        var renewal: (lease: LeaseID, end: MonotonicTime)?
    }

    /// A drive that was begun.
    struct Underway {
        var drive: OutputDrive
        var since: MonotonicTime
        var orders: [Int]
        /// What holds again when it comes too late.
        var before: Claim?
    }

    let id: ComponentID
    /// How long its line may take to be there and to be driven.
    let patience: Duration
    /// When its line counts as missing if it has not been there by then.
    let awaited: MonotonicTime
    /// The rules as configured, with the interlocks of the others.
    var rules: OutputRules
    var line = Line.pending
    /// What the line is, as it was last confirmed.
    var value: LineValue
    var claim: Claim
    var counters: OutputCounters
    /// Since when it is on, or is about to be; and since when it is off.
    var onSince: MonotonicTime?
    var offSince: MonotonicTime?
    var isRetired = false

    /// Whether the line has been there in this run.
    private var wasHeld = false
    private var remembered: OutputJournal.Entry?
    private var lossReason: String?
    private var reported: OutputReport?
    /// Whose word it was when the ends of leases and pulses were counted last.
    private var counted: Claim

    var underway: Underway?
    var waiting: [Waiting] = []
    /// Until when whoever holds the line was told to leave it away from safe.
    var told: MonotonicTime?
    /// Whether its line may have been made safe since it was found, or while it was being driven: whoever holds it has to
    /// say.
    var needsProof = false
    /// Answers that go out with the next actions.
    var ended: [Outputs.Action] = []

    init(
        id: ComponentID, rules: OutputRules, patience: Duration = Outputs.usualPatience,
        remembered: OutputJournal.Entry?, at now: MonotonicTime
    ) {
        self.id = id
        self.patience = patience
        awaited = now + patience
        self.rules = rules
        self.remembered = remembered
        value = rules.safe
        claim = Claim(wanted: rules.safe, cause: .start)
        counters = remembered?.counters ?? OutputCounters()
        counted = remembered?.claim ?? claim
    }

    var wanted: LineValue { claim.wanted }

    /// Whether it is away from safe, or may be.
    var isAway: Bool {
        value != rules.safe || wanted != rules.safe || underway.map { $0.drive.value != rules.safe } ?? false
    }

    /// Whether it is safe, or stays away under the rules of whoever holds its line, and nothing is under way.
    func isSettled(keeps: Bool) -> Bool {
        underway == nil && (line != .held || value == wanted && (!isAway || keeps))
    }

    // MARK: The line comes and goes

    /// The line is there.
    mutating func adopt(_ found: FoundOutput, _ linkDownSince: MonotonicTime?, at now: MonotonicTime) {
        let (known, isNew) = (wasHeld ? entry : remembered, !wasHeld)
        (line, wasHeld, value, told) = (.held, true, found.value, found.until)
        (onSince, offSince) = (known?.onSince, known?.offSince)
        // Taken anew while a drive waits for it, that drive says what becomes of it.
        if underway == nil { adopt(found, known, at: now) }
        let end = forcedEnd(linkDownSince)?.moment
        if isNew, wanted != rules.safe, let until = found.until, end.map({ until < $0 }) ?? true { claim.given = until }
        if since(found.value) == nil { note(found.value, at: now) }
    }

    private mutating func adopt(
        _ found: FoundOutput, _ known: OutputJournal.Entry?, at now: MonotonicTime
    ) {
        if found.value == rules.safe {
            adoptSafe(found, known, at: now)
        } else if let known {
            claim = known.claim  // where it is to be safe by now, it will be
        } else {
            force(.unknown)
        }
    }

    private mutating func adoptSafe(_ found: FoundOutput, _ known: OutputJournal.Entry?, at now: MonotonicTime) {
        if let known, known.claim.wanted == found.value { return claim = known.claim }
        note(found.value, at: now)
        guard let known else { return force(claim.cause) }
        claim = known.claim
        force(found.reason.map { .keeper($0) } ?? lossReason.map { .lineLost($0) } ?? .start)
        if found.reason?.isIntervention == true { counters.interventions += 1 }
    }

    /// The line can't be driven any more.
    mutating func lose(_ reason: String) {
        let (begun, waited) = (underway?.orders ?? [], waiting.map(\.number))
        (onSince, offSince) = certain
        // What waits to be done away from safe is not done any more, and is nobody's word when the line is back; to be safe
        // is somebody's word however late it is done.
        for order in waiting.reversed() where wanted != rules.safe { claim = order.before ?? claim }
        (line, lossReason, underway, waiting, needsProof) = (.missing(reason), reason, nil, [], false)
        end(begun, .unknown, "\(id) was lost while it was switched, which may have been done: \(reason)")
        end(waited, .failed, "\(id) does not work: \(reason)")
    }

    /// Whoever holds the line made it safe by itself.
    mutating func madeSafe(_ reason: KeeperReason, _ linkDownSince: MonotonicTime?, at now: MonotonicTime) {
        guard isAway else {
            // How the line was found may be older than this.
            if line != .held { needsProof = true }
            return
        }
        if reason.isIntervention { counters.interventions += 1 }
        // A deadline is one that it was told: the rule behind it is the cause, unless another one holds by now.
        let end = forcedEnd(linkDownSince)
        let rule = reason == .deadline && end?.moment == told ? end?.cause : nil
        // Whoever has just switched it safe and holds it so goes on holding it.
        if wanted == rules.safe { stayForced(.keeper(reason)) } else { force(rule ?? .keeper(reason)) }
        needsProof = underway != nil
        guard underway == nil, value != rules.safe else { return }
        note(rules.safe, at: now)
        (value, told) = (rules.safe, nil)
        counters.switches += 1
    }

    /// It is to be safe when its line is there, in this run or in the next one.
    mutating func makeSafeLater(_ cause: OutputCause) {
        if wasHeld {
            if isAway { force(cause) }
        } else if remembered?.claim.wanted == rules.safe.toggled {
            remembered?.claim = Claim(wanted: rules.safe, cause: cause)
        }
    }

    /// Answers orders.
    mutating func end(_ orders: [Int], _ status: CommandStatus, _ reason: String? = nil) {
        ended += orders.map { .answer(number: $0, CommandOutcome(status, reason)) }
    }

    // MARK: What is counted

    /// Whose word is in force: those whose turn is still to come do not count yet.
    private var inForce: Claim {
        guard wasHeld else { return remembered?.claim ?? claim }
        return underway?.before ?? waiting.lazy.compactMap(\.before).first ?? claim
    }

    /// Counts the lease or the pulse that has ended since this was asked last, whatever ended it.
    mutating func countLeaseEnds() {
        let present = inForce
        let goesOn = present.end != nil && present.holder?.lease == counted.holder?.lease
        // A pulse has no name but its end; a lease may get another one.
        let isOther = present.holder == nil && present.end != counted.end
        if counted.end != nil, !goesOn || isOther { counters.leaseEnds += 1 }
        counted = present
    }

    // MARK: Since when

    /// It became on or off.
    mutating func note(_ value: LineValue, at now: MonotonicTime) {
        (onSince, offSince) = value == .active ? (now, nil) : (nil, now)
    }

    func since(_ value: LineValue) -> MonotonicTime? { value == .active ? onSince : offSince }

    /// Since when it is on and off, for whoever looks at it later: while it is being changed, it is safe for no time yet.
    private var certain: (on: MonotonicTime?, off: MonotonicTime?) {
        guard let underway, underway.drive.value != value else { return (onSince, offSince) }
        return rules.safe == .active ? (nil, offSince) : (onSince, nil)
    }

    /// Since when it is safe; nil: it is not, or nobody knows.
    var safeSince: MonotonicTime? {
        line == .held && !isAway ? since(rules.safe) : nil
    }

    // MARK: What others are told

    /// Why its line can't be driven; nil: it can.
    var problem: String? {
        switch line {
        case .held: nil
        case .pending: "its line is not there yet"
        case .missing(let reason): reason
        case .hangs: Self.silent(for: patience)
        }
    }

    static func silent(for patience: Duration) -> String {
        "its line has not answered for \(patience.text) and more"
    }

    /// When `max_on` makes it safe; nil: it does not.
    var maxOnEnd: MonotonicTime? {
        guard let limit = rules.maxOn, wanted == .active, let onSince else { return nil }
        return onSince + limit
    }

    /// What has to be told of it; nil: nothing has changed.
    mutating func news() -> OutputReport? {
        let until = claim.holder?.isRenewed == true ? nil : claim.end.map { min($0, maxOnEnd ?? $0) }
        let report = OutputReport(
            value: value, wanted: wanted, holder: claim.holder?.who, until: until, reason: claim.cause.words,
            counters: counters, problem: problem)
        guard report != reported, line != .pending else { return nil }
        reported = report
        return report
    }

    /// What is written down of it; nil: nothing is known yet.
    var entry: OutputJournal.Entry? {
        guard wasHeld else { return remembered }
        let certain = certain
        return OutputJournal.Entry(claim: claim, onSince: certain.on, offSince: certain.off, counters: counters)
    }
}
