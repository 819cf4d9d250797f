import DeviceModel

/// What is made of changes: who is told, and whether the device is disabled.
///
/// A plain value: what was found and what the owner or the router says goes in, what to do comes out.
struct IntegrityMachine {
    /// What can happen.
    enum Event {
        /// Files were looked at: how each differs, nil where it does not.
        case checked(FileChecker.Findings)
        /// Every file was looked at for the first time since the start.
        case checkedAll
        /// The router has spoken: of the baseline as it is, or of one that it was before.
        case verdict(IntegrityVerdict, isCurrent: Bool = true)
        /// The owner wants something; this is the root over the files as they are.
        case order(IntegrityOrder, number: Int, found: SHA256Hash)
        /// Time passed.
        case tick
    }

    /// What is to be done, in this order.
    enum Action: Hashable {
        /// Make the outputs safe, and take commands to safe only; for good, or until it is lifted.
        case disable(String, isKept: Bool)
        /// Take commands again.
        case enable
        /// The files are meant to be as they are with these changes, and this counter.
        case adopt([FileChange], counter: UInt64)
        /// The router has nothing against the baseline, and counts like this.
        case confirm(counter: UInt64)
        /// Write down what has to be known after the next start.
        case keep(IntegrityRecord)
        /// Tell the owner.
        case tell(IntegrityNews)
        /// Write down, also for the next start, what a release will bring.
        case expect(IntegrityExpectation)
        /// An order has come to its end.
        case answer(number: Int, CommandOutcome)
    }

    /// The longest window.
    static let longestWindow: Duration = .seconds(86_400)

    private let configured: IntegrityResponse
    private let boot: BootID
    private let isMeant: (FilePath) -> Bool
    private var record: IntegrityRecord
    private var isStarting = true
    /// Whether the baseline counts only when the router has said so.
    private var isWaiting: Bool
    /// How files differ from what they are meant to be.
    private(set) var changes: [FilePath: FileChange] = [:]
    /// Of what nobody was told yet.
    private var announcements = Announcements()
    /// Who wants the device enabled and waits until every file was looked at: 4; one more is refused.
    private var postponed: [(response: IntegrityResponse?, number: Int)] = []
    private static let postponedBound = 4
    /// What a release will bring; nil: none is on its way.
    private var release: ExpectedRelease?
    /// Why the device is disabled; nil: it is not.
    private(set) var disabledBecause: String?
    /// What the router has against the baseline; nil: nothing.
    private(set) var objection: String?

    private static let isLooking = "the files are still being looked at; try again in a moment"
    static let waitsForRouter = "what its files are meant to be is not known here, until its router has said it"

    /// - Parameters:
    ///   - configured: What `agent.toml` wants to be done about a change.
    ///   - record: What was written down before.
    ///   - expectation: What a release will bring; nil: none is on its way.
    ///   - isWaiting: Whether the baseline counts only when the router has said so.
    ///   - disabledBecause: Why the device is disabled from before; nil: it is not.
    ///   - boot: This boot.
    ///   - now: The present.
    ///   - isMeant: Whether a file is one of the baseline.
    init(
        _ configured: IntegrityResponse, record: IntegrityRecord, expectation: IntegrityExpectation? = nil,
        isWaiting: Bool, disabledBecause: String?, boot: BootID, now: MonotonicTime,
        isMeant: @escaping (FilePath) -> Bool = { _ in false }
    ) {
        self.isMeant = isMeant
        release = expectation.map(ExpectedRelease.init)
        self.configured = configured
        self.boot = boot
        self.record = record
        self.isWaiting = isWaiting
        self.disabledBecause = disabledBecause
        guard let window = record.window else { return }
        // Whoever writes the file may write anything; no window is longer than one that could be opened now.
        self.record.window = window.boot == boot ? window : nil
        self.record.window?.end = min(window.end, now + Self.longestWindow)
    }

    /// What is done about a change: the more of what is configured and what the owner wants.
    var response: IntegrityResponse { max(configured, record.response ?? .alert) }

    /// Until when changes are collected; nil: they are not.
    var windowEnd: MonotonicTime? { record.window?.end }

    /// When ``Event/tick`` is due; nil: never.
    var deadline: MonotonicTime? { windowEnd ?? (isStarting ? nil : announcements.deadline) }

    /// In which state the files are.
    var state: IntegrityStatus.State {
        if disabledBecause != nil { return .disabled }
        if isWaiting, response == .disable { return .waiting }
        if isStarting { return .starting }
        if windowEnd != nil { return .window }
        return violations == 0 && objection == nil ? .intact : .changed
    }

