import Components
import DeviceModel
import HAL

// From what an output is to be to what its line is: one drive at a time, and the newest word after it.
extension Output {
    /// Brings the line to where it is to be.
    ///
    /// - Returns: The drive that does it; nil: nothing is to be driven now.
    mutating func settle(
        at now: MonotonicTime, _ linkDownSince: MonotonicTime?, _ drives: inout Int
    ) -> OutputDrive? {
        guard line == .held, underway == nil else { return nil }
        dismissLate(at: now)
        takeRenewals()
        let isKnown = !needsProof && told == forcedEnd(linkDownSince)?.moment
        guard value != wanted || wanted != rules.safe && !isKnown else {
            end(waiting.map(\.number), .done)
            waiting = []
            return nil
        }
        drives += 1
        // From the beginning of the drive, so that its end comes early rather than late.
        if value != wanted, wanted == .active, rules.safe == .inactive { onSince = now }
        var latest = waiting.map(\.deadline).max().flatMap { $0.nanoseconds == .max ? nil : $0 }
        // Once nobody waits for it any more, only what makes it safe may still be done.
        if wanted != rules.safe { latest = min(latest ?? now + patience, now + patience) }
        // Where only the time changes, the line must not be touched: not once it may have been made safe by then.
        let drive = OutputDrive(
            component: id, number: drives, value: wanted, isChange: value != wanted,
            until: forcedEnd(linkDownSince)?.moment, notAfter: value == wanted ? told : latest)
        underway = Underway(
            drive: drive, since: now, orders: waiting.map(\.number), before: waiting.lazy.compactMap(\.before).first)
        (waiting, needsProof) = ([], false)
        return drive
    }

    /// The answers for those whose orders have ended.
    mutating func takeAnswers() -> [Outputs.Action] {
        defer { ended = [] }
        return ended
    }

    /// Answers those that another command has overtaken, those whose time has run out, and those whose lease is gone.
    private mutating func dismissLate(at now: MonotonicTime) {
        guard !waiting.isEmpty else { return }
        let wanted = wanted
        dismiss(.failed, "another command came before \(id) could be switched") { $0.target != wanted }
        dismiss(.expired, OutputRefusal.expired.words) { $0.deadline <= now }
        // Those who wanted a command to go on that has just run out of time.
        let left = claim.wanted
        dismiss(.failed, "the command before it came too late") { $0.target != left }
        let lease = claim.holder?.lease
        dismiss(.refused, isHeldNoMore) { $0.renewal.map { $0.lease != lease } ?? false }
    }

    /// The lease goes on whose renewal has its turn; one before the newest command is none of that.
    private mutating func takeRenewals() {
        let renewals = waiting.reversed().prefix { $0.before == nil }.compactMap(\.renewal)
        guard let newest = renewals.first(where: { $0.lease == claim.holder?.lease }) else { return }
        (claim.end, claim.given) = (newest.end, nil)
    }

    /// Answers some of those who wait; their words count no more.
    private mutating func dismiss(_ status: CommandStatus, _ reason: String, _ isOver: (Waiting) -> Bool) {
        end(waiting.filter(isOver).map(\.number), status, reason)
        for index in waiting.indices.reversed() where isOver(waiting[index]) {
            restore(waiting.remove(at: index).before, from: index)
        }
    }

    /// What held before a command that is not done holds again, or would without those that came after it.
    private mutating func restore(_ before: Claim?, from index: Int) {
        guard let before else { return }
        if let next = waiting[index...].firstIndex(where: { $0.before != nil }) {
            waiting[next].before = before
        } else {
            claim = before
        }
    }

    /// A drive has been done.
    mutating func driven(_ number: Int, at now: MonotonicTime) {
        guard let done = underway, done.drive.number == number else { return }
        let isSafe = done.drive.value == rules.safe
        (line, underway, told) = (.held, nil, isSafe ? nil : done.drive.until)
        if done.drive.value != value {
            value = done.drive.value
            counters.switches += 1
            note(value, at: isSafe ? now : since(value) ?? now)
        }
        end(done.orders, .done)
    }

    /// A drive was not done, because the time of its command had run out.
    mutating func tooLate(_ number: Int) {
        guard let late = underway, late.drive.number == number else { return }
        (line, underway) = (.held, nil)
        if value == .inactive { onSince = nil }
        guard late.drive.value != value else {
            // Only its time was to change, but it had been made safe by then.
            end(late.orders, .failed, "\(id) was made safe before")
            return force(.keeper(.deadline))
        }
        restore(late.before, from: 0)
        end(late.orders, .expired, OutputRefusal.expired.words)
    }
}
