import Components
import DeviceModel
import HAL

@testable import DeviceManager

/// Looks at the lines alone, and knows what they must never do.
struct OutputsWitness {
    let terms: [OutputTerms]
    /// By how much drives that take their time may delay what is not the keeper's; a line that is lost delays it, too.
    let slack: Int
    private(set) var lines: [Bool]
    private(set) var edges = 0
    private var since: [Int]
    private var linkDownSince: Int?
    /// Whether it was the router who switched it away from safe.
    private var isFromRouter: [Bool]
    private var holders: [(lease: Int, ends: Int)?]
    private var calls: [Int: (call: OutputCall, value: Bool?, at: Int, holder: Int?)] = [:]
    private var renewals: [Int: (renewal: OutputRenewal, at: Int)] = [:]
    /// The outputs that somebody wanted safe while their line was gone.
    private var isOwed: Set<Int> = []
    /// When the line of each was last seen to be gone.
    private var lastMissing: [Int]

    init(_ terms: [OutputTerms], slack: Int) {
        self.terms = terms
        self.slack = slack
        lines = terms.map(\.safeOn)
        since = terms.map { _ in -1_000_000 }
        isFromRouter = terms.map { _ in false }
        holders = terms.map { _ in nil }
        lastMissing = terms.map { _ in -1_000_000 }
    }

    func isAway(_ output: Int) -> Bool { lines[output] != terms[output].safeOn }

    private func difference(_ output: Int, _ words: String, at now: Int) -> OutputDifference {
        OutputDifference(description: "\(now) ms: witness: \(OutputTerms.id(output)) \(words)")
    }

    // MARK: The lines

    /// A line is driven.
    mutating func saw(
        _ output: Int, _ on: Bool, isOrdered: Bool, hasKeeper: Bool, at now: Int
    ) throws(OutputDifference) {
        guard lines[output] != on else { return }
        edges += 1
        let before = since[output]
        (lines[output], since[output]) = (on, now)
        guard isAway(output) else {
            if let limit = terms[output].maxOn, now - before > limit + (hasKeeper ? 0 : slack + 3_000) {
                throw difference(output, "was on for \(now - before) ms, and max_on is \(limit) ms", at: now)
            }
            isFromRouter[output] = false
            holders[output] = nil
            isOwed.remove(output)
            return
        }
        if !isOrdered { throw difference(output, "left safe, and nobody had ordered it", at: now) }
        for other in terms.indices where other != output {
            guard terms[output].interlock.contains(other) || terms[other].interlock.contains(output) else { continue }
            if isAway(other) { throw difference(output, "left safe together with \(OutputTerms.id(other))", at: now) }
            let pause = max(terms[output].pause, terms[other].pause)
            if now - since[other] < pause {
                throw difference(
                    output, "left safe \(now - since[other]) ms after \(OutputTerms.id(other)), not \(pause) ms",
                    at: now)
            }
        }
    }

    /// Whether what the router switched has stayed for too long without it, or an output on for too long, or away from
    /// safe although somebody wanted it safe while its line was gone.
    ///
    /// - Parameters:
    ///   - hasKeeper: Whether somebody else keeps deadlines.
    ///   - missing: The lines that the agent has not got at the moment.
    ///   - now: The present.
    /// - Throws: ``OutputDifference`` where one has.
    mutating func check(hasKeeper: Bool, missing: some Collection<Int>, at now: Int) throws(OutputDifference) {
        for output in missing { lastMissing[output] = now }
        for output in isOwed where !missing.contains(output) {
            if slack == 0 || now > lastMissing[output] + slack + 3_000 {
                throw difference(output, "was wanted safe while its line was gone, and is not", at: now)
            }
        }
        for output in terms.indices where isAway(output) && !missing.contains(output) {
            if let linkDownSince, isFromRouter[output], let after = terms[output].linkAfter,
                now > max(linkDownSince, since[output]) + after + slack
            {
                throw difference(
                    output, "is still as the router wanted, \(now - linkDownSince) ms after its loss", at: now)
            }
            if let limit = terms[output].maxOn, now - since[output] > limit + (hasKeeper ? 0 : slack + 3_000) {
                throw difference(output, "is on for \(now - since[output]) ms, and max_on is \(limit) ms", at: now)
            }
        }
    }

