import Components
import DeviceModel
import HAL

// Whose word counts: commands, leases, and what makes an output safe whatever anybody wants.
extension Output {
    /// What a wish means at the moment.
    func target(of wish: OutputWish) -> LineValue {
        switch wish {
        case .set(let value): value
        case .toggle: wanted.toggled
        case .pulse: rules.safe.toggled
        }
    }

    /// A command that the rules allow is to be done.
    mutating func accept(_ order: OutputOrder, _ target: LineValue, at now: MonotonicTime) {
        var waits = Waiting(number: order.number, target: target, deadline: order.deadline)
        defer { waiting.append(waits) }
        // Safe already, and held so by somebody: they may go on.
        if target == rules.safe, wanted == target, order.lease == nil, claim.holder != nil { return }
        waits.before = claim
        claim = Claim(
            wanted: target, cause: .command(target, by: order.who), who: order.who, cameOverLink: order.cameOverLink)
        if case .pulse(let duration) = order.wish { claim.end = now + duration }
        if let lease = order.lease {
            claim.holder = Holder(lease: lease.id, who: order.who, isRenewed: lease.isRenewed)
            claim.end = now + lease.duration
        }
    }

    /// A command that can't be done for now; safe is what it will be when that is over.
    mutating func remember(_ order: OutputOrder) {
        guard target(of: order.wish) == rules.safe else { return }
        makeSafeLater(.command(rules.safe, by: order.who))
    }

    /// What the holder of a lease is told that has ended.
    var isHeldNoMore: String { "it is not held any more: \(claim.cause.words)" }

    /// The lease goes on until then when its turn comes, or ends; whoever asked waits for it to be done.
    mutating func renew(until end: MonotonicTime?, _ renewal: LeaseRenewal, _ number: Int) {
        if end == nil { force(.released(by: claim.who)) }
        waiting.append(
            Waiting(
                number: number, target: wanted, deadline: renewal.deadline,
                renewal: end.map { (renewal.lease, $0) }))
    }

    /// Makes it safe, whatever anybody wants.
    mutating func force(_ cause: OutputCause) {
        claim = Claim(wanted: rules.safe, cause: cause)
        stayForced(cause)
    }

    /// What is safe now stays so: no command that comes too late brings back what was before it.
    mutating func stayForced(_ cause: OutputCause) {
        underway?.before = nil
        end(
            waiting.filter { $0.target != rules.safe }.map(\.number), .failed,
            "\(id) was made safe before: \(cause.words)")
        waiting.removeAll { $0.target != rules.safe }
        // Safe is wanted by more than those who wait: it is done however late.
        for index in waiting.indices {
            (waiting[index].deadline, waiting[index].before) = (MonotonicTime(nanoseconds: .max), nil)
        }
    }

    /// The agent stops; where somebody else keeps the line, it may stay as it is over a restart.
    mutating func stop(keeps: Bool) {
        if isAway, !keeps || rules.onAgentLost == .safe { force(.stopping) }
    }

    /// It leaves the configuration.
    mutating func retire() {
        isRetired = true
        if isAway { force(.retired) }
    }

    // MARK: Time

    /// When a lease, a pulse, `max_on` or the loss of the link makes it safe, and which of them; nil: nothing does.
    func forcedEnd(_ linkDownSince: MonotonicTime?) -> (moment: MonotonicTime, cause: OutputCause)? {
        guard wanted != rules.safe else { return nil }
        var ends: [(moment: MonotonicTime, cause: OutputCause)] = []
        if let end = claim.end {
            ends.append((end, claim.holder == nil ? .pulseEnded(of: claim.who) : .leaseEnded(of: claim.who)))
        }
        if let given = claim.given { ends.append((given, .keeper(.deadline))) }
        if let limit = rules.maxOn, let end = maxOnEnd { ends.append((end, .maxOn(limit))) }
        if claim.cameOverLink, let linkDownSince, case .safe(let after) = rules.onLinkLost {
            ends.append((linkDownSince + after, .linkLost(after)))
        }
        return ends.min { $0.moment < $1.moment }
    }

    /// When something is to be done for it by itself; nil: never.
    func deadline(_ linkDownSince: MonotonicTime?) -> MonotonicTime? {
        let patience = line == .held ? underway.map { $0.since + self.patience } : line == .pending ? awaited : nil
        let safeLease = wanted == rules.safe ? claim.end : nil
        return [forcedEnd(linkDownSince)?.moment, patience, safeLease].compactMap(\.self).min()
    }

    /// Time has passed.
    mutating func pass(to now: MonotonicTime, _ linkDownSince: MonotonicTime?) {
        if let (moment, cause) = forcedEnd(linkDownSince), moment <= now {
            force(cause)
        } else if wanted == rules.safe, let end = claim.end, end <= now {
            (claim.holder, claim.end) = (nil, nil)
        }
        if line == .pending, awaited <= now { line = .missing(Self.silent(for: patience)) }
        guard line == .held, let slow = underway, slow.since + patience <= now else { return }
        line = .hangs
        underway?.orders = []
        end(slow.orders, .unknown, "\(id) has not answered for \(patience.text); it may have been done")
        end(waiting.map(\.number), .failed, "\(id) does not work: \(problem ?? "")")
        waiting = []
        // When it answers, nobody remembers what was wanted.
        force(.hung)
    }
}
