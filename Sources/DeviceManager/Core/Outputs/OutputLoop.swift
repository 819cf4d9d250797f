import Components
import DeviceModel
import HAL
import Logging

/// The output loop: reads what happens to the outputs, lets ``Outputs`` decide, and does it.
///
/// One loop decides for all of them; each line is driven by a task of its own, so that one that hangs stops no other.
struct OutputLoop {
    /// A change of the outputs: those that go are made safe and given back first.
    private struct Change {
        var plans: [ComponentPlan]
        var leaving: Set<ComponentID>
        /// Their lines are given back.
        ///
        /// Their rules count until the change is made, so that no interlock has a hole.
        var gone: Set<ComponentID> = []
        /// Their drivers are told to end from here on, however their lines are.
        var patience: MonotonicTime
        var done: @Sendable () -> Void
    }

    /// How long lines may take to become safe when the agent stops, or when they leave the configuration.
    private static let farewell: Duration = .seconds(2)
    /// The pause before what could not be written down is tried again.
    private static let journalPause: Duration = .seconds(1)

    private let service: OutputService
    private let holder: any OutputHolder
    private let journal: OutputJournalFile?
    private let hub: ObservationHub
    private let time: any TimeSource
    private let logger: Logger

    private var outputs: Outputs
    private var drivers: [ComponentID: OutputDriver] = [:]
    private var reports: [ComponentID: OutputReport] = [:]
    private var incidents: [ComponentID: Incident] = [:]
    /// What could not be written down so far, and when that is tried again.
    private var unwritten: (content: OutputJournal, retryAt: MonotonicTime)?
    private var journalIncident: Incident
    private var change: Change?
    private var stopUntil: MonotonicTime?

    init(service: OutputService, in world: OutputService.Surroundings) {
        self.service = service
        (holder, journal, hub, time, logger) = (world.holder, world.journal, world.hub, world.time, world.logger)
        outputs = Outputs(
            heartbeat: holder.heartbeat, patience: world.patience, journal: journal?.read(logger), boot: time.boot,
            now: time.now)
        journalIncident = Incident(
            logger, "journal of the outputs cannot be written; after a restart, what is away from safe is made safe",
            over: "journal of the outputs is written again")
    }

    /// Runs until the outputs are settled after the stop.
    mutating func run(_ plans: [ComponentPlan], in group: inout DiscardingTaskGroup) async {
        holder.listen { [inputs = service.inputs] news in inputs.send(.news(news)) }
        start(plans, in: &group)
        group.addTask { [holder] in await holder.run() }
        while !isOver {
            let due = [outputs.deadline, unwritten?.retryAt, change?.patience, stopUntil].compactMap(\.self).min()
            let received = await service.inputs.next(until: due, on: time)
            if let unwritten, unwritten.retryAt <= time.now { write(unwritten.content) }
            switch received {
            case .element(let input): take(input)
            case .deadline: handle(.tick)
            case .finished: return leave()
            }
            goOn(in: &group)
        }
        leave()
        await giveBack()
    }

    /// Nothing is driven any more.
    private mutating func leave() {
        service.leave(farewell)
        for id in drivers.keys where outputs.all[id]?.underway != nil { handle(.lost(id, "the agent has stopped")) }
        for driver in drivers.values { driver.works.finish() }
        change?.done()  // as far as it came
        change = nil
    }

    /// Waits until the lines are given back; one that hangs is left behind.
    private mutating func giveBack() async {
        while !drivers.isEmpty, case .element(let input) = await service.inputs.next(until: stopUntil, on: time) {
            switch input {
            case .ended(let works, let id): if drivers[id]?.works === works { drivers[id] = nil }
            case .configure(_, let done): done()
            case .event, .driver, .news: break  // whoever commands is told that the agent stops
            }
        }
    }

    /// How the outputs are left behind.
    private var farewell: String {
        let left = outputs.all.values.filter { $0.isAway || $0.line != .held }
            .sorted { $0.id.rawValue < $1.id.rawValue }
        guard !left.isEmpty else { return "outputs are safe" }
        return left.map { output in
            if let problem = output.problem { return "what \(output.id) does is not known: \(problem)" }
            let hold = output.rules.onAgentLost.hold
            return holder.heartbeat != nil && hold > .zero
                ? "the keeper leaves \(output.id) \(output.value.onOff) for \(hold.text), then makes it safe"
                : "\(output.id) could not be made safe in time"
        }.joined(separator: "; ")
    }

    private var isOver: Bool {
        guard let stopUntil else { return false }
        return stopUntil <= time.now || outputs.isSettled(keeps: holder.heartbeat != nil)
    }

    private mutating func take(_ input: OutputService.Input) {
        switch input {
        case .event(.stop):
            stopUntil = stopUntil ?? time.now + Self.farewell
            handle(.stop)
        case .event(let event): handle(event)
        case .driver(let works, let event):
            if drivers.values.contains(where: { $0.works === works }) { handle(event) }
        case .ended(let works, let id):
            // One that was left behind has given its line back at last.
            if drivers[id]?.works === works { letGo(id) } else { retakeMissing() }
        case .news(.lost(let id, let reason)):
            for driver in drivers.values where id == nil || id == driver.id {
                handle(.lost(driver.id, reason))
                driver.retake()
            }
        case .news(.back): retakeMissing()
        case .news(.madeSafe(let id, let reason)): handle(.madeSafe(id, reason))
        case .configure(let plans, let done): begin(plans, done)
        }
    }

