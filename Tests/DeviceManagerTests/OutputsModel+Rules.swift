// Who may change an output, and what becomes of it when its line or the agent goes and comes back.
extension OutputsModel {
    // MARK: Commands

    mutating func take(_ call: OutputCall, at now: Int) {
        let line = lines[call.output]
        let safe = line.terms.safeOn
        let value =
            switch call.wish {
            case .on: true
            case .off: false
            case .toggle: !line.word.value
            case .pulse: !safe
            }
        if let verdict = verdict(on: call, value, at: now) {
            deeds.append(.answer(call.number, verdict))
            // What can't be made safe now is made safe when it can.
            if verdict == .failed, value == safe { remember(safe: call.output) }
            return
        }
        lines[call.output].asks.append(Ask(number: call.number, value: value, deadline: call.deadline))
        // Who holds it at its safe value goes on doing so: nothing changes for them.
        if value == safe, line.word.value == safe, line.word.lease != nil, call.lease == nil { return }
        var word = Word(value: value, number: call.number, overLink: call.source == .router)
        if case .pulse(let length) = call.wish { word.ends = now + length }
        if let lease = call.lease { (word.lease, word.ends) = (lease.id, now + lease.length) }
        lines[call.output].pile.append(word)
    }

    /// Why a command is not done; nil: it is.
    private func verdict(on call: OutputCall, _ value: Bool, at now: Int) -> OutputEnd? {
        let line = lines[call.output]
        if call.deadline <= now { return .expired }
        if line.state != .there { return .failed }
        if isStopping, value != line.terms.safeOn { return .refused("the agent is stopping") }
        let isHeldByOthers = line.word.lease != nil && line.word.lease != call.lease?.id
        if value == line.terms.safeOn {
            // Always, but nobody takes away the lease of somebody who holds it safe.
            let takesAway = call.lease != nil && isHeldByOthers && line.word.value == value
            return takesAway ? .refused("held") : nil
        }
        for other in lines.indices {
            guard let pause = pause(call.output, other) else { continue }
            guard let since = safeSince(other), since + pause <= now else { return .refused("interlock") }
        }
        return times(call, value, at: now).map { .refused($0) } ?? (isHeldByOthers ? .refused("held") : nil)
    }

    /// It is to be safe once its line is there, even if that has not been there in this run.
    private mutating func remember(safe output: Int) {
        let (line, safe) = (lines[output], lines[output].terms.safeOn)
        if line.wasThere {
            if line.isAway { force(output) }
        } else if line.memory?.word.value == !safe {
            lines[output].memory?.word = Word(value: safe)
        }
    }

    /// `min_on` or `min_off`, where one of them forbids a command; nil: neither does.
    private func times(_ call: OutputCall, _ value: Bool, at now: Int) -> String? {
        let line = lines[call.output]
        func least(_ value: Bool) -> Int { value ? line.terms.minOn : line.terms.minOff }
        func name(_ value: Bool) -> String { value ? "min_on" : "min_off" }
        // What is still on its way has only just become what it is to be.
        let isChanging = line.isOn != line.word.value || line.move.map { $0.value != line.isOn } ?? false
        let since = isChanging ? now : (line.isOn ? line.onSince : line.offSince) ?? now
        if value != line.word.value, since + least(!value) > now { return name(!value) }
        var length = call.lease.map { $0.isRenewed ? Self.never : $0.length } ?? Self.never
        if case .pulse(let pulse) = call.wish { length = pulse }
        guard length != Self.never else { return nil }
        let begin = value == line.word.value ? since : now
        return now + length < begin + least(value) ? name(value) : nil
    }

    /// Since when an output is safe for certain; nil: it is not.
    private func safeSince(_ output: Int) -> Int? {
        let line = lines[output]
        guard line.state == .there, !line.isAway else { return nil }
        return line.terms.safeOn ? line.onSince : line.offSince
    }