    mutating func linkWent(down since: Int?) {
        linkDownSince = since
    }

    // MARK: Commands

    mutating func hears(_ stimulus: OutputStimulus, at now: Int) {
        switch stimulus {
        case .order(let call):
            let safe = terms[call.output].safeOn
            let value: Bool? =
                switch call.wish {
                case .on: true
                case .off: false
                case .pulse: !safe
                case .toggle: nil
                }
            // Behind a command to safe, or behind the end of the lease, nobody holds it any more.
            let isLetGo =
                calls.values.contains { $0.call.output == call.output && $0.value != !safe }
                || renewals.values.contains { $0.renewal.output == call.output && $0.renewal.length == 0 }
            let holder = isLetGo ? nil : holders[call.output].flatMap { $0.ends > now ? $0.lease : nil }
            calls[call.number] = (call, value, now, holder)
        case .renew(let renewal): renewals[renewal.number] = (renewal, now)
        case .link(let isUp): linkDownSince = isUp ? nil : linkDownSince ?? now
        default: break
        }
    }

    mutating func answered(
        _ number: Int, _ end: OutputEnd, missing: some Collection<Int>, at now: Int
    ) throws(OutputDifference) {
        if let (renewal, at) = renewals.removeValue(forKey: number), end == .done {
            if renewal.length == 0 { holders[renewal.output] = nil }
            if holders[renewal.output]?.lease == renewal.lease { holders[renewal.output]?.ends = at + renewal.length }
            return
        }
        guard let (call, value, at, holder) = calls.removeValue(forKey: number) else { return }
        let output = call.output
        if case .refused = end, value == terms[output].safeOn, call.lease == nil {
            throw difference(output, "was not made safe by command", at: now)
        }
        if value != terms[output].safeOn {
            if end == .done || end == .unknown { isOwed.remove(output) }
        } else if end == .failed, missing.contains(output), isAway(output) {
            isOwed.insert(output)
        }
        if end == .unknown {
            if call.source != .router { isFromRouter[output] = false }
            holders[output] = nil
        }
        guard end == .done else {
            // What was forced under the same lease has ended that.
            if end == .failed, let lease = call.lease, holders[output]?.lease == lease.id { holders[output] = nil }
            return
        }
        if let holder, holder != call.lease?.id, holders[output]?.lease == holder, value == !terms[output].safeOn {
            throw difference(output, "was taken from its holder", at: now)
        }
        if isAway(output), value == nil || value == !terms[output].safeOn {
            isFromRouter[output] = call.source == .router
        }
        // An answer may come so late that the keeper has ended it before.
        if let lease = call.lease, value == lines[output] { holders[output] = (lease.id, at + lease.length) }
    }

    /// Nothing is known any more of what was before: nor who holds what.
    mutating func forgetHolders() {
        holders = terms.map { _ in nil }
    }

    /// The agent has died: those who waited are not answered any more, but may have been heard.
    mutating func forgetCalls() {
        for (call, value, _, _) in calls.values where call.source != .router && value != terms[call.output].safeOn {
            isFromRouter[call.output] = false
        }
        for output in calls.values.map(\.call.output) + renewals.values.map(\.renewal.output) { holders[output] = nil }
        for (call, value, _, _) in calls.values where value != terms[call.output].safeOn { isOwed.remove(call.output) }
        (calls, renewals) = ([:], [:])
    }
}

/// Whoever holds the lines and outlives the agent: keeps deadlines, and makes safe when nobody lives who answers.
struct ModelKeeper {
    /// Less than the patience of the agent, so that it may act while a drive is under way.
    static let heartbeat = 1_500