    /// Lines that were in somebody's way may be free by now.
    private func retakeMissing() {
        for driver in drivers.values where reports[driver.id]?.problem != nil { driver.retake() }
    }

    // MARK: Doing

    private mutating func handle(_ event: Outputs.Event) {
        for action in outputs.handle(event, at: time.now) {
            switch action {
            case .journal(let content): write(content)
            case .drive(let drive): drivers[drive.component]?.works.send(.drive(drive))
            case .answer(let number, let outcome): service.answer(number, outcome)
            case .report(let id, let report): tell(id, report)
            case .beat: holder.beat()
            }
        }
    }

    private mutating func write(_ content: OutputJournal) {
        guard let journal else { return }
        do throws(FileError) {
            try journal.write(content)
            unwritten = nil
            journalIncident.end()
        } catch {
            unwritten = (content, retryAt: time.now + Self.journalPause)
            journalIncident.happened(error.description)
        }
    }

    /// Reports what has changed of an output.
    private mutating func tell(_ id: ComponentID, _ report: OutputReport) {
        let last = reports.updateValue(report, forKey: id)
        let now = time.now
        func observe(_ property: String, _ value: Value?, failed reason: String? = nil) {
            let quality: Quality = reason == nil ? .good : .failed
            hub.observe(
                at: now,
                .reading(Reading(component: id, property: property, value: value, quality: quality, reason: reason)))
        }
        if last?.value != report.value || last?.problem != report.problem {
            observe("on", report.problem == nil ? .boolean(report.value == .active) : nil, failed: report.problem)
        }
        if last?.problem != report.problem {
            service.note(id, problem: report.problem)
            log(id, report.problem)
        }
        let wall = time.wall
        let (before, after) = (last?.properties(at: now, wall), report.properties(at: now, wall))
        for (index, (property, value)) in after.enumerated() where before?[index].value != value {
            observe(property, value)
        }
    }

    private mutating func log(_ id: ComponentID, _ problem: String?) {
        var logger = logger
        logger[metadataKey: "component.id"] = "\(id)"
        var incident = incidents[id] ?? Incident(logger, "output does not work", over: "output works again")
        if let problem { incident.happened(problem) } else { incident.end() }
        incidents[id] = incident
    }

    // MARK: Which outputs there are

    private mutating func start(_ plans: [ComponentPlan], in group: inout DiscardingTaskGroup) {
        let all = Self.outputs(of: plans)
        holder.configure(all)
        for (id, plan) in all.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where drivers[id] == nil {
            outputs.add(id, plan.rules, at: time.now)
            let driver = OutputDriver(id: id, plan: plan, holder: holder, time: time, inputs: service.inputs)
            drivers[id] = driver
            group.addTask { await driver.run() }
        }
    }

    private static func outputs(of plans: [ComponentPlan]) -> [ComponentID: OutputPlan] {
        plans.reduce(into: [:]) { $0[$1.id] = $1.output }
    }

    private mutating func begin(_ plans: [ComponentPlan], _ done: @escaping @Sendable () -> Void) {
        let wanted = Self.outputs(of: plans)
        let leaving = drivers.values.filter { wanted[$0.id] != $0.plan }.map(\.id)
        change = Change(plans: plans, leaving: Set(leaving), patience: time.now + Self.farewell, done: done)
        for id in leaving {
            if outputs.all[id]?.isAway == true {
                logger.notice(
                    "output is made safe, because its configuration was changed", metadata: ["component.id": "\(id)"])
            }
            handle(.retire(id))
        }
    }

    private mutating func letGo(_ id: ComponentID) {
        drivers[id] = nil
        change?.leaving.remove(id)
        change?.gone.insert(id)
    }

    private mutating func forget(_ id: ComponentID) {
        (reports[id], incidents[id]) = (nil, nil)
        service.forget(id)
        hub.forget(id)
    }

    /// Takes the next step of a change.
    private mutating func goOn(in group: inout DiscardingTaskGroup) {
        guard let change else { return }
        let isLate = change.patience <= time.now
        for id in change.leaving where isLate || outputs.isSafe(id) { drivers[id]?.works.finish() }
        if isLate {
            for id in change.leaving {
                logger.error("output hangs, and is left behind", metadata: ["component.id": "\(id)"])
                if outputs.all[id]?.underway != nil {
                    handle(.lost(id, "its line did not answer, and was left behind"))
                }
                letGo(id)
            }
        }
        guard let change = self.change, change.leaving.isEmpty else { return }
        self.change = nil
        let wanted = Self.outputs(of: change.plans)
        for id in change.gone {
            forget(id)
            if wanted[id] == nil { outputs.remove(id) }
        }
        start(change.plans, in: &group)
        group.addTask { [holder] in
            await holder.settled()
            change.done()
        }
    }
}

extension OutputReport {
    /// What is told of an output beside its value.
    fileprivate func properties(at now: MonotonicTime, _ wall: WallTime) -> [(name: String, value: Value)] {
        [
            ("wanted", .boolean(wanted == .active)),
            ("holder", .text(holder ?? "")),
            ("until", .text(until.map { (wall + ($0 - now)).rfc3339 } ?? "")),
            ("reason", .text(reason)),
            ("switches", .integer(Int64(counters.switches))),
            ("refusals", .integer(Int64(counters.refusals))),
            ("lease_ends", .integer(Int64(counters.leaseEnds))),
            ("keeper_interventions", .integer(Int64(counters.interventions))),
        ]
    }
}
