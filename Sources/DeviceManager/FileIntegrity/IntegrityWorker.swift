import CFiles
import DeviceManager
import DeviceModel
import Glibc
import Logging

/// Looks at the files: one thread that waits for the kernel's news, for orders and for the time of the next round.
final class IntegrityWorker {
    /// What is around it.
    struct World: Sendable {
        /// Which files, and what is done about a change.
        var settings: AgentConfiguration.Integrity
        /// The agent's state.
        var folder: IntegrityFolder
        /// Whether the device is enrolled, so that a router knows of its baseline.
        var isEnrolled: Bool
        /// Whether nothing was watched until now, so that no baseline was lost where there is none.
        var isNew = false
        /// Makes the outputs safe, and takes commands to safe only.
        var disable: @Sendable (String) -> Void
        /// Takes commands again.
        var enable: @Sendable () -> Void
        /// Takes what is observed.
        var observe: @Sendable (Observation.Content) -> Void
        var time: any TimeSource
        var logger: Logger
    }

    private let world: World
    private let monitor: IntegrityMonitor
    private let trees: FileTrees
    private let watcher: (any FileWatcher)?
    private let mounts: Int32
    private let checker: FileChecker
    private var machine: IntegrityMachine
    private var schedule: CheckSchedule
    private var dirt = DirtyFiles()
    private var replies: [Int: @Sendable (CommandOutcome) -> Void] = [:]
    private var orders = 0
    /// What is to be answered when the findings are published.
    private var answers: [() -> Void] = []
    private var overflows = 0
    /// When people may be told of an overflow again.
    private var overflowQuiet: MonotonicTime?
    /// When people may be told again of what hampers the watch, when they will be, and what they were told.
    private var hindranceQuiet: MonotonicTime?
    private var hindrancesAt: MonotonicTime?
    private var toldHindrances: Set<String> = []
    private var writes = PendingWrites()
    private let problems: [String]
    private var said: IntegrityStatus?
    private var opinions = SecondOpinions()
    private let packages = BlockingQueue(label: "m2m.packages")

    /// Begins to watch, and reads the baseline; where there is none, it is made of what is there.
    ///
    /// - Parameters:
    ///   - world: What is around it.
    ///   - monitor: Where it says what it finds; nil comes back where that is to stop before there is a baseline.
    /// - Throws: ``FileError`` where there is no memory.
    init?(_ world: World, monitor: IntegrityMonitor) throws {
        self.world = world
        self.monitor = monitor
        let settings = world.settings
        trees = FileTrees(settings.paths, excludes: settings.excludes)
        (watcher, problems) = Self.watcher(settings.mode, trees, world.folder.problems)
        mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        let mounted = MountTable.now()
        let reader = try FileReader(sizeLimit: UInt64(settings.maxFileSize)) { [monitor] in monitor.looks(at: $0) }
        watcher?.watchRoads()
        let maker = BaselineMaker(reader: reader) { [monitor] in !monitor.isStopping }
        guard let (baseline, isNew) = Self.baseline(world, TreeWalk(trees, mounts: mounted), maker) else {
            close(mounts)
            return nil
        }
        let checker = FileChecker(trees, watcher: watcher, reader: reader, baseline: baseline, mounts: mounted)
        self.checker = checker
        var expectation = world.folder.expected?.expectation
        if let one = expectation, Self.refusal(of: one, trees, baseline) != nil { expectation = nil }
        machine = IntegrityMachine(
            settings.response, record: world.folder.record,
            expectation: expectation,
            isWaiting: baseline.isUnconfirmed && world.isEnrolled,
            disabledBecause: world.folder.mark.reason, boot: world.time.boot, now: world.time.now,
            isMeant: { checker.baseline.index(of: $0) != nil })
        schedule = CheckSchedule(interval: settings.interval, now: world.time.now)
        if isNew { keep(baseline) }
    }

    deinit { if mounts >= 0 { close(mounts) } }

