import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport

@testable import Store

/// A store, a router and what becomes of both, as chance wants it; and a book of all that must not be lost.
///
/// Each observation carries a number of its own, so that it is known again wherever it turns up.
final class OutboxWorld {
    /// What may go wrong besides runs that are cut off and sessions that break.
    enum Disaster: CaseIterable {
        case none
        /// The store is an older copy, now and then.
        case storeRestored
        /// The router loses its newest, now and then.
        case routerForgets
    }

    /// What is not as promised.
    struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    /// What is in the store, by the observations' own numbers.
    private struct Contents {
        var rows: [Int: RecordedObservation] = [:]
        var gaps: Set<Gap> = []

        /// How many are missing by the gaps of some reasons.
        func missing(_ reasons: Set<GapReason>) -> Int {
            gaps.filter { reasons.contains($0.reason) }.compactMap(\.count).reduce(0) { $0 + Int($1) }
        }
    }

    private struct Copy {
        var image: SimulatedDisk.Image
        /// How many observations there were.
        var made: Int
    }

    private static let bounded: Set<GapReason> = [.tooOld, .storeFull, .thinnedOut]
    private static let losses: Set<GapReason> = [.diskFailed, .diskTooSlow]

    private let disaster: Disaster
    private var chance: SeededGenerator
    private let disk: SimulatedDisk
    private var time = ManualTime()
    private var boot: UInt8 = 1
    private var store: Store
    private var router = ModelRouter()

    // MARK: The book

    /// Everything that `append` has ever returned.
    private var made: [RecordedObservation] = []
    /// Where each was last.
    private var positions: [Int: StreamPosition] = [:]
    /// Left out because the store was too big or it was too old, and named.
    private var pruned: Set<Int> = []
    /// In a life of the store that is over.
    private var inAnotherLife: Set<Int> = []
    /// At the router already when it got another number.
    private var mayComeTwice: Set<Int> = []
    private var lost: [GapReason: UInt64] = [:]
    private var cutOff = 0
    private var contents = Contents()
    private var copies: [Copy] = []
    private var routers: [ModelRouter] = []
    private var steps: [String] = []

    init(seed: UInt64, _ disaster: Disaster) throws {
        self.disaster = disaster
        chance = SeededGenerator(seed: seed)
        disk = SimulatedDisk(seed: seed)
        store = try disk.open(time: time)
    }

    /// How many observations there were.
    var count: Int { made.count }
    /// What has happened, for whoever looks for the fault.
    var log: String { steps.joined(separator: "\n") }

    private func open() throws {
        // Seldom big enough for all.
        let whenFull: AgentConfiguration.Store.WhenFull = flip(2) ? .dropOldest : .thinOut(to: .seconds(5))
        store = try disk.open(
            size: flip(3) ? 70_000 : 1_000_000, age: .seconds(120), whenFull: whenFull, time: time)
    }

    private func flip(_ sides: Int) -> Bool { number(1...sides) == 1 }

