import CFiles
public import DeviceManager
public import DeviceModel
import Glibc
import Synchronization

/// The desk at which the rest of the agent asks how its files are, and to which it brings what the owner wants.
///
/// Behind it one thread looks at the files (``IntegrityWorker``); it says here what it has found.
public final class IntegrityMonitor: IntegrityDesk, Sendable {
    /// What is handed to the thread.
    enum Message: Sendable {
        case order(IntegrityOrder, @Sendable (CommandOutcome) -> Void)
        /// What the packages say of changed files.
        case remarks([FilePath: PackageRemark])
    }

    /// What the thread has found.
    struct Findings: Sendable {
        var status = IntegrityStatus(state: .starting)
        var claim: IntegrityClaim?
        var baseline: Baseline?
        var changes: [FilePath: FileChange] = [:]
        /// What the packages say of them.
        var remarks: [FilePath: String] = [:]
        /// When a round was over last, and until when a window is open.
        var checkedAt: MonotonicTime?
        var windowEnd: MonotonicTime?
    }

    private struct State {
        var findings = Findings()
        /// What waits for the thread: 16; one more is refused.
        var inbox: [Message] = []
        /// What the router has said last, until the thread has heard it.
        var verdict: (verdict: IntegrityVerdict, root: SHA256Hash?)?
        /// What people are to know besides: what could not be begun.
        var problem: String?
        /// The files as the findings have them, once somebody has asked for it.
        var snapshot: IntegritySnapshot?
        var isStopping = false
        /// Whether nothing is watched, until the owner wants it.
        var isOff: Bool
        var watchers: [Mailbox<Void>] = []
        /// Which file is being looked at, and since when; nil: none is.
        var look: (path: FilePath, since: MonotonicTime)?
    }

    private static let inboxBound = 16
    /// How long a look at a file, or at a few megabytes of it, may take; whoever looks next tells people.
    static let patience: Duration = .seconds(60)
    private let state: Mutex<State>
    /// Finished when files are to be watched.
    private let wanted = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    private let folder: IntegrityFolder
    /// Finished when there is something to say: at once, unless a baseline has to be made.
    private let ready = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    /// Finished when the thread is to stop.
    let stopping = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    /// Wakes the thread.
    let wake: Int32
    private let time: any TimeSource

    /// - Parameters:
    ///   - folder: Where is written down what the owner wants.
    ///   - isConfigured: Whether files are watched whatever the owner has said.
    ///   - time: The clock.
    /// - Throws: ``FileError`` where the system gives no descriptor.
    public init(_ folder: IntegrityFolder, isConfigured: Bool, time: any TimeSource) throws(FileError) {
        self.time = time
        self.folder = folder
        let isOff = !isConfigured && folder.record.response == nil
        state = Mutex(State(isOff: isOff))
        if isOff { ready.finish() } else { wanted.finish() }
        wake = cfiles_wake_open()
        guard wake >= 0 else { throw FileError("eventfd", -wake) }
    }

    deinit { close(wake) }

    // MARK: For the rest of the agent

    /// The watch as a component.
    public var description: ComponentDescription? {
        state.withLock(\.isOff) ? nil : IntegrityComponent.description
    }

    /// What is said of the baseline to the router; waits until there is one.
    public func claim(until deadline: MonotonicTime) async -> IntegrityClaim? {
        _ = await ready.next(until: deadline, on: time)
        let (claim, isOff) = state.withLock { ($0.findings.claim, $0.isOff) }
        return isOff ? nil : claim ?? IntegrityClaim(root: nil, counter: nil, response: .alert)
    }

    /// What is said of the baseline to the router just now; nil: there is none yet.
    public var currentClaim: IntegrityClaim? { state.withLock(\.findings.claim) }

    /// How the watch is.
    public var status: IntegrityStatus {
        let (findings, isOff) = state.withLock { ($0.findings, $0.isOff) }
        guard !isOff else { return IntegrityStatus(state: .off) }
        var status = findings.status
        let now = time.now
        status.checked = findings.checkedAt.map { now - $0 }
        status.window = findings.windowEnd.map { max(.zero, $0 - now) }
        status.problems += [stuck(at: now)?.words, state.withLock(\.problem)].compactMap(\.self)
        return status
    }

    /// The files as they are.
    public var snapshot: IntegritySnapshot? {
        let (findings, known) = state.withLock { ($0.findings, $0.snapshot) }
        if let known { return known }
        guard let baseline = findings.baseline else { return nil }
        let changes = FileChange.paired(Array(findings.changes.values)).map { $0.remarked(findings.remarks) }
        guard !changes.isEmpty else {
            return IntegritySnapshot(changes: [], entries: baseline.entries, root: baseline.root)
        }
        let entries = FileChange.apply(findings.changes.values, to: baseline.entries)
        let new = IntegritySnapshot(
            changes: changes, entries: entries, root: MerkleTree.root(of: entries, sha256: sha256))
        state.withLock { state in
            // Unless something else was found meanwhile.
            if state.findings.isSame(as: findings) { state.snapshot = new }
        }
        return new
    }

    /// Subscribes to changes of the status.
    public func watch() -> (arrivals: Mailbox<Void>, end: @Sendable () -> Void) {
        let arrivals = Mailbox<Void>(bound: 1, policy: .dropOldest)
        state.withLock { $0.watchers.append(arrivals) }
        let end: @Sendable () -> Void = { [self] in
            state.withLock { $0.watchers.removeAll { $0 === arrivals } }
            arrivals.finish()
        }
        return (arrivals, end)
    }