    /// Who is told by the kernel: the best that this process may have, or what is configured.
    private static func watcher(
        _ mode: AgentConfiguration.Integrity.Mode, _ trees: FileTrees, _ others: [String]
    ) -> ((any FileWatcher)?, problems: [String]) {
        var problems = others
        if mode != .inotify {
            do throws(FileError) {
                return (try FanotifyWatcher(trees), problems)
            } catch {
                if mode == .fanotify { problems.append("fanotify can't be had (\(error)), for which inotify is used") }
            }
        }
        do throws(FileError) {
            return (try InotifyWatcher(trees), problems)
        } catch {
            return (nil, problems + ["the kernel tells of no changes (\(error)); every round notices them"])
        }
    }

    /// The baseline that there is; else one that is made of what is there now.
    ///
    /// - Returns: nil where it is to stop before that is whole.
    private static func baseline(
        _ world: World, _ walk: TreeWalk, _ maker: BaselineMaker
    ) -> (baseline: Baseline, isNew: Bool)? {
        let kept = world.folder.baseline.read()
        if case .baseline(let baseline) = kept { return (baseline, false) }
        if case .damaged(let reason) = kept {
            world.logger.error("what the files are meant to be is lost", metadata: ["reason": "\(reason)"])
        }
        // Before all of it was looked at, which takes its time.
        let response = max(world.settings.response, world.folder.record.response ?? .alert)
        if world.isEnrolled, !world.isNew, response == .disable { world.disable(IntegrityMachine.waitsForRouter) }
        return maker.entries(walk).map { (Baseline($0, isUnconfirmed: !world.isNew), true) }
    }

    // MARK: The loop

    /// Runs until the monitor is stopped.
    func run() {
        perform(machine.begin())
        publish()
        while let (verdict, messages) = monitor.take() {
            if let (verdict, root) = verdict {
                let isCurrent = root == checker.baseline.root
                perform(machine.handle(.verdict(verdict, isCurrent: isCurrent), at: now))
            }
            messages.forEach(handle)
            takeNews()
            checkDirt()
            if let deadline = machine.deadline, deadline <= now { perform(machine.handle(.tick, at: now)) }
            advanceRound()
            askPackages(of: opinions.due(at: now))
            writes.retry(at: now)
            publish()
            // Only now, so that whoever is answered finds things as they are.
            answers.forEach { $0() }
            answers = []
            wait()
        }
    }

    private var now: MonotonicTime { world.time.now }

    private func wait() {
        monitor.rests()
        let deadlines = [
            dirt.deadline, machine.deadline, schedule.deadline, opinions.deadline, writes.deadline,
            hindrancesAt,
        ]
        let next = deadlines.compactMap(\.self).min()
        let milliseconds = next.map { Int32(clamping: max(0, ($0 - now).milliseconds + ($0 > now ? 1 : 0))) } ?? -1
        let ready = cfiles_wait(watcher?.descriptor ?? -1, monitor.wake, mounts, milliseconds)
        guard ready > 0, ready & 4 != 0 else { return }
        // What was mounted or unmounted hides files, or shows others.
        checker.mounts = MountTable.now()
        if let root = trees.roots.first { _ = monitor.looks(at: root) }
        watcher?.remount()
        watcher?.watchRoads()
        schedule.hurry(at: now)
    }

    /// Whether something has come that goes before a round.
    private var isInterrupted: Bool { cfiles_wait(watcher?.descriptor ?? -1, monitor.wake, -1, 0) != 0 }

    private func handle(_ message: IntegrityMonitor.Message) {
        switch message {
        case .order(let order, let reply):
            if case .expect(let expectation) = order, let words = Self.refusal(of: expectation, trees, checker.baseline)
            {
                return reply(CommandOutcome(.refused, words))
            }
            orders += 1
            replies[orders] = reply
            var found = checker.baseline.root
            if case .approve = order { found = MerkleTree.root(of: entriesNow, sha256: sha256) }
            perform(machine.handle(.order(order, number: orders, found: found), at: now))
        case .remarks(let remarks):
            let explained = opinions.heard(remarks)
            if !explained.isEmpty { tell(IntegrityNews(.explained, explained)) }
        }
    }

    /// Why a release is none for this device; nil: it is one.
    private static func refusal(
        of expectation: IntegrityExpectation, _ trees: FileTrees, _ baseline: Baseline
    ) -> String? {
        if let other = expectation.changes.first(where: { !trees.covers($0.path) }) {
            return
                "\(other.path) is not watched here, and the release changes it: `exclude` in agent.toml leaves it out"
        }
        let entries = FileChange.apply(expectation.changes, to: baseline.entries)
        guard expectation.counter == baseline.counter &+ 1,
            MerkleTree.root(of: entries, sha256: sha256) == expectation.root
        else { return "this device's baseline is not what was approved; approve its files first" }
        return nil
    }