    mutating func renew(_ renewal: OutputRenewal, at now: Int) {
        let line = lines[renewal.output]
        func end(_ kind: OutputEnd) { deeds.append(.answer(renewal.number, kind)) }
        if renewal.deadline <= now { return end(.expired) }
        if line.state != .there { return end(.failed) }
        guard line.word.lease == renewal.lease else { return end(.refused("it is not held any more")) }
        if renewal.length == 0 { force(renewal.output) }
        let goesOn = Renewal(lease: renewal.lease, ends: now + renewal.length)
        lines[renewal.output].asks.append(
            Ask(
                number: renewal.number, value: lines[renewal.output].word.value, deadline: renewal.deadline,
                renewal: renewal.length == 0 ? nil : goesOn))
    }

    // MARK: The line goes and comes

    mutating func lose(_ output: Int) {
        // What was begun may have been done, and what waited was not.
        deeds += answer(lines[output].move?.asks ?? [], .unknown) + answer(lines[output].asks, .failed)
        // To be safe is somebody's word however late it is done.
        for ask in lines[output].asks.reversed() where lines[output].word.value != lines[output].terms.safeOn {
            forget(output, [ask])
        }
        let known = memory(of: output)
        (lines[output].onSince, lines[output].offSince) = (known.onSince, known.offSince)
        (lines[output].state, lines[output].move, lines[output].asks) = (.absent, nil, [])
        (lines[output].pile, lines[output].isDoubtful) = ([known.word], false)
    }

    mutating func find(_ output: Int, _ on: Bool, _ until: Int?, at now: Int) {
        let known = memories[output]
        let isSafe = on == lines[output].terms.safeOn
        let isAsKnown = known.map { !isSafe || $0.word.value == on } ?? false
        let isNew = !lines[output].wasThere
        lines[output].state = .there
        lines[output].wasThere = true
        lines[output].told = until
        // What was made safe meanwhile has become so at some time that nobody knows, at the latest now.
        became(output, on, at: isAsKnown ? known.flatMap { on ? $0.onSince : $0.offSince } ?? now : now)
        if let known, isAsKnown { lines[output].pile = [known.word] } else { force(output) }
        // What whoever held the line before this run would end sooner ends then.
        if isNew, let until, lines[output].word.value != lines[output].terms.safeOn,
            until < forcedEnd(output) ?? Self.never
        {
            lines[output].pile[0].ends = until
        }
        guard lines[output].isAway else { return }
        for other in lines.indices where pause(output, other) != nil && lines[other].isAway {
            force(output)
            force(other)
        }
    }

    mutating func madeSafe(_ output: Int, at now: Int) {
        guard lines[output].isAway else {
            // How it was found may be older.
            if lines[output].state == .absent { lines[output].isDoubtful = true }
            return
        }
        let safe = lines[output].terms.safeOn
        // Whoever has just made it safe and holds it so goes on holding it.
        let word = lines[output].word
        force(output)
        if word.value == safe { (lines[output].pile[0].lease, lines[output].pile[0].ends) = (word.lease, word.ends) }
        lines[output].isDoubtful = lines[output].move != nil
        guard lines[output].move == nil, lines[output].isOn != safe else { return }
        became(output, safe, at: now)
        lines[output].told = nil
    }

    // MARK: What outlives the agent

    /// What a new run knows of each output.
    var memories: [Memory?] {
        lines.indices.map { lines[$0].wasThere ? memory(of: $0) : lines[$0].memory }
    }

    private func memory(of output: Int) -> Memory {
        let line = lines[output]
        var memory = Memory(word: line.word, onSince: line.onSince, offSince: line.offSince)
        memory.word.number = nil
        guard let move = line.move, move.value != line.isOn else { return memory }
        // Whether it was changed, and changed back since, nobody knows: it is safe for no time yet, and was on for as
        // long as it can have been.
        if line.terms.safeOn {
            memory.onSince = nil
        } else {
            (memory.onSince, memory.offSince) = (move.value ? move.begun : line.onSince, nil)
        }
        return memory
    }
}
