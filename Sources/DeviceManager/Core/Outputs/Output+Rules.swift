import Components
import DeviceModel
import HAL

// The rules that a command may break, in the order of their precedence.
extension Output {
    /// Whether the line can be driven at all.
    func checkLine() throws(OutputRefusal) {
        if isRetired { throw OutputRefusal(.failed, "\(id) does not work: its configuration is being changed") }
        if let problem { throw OutputRefusal(.failed, "\(id) does not work: \(problem)") }
    }

    /// `min_on` and `min_off`: how long it has to stay as it is, and how long it will have to.
    func checkTimes(_ target: LineValue, _ order: OutputOrder, at now: MonotonicTime) throws(OutputRefusal) {
        guard target != rules.safe else { return }
        let (rule, least) = wanted == .active ? ("min_on", rules.minOn) : ("min_off", rules.minOff)
        // What is still on its way there has only just become it.
        let isSettled = value == wanted && underway.map { $0.drive.value == value } ?? true
        let since = isSettled ? since(wanted) ?? now : now
        if target != wanted, since + least > now {
            throw OutputRefusal(
                .refused,
                "\(rule): \(id) has been \(wanted.onOff) for \((now - since).words) and stays so for \(least.words); "
                    + "possible in \((since + least - now).words)")
        }
        var length = order.lease?.duration
        if case .pulse(let duration) = order.wish { length = duration }
        let (nextRule, shortest) = target == .active ? ("min_on", rules.minOn) : ("min_off", rules.minOff)
        let begin = target == wanted ? since : now
        if let length, now + length < begin + shortest, order.lease?.isRenewed != true {
            throw OutputRefusal(
                .refused,
                "\(nextRule): \(id) has to be \(target.onOff) for \(shortest.words) at least, and \(length.words) is less"
            )
        }
    }

    /// Whether somebody else holds it.
    func checkHolder(_ order: OutputOrder, at now: MonotonicTime) throws(OutputRefusal) {
        guard let holder = claim.holder, holder.lease != order.lease?.id else { return }
        let rest = claim.end.map { " for another \(($0 - now).words)" } ?? ""
        let open = holder.isRenewed ? ", and goes on for as long as they hold it" : ""
        let way = wanted == rules.safe ? "" : "; switching it \(rules.safe.onOff) is always possible"
        throw OutputRefusal(.refused, "held: \(id) is held \(wanted.onOff) by \(holder.who)\(rest)\(open)\(way)")
    }

    /// Whether this output lets another one leave safe.
    func checkInterlock(
        for other: Output, at now: MonotonicTime, _ linkDownSince: MonotonicTime?
    ) throws(OutputRefusal) {
        let delay = max(rules.interlockDelay, other.rules.interlockDelay)
        if let since = safeSince {
            guard since + delay > now else { return }
            throw OutputRefusal(
                .refused,
                "interlock: \(id) has been \(rules.safe.onOff) for \((now - since).words) only, of \(delay.words); "
                    + "possible in \((since + delay - now).words)")
        }
        guard isAway else {
            throw OutputRefusal(.refused, "interlock: what \(id) is, is not known: \(unknownBecause)")
        }
        let pause = delay > .zero ? ", and \(delay.words) after that" : ""
        let when =
            forcedEnd(linkDownSince).map { "possible in \(($0.moment + delay - now).words), or" } ?? "possible"
        let who = claim.holder.map { ", held by \($0.who)" } ?? ""
        throw OutputRefusal(
            .refused,
            "interlock: \(id) is \(rules.safe.toggled.onOff)\(who); "
                + "\(when) as soon as it is \(rules.safe.onOff)\(pause)")
    }

    private var unknownBecause: String {
        do throws(OutputRefusal) {
            try checkLine()
            return "it has only just been taken"
        } catch {
            return error.words
        }
    }
}

extension Duration {
    /// The duration for a sentence, rounded up: `350 ms`, `18 s`, `12 min`.
    var words: String {
        let milliseconds = (max(nanoseconds, 0) + 999_999) / 1_000_000
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        let seconds = (milliseconds + 999) / 1_000
        if seconds < 120 { return "\(seconds) s" }
        let minutes = (seconds + 59) / 60
        return minutes < 120 ? "\(minutes) min" : "\((minutes + 59) / 60) h"
    }
}