    private func takeNews() {
        for news in watcher?.news() ?? [] where !dirt.note(news, at: now) {
            overflows += 1
            if overflowQuiet.map({ $0 <= now }) ?? true {
                overflowQuiet = now + Self.pause
                tell(IntegrityNews(.overflow, "every file is looked at now"))
            }
            watcher?.watchRoads()
            schedule.hurry(at: now)
        }
    }

    /// How long people are not told again that there was more than the kernel has kept, or of what hampers the watch.
    private static let pause: Duration = .seconds(60)

    private func checkDirt() {
        for dirty in dirt.due(at: now) {
            var findings: FileChecker.Findings = [:]
            let before = cfiles_thread_ns()
            var isOver = true
            if dirty.isTree {
                checker.checkAll(from: dirty.path, into: &findings)
            } else {
                isOver = checker.check(dirty.path, into: &findings)
            }
            let cost = Duration.nanoseconds(cfiles_thread_ns() - before)
            dirt.checked(dirty.path, cost: cost, isOver: isOver, at: now)
            if monitor.isStopping { return }
            // At once, whatever else is still to be read.
            if !findings.isEmpty { perform(machine.handle(.checked(findings), at: now)) }
        }
    }

    private func advanceRound() {
        guard schedule.begin(checker, at: now) else { return }
        var findings: FileChecker.Findings = [:]
        let before = cfiles_thread_ns()
        var (steps, isOver) = (0, false)
        var cost = Duration.zero
        while !isOver, cost < CheckSchedule.slice {
            isOver = !schedule.advance(into: &findings)
            steps += 1
            cost = .nanoseconds(cfiles_thread_ns() - before)
            if steps.isMultiple(of: 32), isInterrupted { break }
        }
        guard !monitor.isStopping else { return }
        if !findings.isEmpty { perform(machine.handle(.checked(findings), at: now)) }
        schedule.end(cost: cost, isOver: isOver, at: now)
        if isOver { perform(machine.handle(.checkedAll, at: now)) }
    }

    // MARK: Actions

    private func perform(_ actions: [IntegrityMachine.Action]) {
        let folder = world.folder
        for action in actions {
            switch action {
            case .disable(let reason, let isKept):
                // The outputs first, whatever the disk does.
                world.disable(reason)
                world.logger.error(
                    "the device is disabled: its outputs are made safe", metadata: ["reason": "\(reason)"])
                if isKept { keep(Self.disabling) { () throws(FileError) in try folder.mark.set(reason) } }
            case .enable:
                keep(Self.disabling) { () throws(FileError) in try folder.mark.clear() }
                world.enable()
                world.logger.notice("the device is commanded again")
            case .adopt(let changes, let counter):
                adopt(Baseline(FileChange.apply(changes, to: checker.baseline.entries), counter: counter))
            case .confirm(let counter): confirm(counter)
            case .keep(let record):
                keep("what was decided about its files") { () throws(FileError) in try folder.keep(record) }
            case .tell(let news): tell(news)
            case .expect(let expectation):
                keep(Self.expecting) { () throws(FileError) in try folder.expect(ExpectedRelease(expectation)) }
            case .answer(let number, let outcome):
                guard let reply = replies.removeValue(forKey: number) else { break }
                answers.append { reply(outcome) }
            }
        }
    }

    private static let disabling = "whether the device is disabled"
    private static let expecting = "what a release will bring"

    private var entriesNow: [FileEntry] { FileChange.apply(machine.changes.values, to: checker.baseline.entries) }

    private func adopt(_ baseline: Baseline) {
        checker.adopt(baseline)
        schedule.restart(at: now)
        keep(baseline, endsRelease: true)
    }

    private func confirm(_ counter: UInt64) {
        var baseline = checker.baseline
        guard baseline.counter != counter || baseline.isUnconfirmed else { return }
        (baseline.counter, baseline.isUnconfirmed) = (counter, false)
        checker.adopt(baseline)
        schedule.restart(at: now)
        keep(baseline)
    }