    private struct Kept {
        var isOn: Bool
        var deadline: Int?
        var hold: (ends: Int, reason: KeeperReason)?
        var isAdopted = false
        var reason: KeeperReason? = .start
    }

    private let terms: [OutputTerms]
    private var outputs: [Kept]
    private var life = 0
    private var isSilent = false

    init(_ terms: [OutputTerms]) {
        self.terms = terms
        outputs = terms.map { Kept(isOn: $0.safeOn) }
    }

    private func isAway(_ output: Int) -> Bool { outputs[output].isOn != terms[output].safeOn }

    /// Until when it leaves an output away from safe; nil: for good.
    func deadline(of output: Int) -> Int? { outputs[output].deadline }

    /// When it does something by itself.
    var next: Int {
        var next = OutputsModel.never
        for output in terms.indices where isAway(output) {
            next = min(next, outputs[output].deadline ?? next, outputs[output].hold?.ends ?? next)
            if outputs[output].isAdopted, !isSilent { next = min(next, life + Self.heartbeat) }
        }
        return next
    }

    /// Makes safe what is due.
    mutating func tick(at now: Int) -> [(Int, KeeperReason)] {
        let isLate = life + Self.heartbeat <= now
        if isLate, !isSilent, terms.indices.contains(where: { outputs[$0].isAdopted && isAway($0) }) {
            isSilent = true
            hold(from: life + Self.heartbeat, .agentSilent)
        }
        var made: [(Int, KeeperReason)] = []
        for output in terms.indices where isAway(output) {
            let kept = outputs[output]
            let ends = [(kept.deadline, .deadline), (kept.hold?.ends, kept.hold?.reason ?? .agentLost)]
            let due = ends.compactMap { ends, reason in ends.map { (ends: $0, reason: reason) } }.min {
                $0.ends < $1.ends
            }
            guard let due, due.ends <= now else { continue }
            makeSafe(output, due.reason)
            made.append((output, due.reason))
        }
        return made
    }

    private mutating func makeSafe(_ output: Int, _ reason: KeeperReason?) {
        outputs[output].isOn = terms[output].safeOn
        (outputs[output].deadline, outputs[output].hold, outputs[output].reason) = (nil, nil, reason)
    }

    private mutating func hold(from moment: Int, _ reason: KeeperReason) {
        for output in terms.indices where outputs[output].isAdopted && isAway(output) && outputs[output].hold == nil {
            outputs[output].hold = (moment + (terms[output].hold ?? 0), reason)
        }
    }

    mutating func agentLost(at now: Int) -> [(Int, KeeperReason)] {
        hold(from: now, .agentLost)
        for output in terms.indices { outputs[output].isAdopted = false }
        isSilent = false
        return tick(at: now)
    }

    /// An agent answers for an output from now on.
    ///
    /// - Returns: Why it was made safe.
    mutating func adopt(_ output: Int, at now: Int) -> KeeperReason? {
        outputs[output].isAdopted = true
        live(at: now)
        return isAway(output) ? nil : outputs[output].reason
    }

    mutating func live(at now: Int) {
        (life, isSilent) = (now, false)
        for output in terms.indices where outputs[output].isAdopted { outputs[output].hold = nil }
    }

    /// Whether it does not do what it is asked for.
    func refuses(_ output: Int, _ drive: OutputDrive, at now: Int) -> Bool {
        let isOn = drive.value == .active
        if !drive.isChange { return isOn != outputs[output].isOn }
        guard let until = drive.until, isOn != outputs[output].isOn, isOn != terms[output].safeOn else { return false }
        return until <= .milliseconds(now)
    }

    mutating func note(_ output: Int, _ drive: OutputDrive, at now: Int) {
        let isOn = drive.value == .active
        if isOn == terms[output].safeOn, isAway(output) { makeSafe(output, nil) }
        if isOn != outputs[output].isOn { (outputs[output].isOn, outputs[output].reason) = (isOn, nil) }
        outputs[output].deadline = isAway(output) ? drive.until.map { Int($0.nanoseconds / 1_000_000) } : nil
    }
}