    private func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &chance) }

    private func note(_ step: String) { steps.append("\(steps.count + 1). \(step)") }

    // MARK: What happens

    /// Much happens, and then everything goes up.
    func live() async throws {
        for _ in 0..<45 { try await step() }
        try await end()
    }

    /// Something happens.
    private func step() async throws {
        switch number(1...20) {
        case 1...9: try await append()
        case 10...12: try await session()
        case 13...14: try await acknowledge()
        case 15...16: try await restart()
        case 17: time.advance(by: .seconds(Int64(number(1...60))))
        case 18: try await copy()
        case 19 where disaster == .storeRestored: try await restore()
        case 19 where disaster == .routerForgets: forget()
        default: try await append()
        }
    }

    private func append() async throws {
        var observations: [Observation] = []
        for _ in 0..<number(0...8) {
            time.advance(by: .milliseconds(Int64(number(0...2_000))))
            let own = made.count + observations.count
            observations.append(
                flip(5) ? Sample.event("\(own)", at: time) : Sample.reading(Double(own), at: time))
        }
        var losses: [Loss] = []
        if flip(4) {
            let reason: GapReason = flip(2) ? .diskFailed : .diskTooSlow
            losses.append(Sample.loss(number(1...4), of: flip(3) ? .events : .telemetry, reason))
        }
        let recorded = try await store.append(observations, lost: losses)
        guard recorded.map(\.observation) == observations else { throw Difference(description: "append gave others") }
        note("append \(recorded.map(\.position.sequence)), lost \(losses.map(\.count))")
        made += recorded
        for record in recorded { positions[record.own] = record.position }
        for loss in losses { lost[loss.reason, default: 0] += UInt64(loss.count) }
        let before = contents
        try await look(expecting: before.rows.count + recorded.count)
        for own in Set(before.rows.keys).union(recorded.map(\.own)).subtracting(contents.rows.keys) {
            let position = before.rows[own]?.position ?? made[own].position
            guard contents.gaps.contains(where: { $0.names(position) && Self.bounded.contains($0.reason) }) else {
                throw Difference(description: "\(own) at \(position) is gone without a word")
            }
            pruned.insert(own)
        }
        guard contents.gaps.filter({ Self.bounded.contains($0.reason) }).allSatisfy(\.isCounted) else {
            throw Difference(description: "a count is wrong: \(contents.gaps)")
        }
        let newlyLost = losses.map(\.count).reduce(0, +)
        let told = contents.missing(Self.losses) - before.missing(Self.losses)
        guard told == newlyLost else { throw Difference(description: "\(newlyLost) were lost, and \(told) are told") }
    }

    /// Acknowledgements that come late, and in parts.
    private func acknowledge() async throws {
        guard let known = router.receptions.randomElement(using: &chance), known.received.last > 0 else { return }
        var part = SequenceRanges()
        for _ in 0..<number(1...3) {
            let first = UInt64(number(1...Int(known.received.last)))
            part.insert(first...min(known.received.last, first + UInt64(number(0...10))))
        }
        // Of what the router has from another life, it was not this store that has sent it.
        let own = SequenceRanges(
            contents.rows.values.filter { router.observation($0.position) == $0.observation }
                .filter { $0.position.stream == known.stream && $0.position.epoch == known.epoch }
                .map { $0.position.sequence...$0.position.sequence })
        let reception = StreamReception(
            stream: known.stream, epoch: known.epoch,
            received: part.intersection(known.received).intersection(own))
        note("acknowledge \(reception.stream) \(reception.received.ranges)")
        try await store.acknowledge(reception)
        let before = contents
        try await look()
        let gone = Set(before.rows.keys).subtracting(contents.rows.keys)
        let meant = before.rows.filter { reception.contains($0.value.position) }.keys
        guard gone == Set(meant) else { throw Difference(description: "\(gone) went, \(meant) were acknowledged") }
    }

    private func session() async throws {
        var session = ModelSession(batchSize: number(1...20))
        if flip(2) { session.cutAfter = number(0...4) }
        session.losesAcknowledgements = flip(2)
        session.meanwhile = { [self] router in
            self.router = router
            guard flip(6) else { return }
            try await look()
            try await append()
        }
        note("session, cut after \(session.cutAfter.map(String.init) ?? "all")")
        var router = router
        let isDone = try await session.run(store, &router)
        self.router = router
        note("session ended, \(isDone ? "all sent" : "not all sent")")
        try await look()
    }

    private func restart() async throws {
        let (isFinished, isReboot) = (flip(2), flip(2))
        note("restart \(isFinished ? "after an end in order" : "") \(isReboot ? "of the machine" : "")")
        if isFinished { try await store.finish() } else { disk.crash() }
        if isReboot {
            boot += 1
            time = ManualTime(wall: time.wall + .seconds(1), boot: boot)
        }
        try open()
        let before = contents
        try await look(expecting: before.rows.count)
        guard contents.rows == before.rows else { throw Difference(description: "a restart has changed what there is") }
        let new = contents.gaps.subtracting(before.gaps)
        guard before.gaps.isSubset(of: contents.gaps), new.count == (isFinished ? 0 : 2),
            new.allSatisfy({ $0.reason == .uncleanStop && $0.count == nil })
        else { throw Difference(description: "a restart has told \(new)") }
        if !isFinished { cutOff += 1 }
    }

    private func copy() async throws {
        note("copy")
        copies.append(Copy(image: disk.copy(), made: made.count))
        routers.append(router)
    }

    private func restore() async throws {
        guard let copy = copies.randomElement(using: &chance) else { return }
        note("restore the copy that was made at \(copy.made)")
        copies = copies.filter { $0.made <= copy.made }
        disk.restore(copy.image)
        try open()
        let before = contents
        try await look()
        let arrived = Set(StreamName.allCases.flatMap { router.observations(of: $0).map(\.observation.own) })
        inAnotherLife.formUnion(Set(before.rows.keys).subtracting(contents.rows.keys).subtracting(arrived))
        // What was left out in that life was perhaps never told.
        inAnotherLife.formUnion(pruned.filter { $0 >= copy.made })
        // In that life it had another number when it went up.
        for (own, record) in contents.rows where arrived.contains(own) {
            if router.observation(record.position) != record.observation { mayComeTwice.insert(own) }
        }
    }

    private func forget() {
        guard let older = routers.randomElement(using: &chance) else { return }
        note("the router forgets")
        router = older
    }

    /// Reads what is in the store, and finds what has another number.
    private func look(expecting count: Int? = nil) async throws {
        var new = Contents()
        for stream in StreamName.allCases {
            let waiting = try await store.waiting(in: stream)
            for record in waiting.observations {
                guard new.rows.updateValue(record, forKey: record.observation.own) == nil else {
                    throw Difference(description: "\(record.observation.own) is there twice")
                }
            }
            new.gaps.formUnion(waiting.gaps)
        }
        for (own, record) in new.rows {
            guard record.observation == made[own].observation else {
                throw Difference(description: "\(own) has become \(record)")
            }
            if let old = positions[own], old != record.position, router.observation(old) == record.observation {
                mayComeTwice.insert(own)
            }
            positions[own] = record.position
        }
        let status = await store.status()
        guard status.kept == new.rows.count, status.problem == nil else {
            throw Difference(description: "\(new.rows.count) are kept, and the store says \(status)")
        }
        contents = new
    }

    // MARK: The end

    /// Lets everything go up, and looks whether all is there.
    private func end() async throws {
        for _ in 0..<30 {
            let isDone = try await ModelSession(batchSize: 10).run(store, &router)
            note("a session at the end, \(isDone ? "all sent" : "not all sent")")
            try await look()
            if isDone { break }
        }
        guard contents.rows.isEmpty, contents.gaps.isEmpty else {
            throw Difference(description: "left behind: \(contents)")
        }
        for epoch in router.epochs where epoch.received.ranges.first != 1...epoch.received.last {
            throw Difference(description: "epoch \(epoch.number) has holes: \(epoch.received.ranges)")
        }
        var arrived: [Int: Int] = [:]
        for stream in StreamName.allCases {
            for (_, observation) in router.observations(of: stream) {
                guard observation == made[observation.own].observation else {
                    throw Difference(description: "\(observation) arrived")
                }
                arrived[observation.own, default: 0] += 1
            }
        }
        for own in made.indices {
            switch arrived[own, default: 0] {
            case 0 where inAnotherLife.contains(own): break
            case 0:
                guard let position = positions[own], router.knows(position) else {
                    throw Difference(description: "\(own) is missing, and nobody says so")
                }
            case 1: break
            case let times where !mayComeTwice.contains(own):
                throw Difference(description: "\(own) arrived \(times) times")
            default: break
            }
        }
        if disaster == .none { try countNamed() }
    }

    /// Checks how many are said to be missing.
    private func countNamed() throws {
        var named: [GapReason: UInt64] = [:]
        for epoch in router.epochs { for gap in epoch.gaps.values { named[gap.reason, default: 0] += 1 } }
        let notArrived = UInt64(pruned.filter { positions[$0].map { router.observation($0) == nil } ?? true }.count)
        let bounded = Self.bounded.map { named[$0, default: 0] }.reduce(0, +)
        guard Self.losses.allSatisfy({ named[$0, default: 0] == lost[$0, default: 0] }), bounded == notArrived,
            named[.uncleanStop, default: 0] == UInt64(2 * cutOff), named[.routerLost] == nil,
            named[.storeReplaced] == nil
        else { throw Difference(description: "named \(named), lost \(lost), pruned \(notArrived), cut off \(cutOff)") }
    }
}

extension Gap {
    /// Whether each of its numbers stands for one observation.
    fileprivate var isCounted: Bool { count == last - first + 1 }
}

extension StreamReception {
    fileprivate func contains(_ position: StreamPosition) -> Bool {
        stream == position.stream && epoch == position.epoch
            && received.contains(position.sequence...position.sequence)
    }
}