    /// How many files are neither what they are meant to be nor what a release on its way makes of them.
    var violations: Int {
        release.map { release in changes.values.count { !release.brings($0, isMeant) } } ?? changes.count
    }

    /// The root over the files when all of a release has come that is on its way; nil: none is.
    var expected: SHA256Hash? { release?.expectation.root }

    /// What is to be said of changes that a release brings.
    var remarks: [FilePath: String] {
        guard let release else { return [:] }
        return changes.filter { release.brings($0.value, isMeant) }.mapValues { _ in
            "\(release.expectation.release) brings it"
        }
    }

    /// What is to be done before anything has happened.
    func begin() -> [Action] {
        guard disabledBecause == nil, isWaiting, response == .disable else { return [] }
        return [.disable(Self.waitsForRouter, isKept: false)]
    }

    /// Something happened.
    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        switch event {
        case .checked(let findings): return note(findings, at: now)
        case .checkedAll:
            guard isStarting else { return [] }
            isStarting = false
            let answers = postponed.flatMap { enable($0.response, $0.number) }
            postponed = []
            // What people were told before the start they are told again: nobody else could say that they were.
            guard violations == 0, record.isChanged else { return settle(at: now) + answers }
            record.isChanged = false
            return [.tell(IntegrityNews(.mended, "all files are as approved again")), .keep(record)] + answers
        case .verdict(let verdict, let isCurrent): return hear(verdict, isCurrent: isCurrent, at: now)
        case .order(.approve(let root, let counter), let number, let found):
            return approve(root, counter, number, found)
        case .order(.enable(let response), let number, _): return enable(response, number)
        case .order(.window(let length), let number, _): return open(length, number, at: now)
        case .order(.expect(let expectation), let number, _):
            if let release, release.expectation != expectation {
                let words =
                    "\(release.expectation.release) is on its way, and comes first; approve the files as they are to end that"
                return [.answer(number: number, CommandOutcome(.refused, words))]
            }
            release = ExpectedRelease(expectation)
            announcements.forget(where: isBrought)
            let actions: [Action] = [
                .expect(expectation), .tell(IntegrityNews(.expecting, expectation.release)),
                .answer(number: number, CommandOutcome(.done)),
            ]
            return actions + arrive() + settle(at: now)
        case .tick:
            guard let windowEnd else { return settle(at: now) }
            guard windowEnd <= now else { return [] }
            record.window = nil
            let over = changes.isEmpty ? "nothing in it is left to approve" : "what has changed in it is not approved"
            return [.keep(record), .tell(IntegrityNews(.windowOver, over))] + settle(at: now)
        }
    }

    // MARK: Changes

    private mutating func note(_ findings: FileChecker.Findings, at now: MonotonicTime) -> [Action] {
        for (path, change) in findings {
            if let change, !change.isViolation, windowEnd == nil, !isStarting { announcements.replaced(change) }
            let violation = change.flatMap { $0.isViolation ? $0 : nil }
            let before = changes[path]
            guard violation != before else { continue }
            let wasBrought = isBrought(path)
            changes[path] = violation
            if isBrought(path) || violation == nil && wasBrought {
                announcements.forget(path)
            } else if violation != nil {
                announcements.changed(path)
            } else {
                announcements.mended(path, before: windowEnd == nil ? before : nil)
            }
        }
        return arrive() + settle(at: now)
    }

    /// Whether a file is as a release on its way makes it.
    private func isBrought(_ path: FilePath) -> Bool {
        release.map { release in changes[path].map { release.brings($0, isMeant) } ?? false } ?? false
    }

    /// When all of a release has come, the files are meant to be like that.
    private mutating func arrive() -> [Action] {
        guard let release, let arrived = release.arrived(in: changes, isMeant) else { return [] }
        self.release = nil
        for change in arrived { changes[change.path] = nil }
        return [
            .adopt(arrived, counter: release.expectation.counter),
            .tell(IntegrityNews(.approved, release.expectation.release)),
        ]
    }

    /// Does what has to be done about changes at once, and tells of them, unless something was told a moment ago: then it
    /// is told with what comes until then.
    private mutating func settle(at now: MonotonicTime) -> [Action] {
        guard windowEnd == nil else { return [] }
        var actions: [Action] = []
        if response == .disable, disabledBecause == nil, announcements.hasChanges {
            actions += disable(Self.reason(announcements.untold(of: changes)))
        }
        guard !isStarting, let news = announcements.take(changes, at: now) else { return actions }
        actions += news.map { .tell($0) }
        let isChanged = violations != 0
        if record.isChanged != isChanged {
            record.isChanged = isChanged
            actions.append(.keep(record))
        }
        return actions
    }

    /// The device is disabled until its owner enables it, and people are told.
    private mutating func disable(_ reason: String) -> [Action] {
        disabledBecause = reason
        return [.disable(reason, isKept: true), .tell(IntegrityNews(.disabled, reason))]
    }

    private static func reason(_ changes: [FileChange]) -> String {
        "\(changes.count == 1 ? "a watched file is" : "watched files are") not as approved: \(changes.summary)"
    }

    // MARK: The router

    private mutating func hear(
        _ verdict: IntegrityVerdict, isCurrent: Bool, at now: MonotonicTime
    ) -> [Action] {
        var actions: [Action] = []
        if record.response != verdict.response {
            record.response = verdict.response
            actions.append(.keep(record))
            // What was only told until now may be more from now on.
            if response == .disable, disabledBecause == nil {
                for path in changes.keys where !isBrought(path) { announcements.changed(path) }
            }
            actions += settle(at: now)
        }
        // What was said of another baseline is no word on this one.
        if isCurrent { objection = verdict.objection }
        if isCurrent, objection != nil, record.window != nil {
            // Nobody has opened it whose word counts.
            record.window = nil
            actions += [.keep(record), .tell(IntegrityNews(.windowOver, "its router has an objection"))]
            actions += settle(at: now)
        }
        let reason = verdict.disabledBecause ?? (response == .disable && isCurrent ? verdict.objection : nil)
        if let reason, disabledBecause == nil {
            actions += disable(reason)
        }
        guard verdict.objection == nil, isCurrent else { return actions }
        return actions + [.confirm(counter: verdict.counter)] + endWaiting()
    }

    /// The baseline counts from now on.
    private mutating func endWaiting() -> [Action] {
        guard isWaiting else { return [] }
        isWaiting = false
        return disabledBecause == nil ? [.enable] : []
    }

    // MARK: The owner

    private mutating func approve(
        _ root: SHA256Hash, _ counter: UInt64, _ number: Int, _ found: SHA256Hash
    ) -> [Action] {
        guard !isStarting else {
            return [.answer(number: number, CommandOutcome(.refused, Self.isLooking))]
        }
        guard root == found else {
            let words = "the files have changed again since you were shown them; look at them, and approve then"
            return [.answer(number: number, CommandOutcome(.refused, words))]
        }
        let approved = Array(changes.values)
        (changes, announcements) = ([:], announcements.emptied)
        (release, objection, record.isChanged) = (nil, nil, false)
        let words =
            switch approved.count {
            case 0: "the files as they are"
            case 1: "1 change"
            case let count: "\(count) changes"
            }
        let actions: [Action] = [
            .adopt(approved, counter: counter), .keep(record), .tell(IntegrityNews(.approved, words)),
        ]
        return actions + endWaiting() + [.answer(number: number, CommandOutcome(.done))]
    }

    private mutating func enable(_ wanted: IntegrityResponse?, _ number: Int) -> [Action] {
        guard !isStarting || disabledBecause == nil else {
            // What the files are is known in a moment.
            guard postponed.count < Self.postponedBound else {
                return [.answer(number: number, CommandOutcome(.refused, Self.isLooking))]
            }
            postponed.append((wanted, number))
            return []
        }
        if wanted == .alert, configured == .disable {
            let words = "agent.toml says response = \"disable\", and the stricter counts; change it there first"
            return [.answer(number: number, CommandOutcome(.refused, words))]
        }
        if disabledBecause != nil || wanted == .disable, violations > 0 || objection != nil {
            let what = violations == 0 ? objection ?? "" : FileChange.paired(Array(changes.values)).summary
            let words = "its files are not as approved; approve or mend them first: \(what)"
            return [.answer(number: number, CommandOutcome(.refused, words))]
        }
        var actions: [Action] = []
        if let wanted, wanted != record.response {
            record.response = wanted
            actions.append(.keep(record))
        }
        if disabledBecause != nil {
            disabledBecause = nil
            actions += [.enable, .tell(IntegrityNews(.enabled, "by its owner"))]
        }
        return actions + [.answer(number: number, CommandOutcome(.done))]
    }

    private mutating func open(_ length: Duration, _ number: Int, at now: MonotonicTime) -> [Action] {
        guard length > .zero else {
            guard record.window != nil else {
                return [.answer(number: number, CommandOutcome(.refused, "no window is open"))]
            }
            record.window?.end = now
            return handle(.tick, at: now) + [.answer(number: number, CommandOutcome(.done))]
        }
        let length = min(length, Self.longestWindow)
        record.window = IntegrityRecord.Window(boot: boot, end: now + length)
        return [
            .keep(record), .tell(IntegrityNews(.windowOpen, "for \(length.text)")),
            .answer(number: number, CommandOutcome(.done)),
        ]
    }
}
