import Components
import DeviceModel
import HAL
import TestSupport

@testable import DeviceManager

/// Outputs on a test bench: time is turned by hand, and lines are driven at once unless a test lets them wait.
struct OutputsBench {
    private(set) var outputs: Outputs
    private(set) var now: MonotonicTime
    /// Whether drives are done at once.
    var isPrompt = true
    /// Drives that wait for `finish`.
    private(set) var pending: [ComponentID: OutputDrive] = [:]
    /// All drives, oldest first.
    private(set) var drives: [OutputDrive] = []
    /// What the lines are.
    private(set) var lines: [ComponentID: LineValue] = [:]
    /// How often a line changed.
    private(set) var edges = 0
    private(set) var beats = 0
    private(set) var journal: OutputJournal?
    private(set) var reports: [ComponentID: OutputReport] = [:]
    private(set) var outcomes: [Int: CommandOutcome] = [:]
    /// What the last event led to, in this order.
    private(set) var deeds: [String] = []
    private var number = 0

    static let anna = Command.Origin.router(account: "anna")
    static let ben = Command.Origin.local(uid: 1_000, user: "ben")

    /// Outputs whose lines are not there yet.
    init(
        waiting rules: [ComponentID: OutputRules], keeper: Bool = true, journal: OutputJournal? = nil,
        boot: BootID = 1, at now: MonotonicTime = .milliseconds(1_000_000)
    ) {
        self.now = now
        outputs = Outputs(heartbeat: keeper ? .seconds(1) : nil, journal: journal, boot: boot, now: now)
        for (id, rules) in rules { outputs.add(id, rules, at: now) }
    }

    /// Outputs whose lines are there and safe, so long ago that no pause matters, with a link.
    init(_ rules: [ComponentID: OutputRules], keeper: Bool = true) {
        self.init(waiting: rules, keeper: keeper)
        for (id, rules) in rules { find(id, rules.safe) }
        handle(.link(isUp: true))
        pass(.seconds(86_400))
    }

    // MARK: What happens

    mutating func handle(_ event: Outputs.Event) {
        let actions = outputs.handle(event, at: now)
        deeds = actions.map { action in
            switch action {
            case .journal: "journal"
            case .drive: "drive"
            case .answer: "answer"
            case .report: "report"
            case .beat: "beat"
            }
        }
        for action in actions {
            switch action {
            case .journal(let content): journal = content
            case .drive(let drive):
                drives.append(drive)
                pending[drive.component] = drive
            case .answer(let number, let outcome): outcomes[number] = outcome
            case .report(let id, let report): reports[id] = report
            case .beat: beats += 1
            }
        }
        let done = deeds
        while isPrompt, let id = pending.keys.first { finish(id) }
        deeds = done
    }

    mutating func find(
        _ id: ComponentID, _ value: LineValue, _ reason: KeeperReason? = nil, until: MonotonicTime? = nil
    ) {
        lines[id] = value
        handle(.found(id, FoundOutput(value: value, reason: reason, until: until)))
    }

    /// Whoever holds a line changes it, and nobody has heard of that yet.
    mutating func change(_ id: ComponentID, _ value: LineValue) {
        lines[id] = value
    }

    /// A drive comes to its end; one that only sets a new end is not done where the line is something else by then.
    mutating func finish(_ id: ComponentID, isTooLate: Bool = false) {
        guard let drive = pending.removeValue(forKey: id) else { return }
        let isRefused = !drive.isChange && lines[id] != drive.value
        if isTooLate || isRefused { return handle(.tooLate(id, number: drive.number)) }
        if lines[id] != drive.value { edges += 1 }
        lines[id] = drive.value
        handle(.driven(id, number: drive.number))
    }

    mutating func remove(_ id: ComponentID) {
        outputs.remove(id)
        handle(.tick)
    }

    /// Time passes, with a tick whenever one is due.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let due = outputs.deadline, due <= end {
            now = max(now, due)
            handle(.tick)
        }
        now = end
    }

    /// Time passes, and nobody looks.
    mutating func lapse(_ duration: Duration) {
        now = now + duration
    }

    // MARK: Somebody commands

    /// - Returns: The number under which the command is answered.
    @discardableResult
    mutating func send(
        _ id: ComponentID, _ wish: OutputWish, lease: Lease? = nil, by origin: Command.Origin = ben,
        within expiry: Duration = .seconds(10)
    ) -> Int {
        number += 1
        handle(
            .order(
                OutputOrder(
                    number: number, component: id, wish: wish, lease: lease, deadline: now + expiry, origin: origin)))
        return number
    }

    /// - Returns: How the command ended; nil: it has not.
    @discardableResult
    mutating func call(
        _ id: ComponentID, _ wish: OutputWish, lease: Lease? = nil, by origin: Command.Origin = ben,
        within expiry: Duration = .seconds(10)
    ) -> CommandOutcome? {
        outcomes[send(id, wish, lease: lease, by: origin, within: expiry)]
    }

    /// - Returns: How the renewal ended; nil: it has not.
    @discardableResult
    mutating func renew(
        _ id: ComponentID, _ lease: LeaseID, for duration: Duration, within expiry: Duration = .seconds(10)
    ) -> CommandOutcome? {
        number += 1
        handle(
            .renew(
                LeaseRenewal(component: id, lease: lease, duration: duration, deadline: now + expiry),
                number: number))
        return outcomes[number]
    }
}

extension OutputWish {
    static let on = Self.set(.active)
    static let off = Self.set(.inactive)
}

extension Lease {
    /// A lease that ends by itself.
    static func of(_ duration: Duration, _ id: LeaseID = "lease") -> Lease {
        Lease(id: id, duration: duration)
    }

    /// A lease that its holder renews.
    static func held(_ duration: Duration, _ id: LeaseID = "lease") -> Lease {
        Lease(id: id, duration: duration, isRenewed: true)
    }
}

extension OutputRules {
    /// Rules of an output, safe at `safe`.
    static func safe(_ safe: LineValue, _ change: (inout OutputRules) -> Void = { _ in }) -> OutputRules {
        var rules = OutputRules(safe: safe)
        change(&rules)
        return rules
    }
}

extension CommandOutcome? {
    /// Whether it was refused, and with all of these words.
    func isRefused(_ words: String...) -> Bool {
        self?.status == .refused && words.allSatisfy { self?.reason?.contains($0) == true }
    }
}