    /// Hands the router's word on to the thread; where there is none, that the device is disabled is written down here.
    public func hear(_ verdict: IntegrityVerdict, on claim: IntegrityClaim?) {
        if let response = verdict.response, isOff {
            let outcome = begin(response)
            state.withLock { $0.problem = outcome.reason.map { "its files can't be watched as is wanted: \($0)" } }
        }
        if isOff, let reason = verdict.disabledBecause {
            try? folder.mark.set(reason)  // safe: the router says it again at the next connection
        }
        state.withLock { $0.verdict = (verdict, claim?.root) }
        cfiles_wake(wake)
    }

    /// The owner wants files to be watched that were not until now.
    private func begin(_ response: IntegrityResponse) -> CommandOutcome {
        var record = folder.record
        record.response = response
        do throws(FileError) {
            try folder.keep(record)
        } catch {
            return CommandOutcome(.failed, "it can't be written down: \(error)")
        }
        state.withLock { $0.isOff = false }
        wanted.finish()
        return CommandOutcome(.done)
    }

    /// Waits until files are to be watched.
    ///
    /// - Returns: Whether they are; false: it is to stop.
    func untilWanted() async -> Bool {
        _ = await wanted.next()
        return !isStopping
    }

    /// Hands an order on to the thread, and waits for its end.
    public func heed(_ order: IntegrityOrder) async -> CommandOutcome {
        if state.withLock(\.isOff) {
            guard case .enable(let response) = order else {
                return CommandOutcome(
                    .refused, "this device does not watch over its files yet; `m2m integrity DEVICE enable` lets it")
            }
            let outcome = begin(response ?? .alert)
            guard outcome.status == .done else { return outcome }
        }
        let answer = Mailbox<CommandOutcome>(bound: 1, policy: .refuseNewest)
        guard send(.order(order) { answer.send($0) }) else {
            return CommandOutcome(.refused, "the agent is stopping, or busy")
        }
        let deadline = time.now + Self.orderPatience
        if case .element(let outcome) = await answer.next(until: deadline, on: time) { return outcome }
        let reason = stuck(at: time.now, patience: Self.orderPatience)?.words ?? "its files are being looked at"
        return CommandOutcome(.unknown, "it is not done yet, and may be later: \(reason)")
    }

    /// How long whoever brings an order waits for its end: less than a router waits for the answer.
    private static let orderPatience: Duration = .seconds(15)

    @discardableResult
    private func send(_ message: Message) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.inbox.count < Self.inboxBound else { return false }
            state.inbox.append(message)
            return true
        }
        if isTaken { cfiles_wake(wake) }
        return isTaken
    }

    // MARK: For the thread

    /// The packages have said something of changed files.
    func explain(_ remarks: [FilePath: PackageRemark]) { send(.remarks(remarks)) }

    /// A file is about to be looked at, or goes on being so.
    ///
    /// - Parameter path: The file.
    /// - Returns: Whether somebody still waits for the end of it.
    func looks(at path: FilePath) -> Bool {
        state.withLock { state in
            state.look = (path, time.now)
            return !state.isStopping
        }
    }

    /// Nothing is looked at.
    func rests() { state.withLock { $0.look = nil } }

    /// Where a look has not come to an end for longer than it should.
    func stuck(
        at now: MonotonicTime, patience: Duration = IntegrityMonitor.patience
    ) -> (since: MonotonicTime, words: String)? {
        guard let look = state.withLock(\.look), look.since + patience <= now else { return nil }
        let words =
            "the look at \(look.path) does not come to an end: its disk, or what is mounted there, does not answer"
        return (look.since, words)
    }

    /// Whether nothing is watched, until the owner wants it.
    var isOff: Bool { state.withLock(\.isOff) }

    /// What has been handed over; nil: it is to stop.
    func take() -> (verdict: (verdict: IntegrityVerdict, root: SHA256Hash?)?, messages: [Message])? {
        cfiles_wake_clear(wake)
        return state.withLock { state in
            guard !state.isStopping else { return nil }
            defer { (state.inbox, state.verdict) = ([], nil) }
            return (state.verdict, state.inbox)
        }
    }

    /// Whether the thread is to stop.
    var isStopping: Bool { state.withLock(\.isStopping) }

    /// Says what was found.
    func publish(_ findings: Findings) {
        let watchers = state.withLock { state in
            if !state.findings.isSame(as: findings) { state.snapshot = nil }
            defer { state.findings = findings }
            let (old, new) = (state.findings.status, findings.status)
            let isSame =
                (old.disabledBecause, old.changes, old.root, old.counter)
                == (new.disabledBecause, new.changes, new.root, new.counter)
            return isSame ? [] : state.watchers
        }
        for watcher in watchers { watcher.send(()) }
        ready.finish()
    }

    /// Lets the thread come to its end; whoever still waits for an answer is told.
    func stop() {
        let rest = state.withLock { state in
            state.isStopping = true
            defer { state.inbox = [] }
            return state.inbox
        }
        ready.finish()
        wanted.finish()
        stopping.finish()
        for case .order(_, let reply) in rest { reply(CommandOutcome(.refused, "the agent is stopping")) }
        cfiles_wake(wake)
    }
}

extension IntegrityMonitor.Findings {
    /// Whether the same files differ in the same way.
    fileprivate func isSame(as other: Self) -> Bool {
        (status.root, status.counter, changes, remarks)
            == (other.status.root, other.status.counter, other.changes, other.remarks)
    }
}