    private func keep(_ baseline: Baseline, endsRelease: Bool = false) {
        let folder = world.folder
        keep("what its files are meant to be") { () throws(FileError) in
            try folder.baseline.write(baseline)
            // Not before: without both what a release has brought would be a change.
            if endsRelease { try folder.expectNothing() }
        }
    }

    /// Writes something down, now or as soon as the disk takes it.
    private func keep(_ what: String, _ write: @escaping () throws(FileError) -> Void) {
        let before = writes.problems
        writes.keep(what, at: now, write)
        for problem in writes.problems where !before.contains(problem) { world.logger.error("\(problem)") }
    }

    private func tell(_ news: IntegrityNews) {
        world.observe(.event(Event(component: IntegrityComponent.id, name: news.name.rawValue, detail: news.detail)))
        world.logger.warning("files: \(news.name.rawValue)", metadata: ["detail": "\(news.detail)"])
        // Only now, and elsewhere: they take their time, and may hang.
        if [.changed, .replaced].contains(news.name) { askPackages(of: opinions.remember(news.changes, at: now)) }
    }

    private func askPackages(of files: Set<FilePath>) {
        guard !files.isEmpty else { return }
        packages.start { [monitor] in
            monitor.explain(PackageDatabase().remarks(on: files, goesOn: { !monitor.isStopping }))
        }
    }

    private func publish() {
        let baseline = checker.baseline
        let status = IntegrityStatus(
            state: machine.state, mode: watcher?.name ?? "rounds",
            blindness: watcher?.blindness ?? "everything: each round notices what has changed",
            response: machine.response, root: baseline.root, counter: baseline.counter, files: baseline.entries.count,
            changes: machine.violations, disabledBecause: machine.disabledBecause, period: schedule.period,
            overflows: overflows, problems: hindrances + absences)
        var findings = IntegrityMonitor.Findings(status: status)
        findings.claim = IntegrityClaim(
            root: baseline.root, counter: baseline.isUnconfirmed ? nil : baseline.counter, response: machine.response,
            hasWindow: machine.windowEnd != nil, expected: machine.expected)
        opinions.keep { machine.changes[$0] != nil }
        (findings.baseline, findings.changes, findings.remarks) = (
            baseline, machine.changes, opinions.remarks.merging(machine.remarks) { $1 }
        )
        (findings.checkedAt, findings.windowEnd) = (schedule.overAt, machine.windowEnd)
        monitor.publish(findings)
        let before = said
        said = status
        tellHindrances(Set(hindrances.filter { $0 != machine.objection }))
        guard before.map({ ($0.state, $0.changes) != (status.state, status.changes) }) ?? true else { return }
        for reading in IntegrityComponent.readings(status) { world.observe(reading) }
    }

    /// Tells what hampers the watch and was not told yet, once a minute at most.
    private func tellHindrances(_ current: Set<String>) {
        toldHindrances.formIntersection(current)
        let new = current.subtracting(toldHindrances)
        hindrancesAt = new.isEmpty ? nil : hindranceQuiet ?? now
        guard let due = hindrancesAt, due <= now else { return }
        (hindrancesAt, hindranceQuiet) = (nil, now + Self.pause)
        toldHindrances = current
        for problem in new.sorted() { tell(IntegrityNews(.hampered, problem)) }
    }

    /// Where there is nothing to watch, and was nothing: a mistake in the configuration, or a file that is still to come.
    private var absences: [String] {
        trees.roots.filter { checker.baseline.index(of: $0) == nil && machine.changes[$0] == nil }
            .map { "nothing is at \($0) ([integrity] paths); it counts as soon as it is there" }
    }

    /// What keeps the watch from doing all that it should, a sentence each.
    private var hindrances: [String] {
        var all = problems + writes.problems
        if let problem = watcher?.problem { all.append(problem) }
        if let (path, problem) = checker.puzzles.min(by: { $0.key < $1.key }) {
            let others = checker.puzzles.count - 1
            all.append(
                "\(path)\(others > 0 ? " and \(others) more" : "") can't be looked at just now: "
                    + errorText(problem.errno))
        }
        if let objection = machine.objection, objection != machine.disabledBecause { all.append(objection) }
        return all
    }
}
