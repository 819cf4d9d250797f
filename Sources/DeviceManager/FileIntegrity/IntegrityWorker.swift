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
    private var overflows = 0
    private var problems: [String]
    private var said: IntegrityStatus?
    private let reader: FileReader
    private var opinions = SecondOpinions()

    /// Begins to watch, and reads the baseline; where there is none, it is made of what is there.
    init(_ world: World, monitor: IntegrityMonitor) throws {
        self.world = world
        self.monitor = monitor
        let settings = world.settings
        trees = FileTrees(settings.paths, excludes: settings.excludes)
        (watcher, problems) = Self.watcher(settings.mode, trees)
        mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        reader = try FileReader(sizeLimit: UInt64(settings.maxFileSize)) { [monitor] in monitor.isStopping }
        watcher?.watchRoads()
        let (baseline, problem) = Self.baseline(world, trees, reader)
        problems += [problem].compactMap(\.self)
        checker = FileChecker(trees, watcher: watcher, reader: reader, baseline: baseline)
        machine = IntegrityMachine(
            settings.response, record: world.folder.record, isWaiting: baseline.isUnconfirmed,
            disabledBecause: world.folder.mark.reason, boot: world.time.boot)
        schedule = CheckSchedule(interval: settings.interval, now: world.time.now)
    }

    deinit { if mounts >= 0 { close(mounts) } }

    /// Who is told by the kernel: the best that this process may have, or what is configured.
    private static func watcher(
        _ mode: AgentConfiguration.Integrity.Mode, _ trees: FileTrees
    ) -> ((any FileWatcher)?, problems: [String]) {
        var problems: [String] = []
        if mode != .inotify {
            do throws(FileError) {
                return (try FanotifyWatcher(trees), [])
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
    private static func baseline(_ world: World, _ trees: FileTrees, _ reader: FileReader) -> (Baseline, String?) {
        let file = world.folder.baseline
        let kept = file.read()
        if case .baseline(let baseline) = kept { return (baseline, nil) }
        if case .damaged(let reason) = kept {
            world.logger.error("what the files are meant to be is lost", metadata: ["reason": "\(reason)"])
        }
        var walk = TreeWalk(trees)
        var entries: [FileEntry] = []
        while let step = walk.next() {
            if let found = reader.read(step.path, step.status, isListable: step.isListable) {
                entries.append(found.entry)
            }
        }
        let baseline = Baseline(entries, isUnconfirmed: world.isEnrolled)
        do throws(FileError) {
            try file.write(baseline)
            return (baseline, nil)
        } catch {
            return (baseline, "what the files are meant to be can't be kept: \(error)")
        }
    }

    // MARK: The loop

    /// Runs until the monitor is stopped.
    func run() {
        perform(machine.begin())
        publish()
        while let messages = monitor.take() {
            messages.forEach(handle)
            takeNews()
            checkDirt()
            if let deadline = machine.deadline, deadline <= now { perform(machine.handle(.tick, at: now)) }
            advanceRound()
            askAgain()
            publish()
            wait()
        }
    }

    private var now: MonotonicTime { world.time.now }

    private func wait() {
        let deadlines = [dirt.deadline, machine.deadline, schedule.deadline, opinions.deadline]
        let next = deadlines.compactMap(\.self).min()
        let milliseconds = next.map { Int32(clamping: max(0, ($0 - now).milliseconds + ($0 > now ? 1 : 0))) } ?? -1
        let ready = cfiles_wait(watcher?.descriptor ?? -1, monitor.wake, mounts, milliseconds)
        // What was mounted or unmounted hides files, or shows others.
        if ready > 0, ready & 4 != 0 { schedule.hurry() }
    }

    /// Whether something has come that goes before a round.
    private var isInterrupted: Bool { cfiles_wait(watcher?.descriptor ?? -1, monitor.wake, -1, 0) != 0 }

    private func handle(_ message: IntegrityMonitor.Message) {
        switch message {
        case .verdict(let verdict): perform(machine.handle(.verdict(verdict), at: now))
        case .order(let order, let reply):
            orders += 1
            replies[orders] = reply
            let found = MerkleTree.root(of: entriesNow, sha256: sha256)
            perform(machine.handle(.order(order, number: orders, found: found), at: now))
        }
    }

    private func takeNews() {
        for news in watcher?.news() ?? [] {
            if news == .overflow {
                overflows += 1
                tell(IntegrityNews(.overflow, "every file is looked at now"))
                watcher?.watchRoads()
                schedule.hurry()
            } else {
                dirt.note(news, at: now)
            }
        }
    }

    private func checkDirt() {
        var findings: FileChecker.Findings = [:]
        while let dirty = dirt.next(at: now) {
            let before = cfiles_thread_ns()
            if dirty.isTree {
                checker.checkAll(from: dirty.path, into: &findings)
            } else {
                checker.check(dirty.path, into: &findings)
            }
            dirt.checked(dirty.path, cost: .nanoseconds(cfiles_thread_ns() - before), at: now)
            if monitor.isStopping { return }
        }
        if !findings.isEmpty { perform(machine.handle(.checked(findings), at: now)) }
    }

    private func advanceRound() {
        guard schedule.begin(checker, at: now) else { return }
        var findings: FileChecker.Findings = [:]
        let before = cfiles_thread_ns()
        var (steps, isOver) = (0, false)
        var cost = Duration.zero
        while !isOver, cost < CheckSchedule.slice {
            isOver = !schedule.advance(cost: cost, into: &findings)
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
        for action in actions {
            switch action {
            case .disable(let reason, let isKept):
                // The outputs first, whatever the disk does.
                world.disable(reason)
                world.logger.error(
                    "the device is disabled: its outputs are made safe", metadata: ["reason": "\(reason)"])
                if isKept {
                    keep("that the device is disabled") { () throws(FileError) in try world.folder.mark.set(reason) }
                }
            case .enable:
                world.folder.mark.clear()
                world.enable()
                world.logger.notice("the device is commanded again")
            case .adopt(let changes, let counter):
                adopt(Baseline(FileChange.apply(changes, to: checker.baseline.entries), counter: counter))
            case .confirm(let counter): confirm(counter)
            case .keep(let record):
                keep("what was decided about its files") { () throws(FileError) in try world.folder.keep(record) }
            case .tell(let news): tell(news)
            case .answer(let number, let outcome): replies.removeValue(forKey: number)?(outcome)
            }
        }
    }

    private var entriesNow: [FileEntry] { FileChange.apply(machine.changes.values, to: checker.baseline.entries) }

    private func adopt(_ baseline: Baseline) {
        checker.adopt(baseline)
        schedule.restart()
        keep("what its files are meant to be") { () throws(FileError) in try world.folder.baseline.write(baseline) }
    }

    private func confirm(_ counter: UInt64) {
        var baseline = checker.baseline
        guard baseline.counter != counter || baseline.isUnconfirmed else { return }
        (baseline.counter, baseline.isUnconfirmed) = (counter, false)
        adopt(baseline)
    }

    /// Writes something down; where that can't be done, people are told.
    private func keep(_ what: String, _ write: () throws(FileError) -> Void) {
        problems.removeAll { $0.hasPrefix(what) }
        do throws(FileError) {
            try write()
        } catch {
            problems.append("\(what) can't be kept: \(error)")
            world.logger.error("\(what) can't be kept", metadata: ["reason": "\(error)"])
        }
    }

    /// Asks the packages once more about what did not match them: an update writes its files before it says so.
    private func askAgain() {
        guard let paths = opinions.due(at: now) else { return }
        let matching = opinions.ask(paths.filter { machine.changes[$0] != nil }, reader, at: now)
        guard !matching.isEmpty else { return }
        tell(IntegrityNews(.explained, matching.compactMap { machine.changes[$0] }.sorted { $0.path < $1.path }))
    }

    private func tell(_ news: IntegrityNews) {
        if [.changed, .replaced].contains(news.name) {
            opinions.remember(news.changes, at: now)
            _ = opinions.ask(news.changes.map(\.path), reader, at: now)
        }
        let news = news.remarked(opinions.remarks)
        world.observe(.event(Event(component: IntegrityComponent.id, name: news.name.rawValue, detail: news.detail)))
        world.logger.warning("files: \(news.name.rawValue)", metadata: ["detail": "\(news.detail)"])
    }

    private func publish() {
        let baseline = checker.baseline
        let objection = machine.objection == machine.disabledBecause ? nil : machine.objection
        let status = IntegrityStatus(
            state: machine.state, mode: watcher?.name ?? "rounds",
            blindness: watcher?.blindness ?? "everything: each round notices what has changed",
            response: machine.response, root: baseline.root, counter: baseline.counter, files: baseline.entries.count,
            changes: machine.changes.count, disabledBecause: machine.disabledBecause, period: schedule.period,
            overflows: overflows, problems: problems + [watcher?.problem, objection].compactMap(\.self))
        var findings = IntegrityMonitor.Findings(status: status)
        findings.claim = IntegrityClaim(
            root: baseline.root, counter: baseline.isUnconfirmed ? nil : baseline.counter, response: machine.response)
        opinions.keep { machine.changes[$0] != nil }
        (findings.baseline, findings.changes, findings.remarks) = (baseline, machine.changes, opinions.remarks)
        (findings.checkedAt, findings.windowEnd) = (schedule.overAt, machine.windowEnd)
        monitor.publish(findings)
        let isNews = said.map { ($0.state, $0.changes) != (status.state, status.changes) } ?? true
        guard isNews else { return }
        said = status
        for reading in IntegrityComponent.readings(status) { world.observe(reading) }
    }
}
