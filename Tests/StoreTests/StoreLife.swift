import DeviceManager
import DeviceModel
import HALTestKit
import Synchronization
import TestSupport

@testable import Store

/// A life that a store leads in an agent: opened, filled in groups, pruned, acknowledged, ended and opened again, on a
/// disk that may fail; with a book of all that it has promised.
final class StoreLife {
    /// What is done, one after the other.
    private enum Step {
        case open
        case append(readings: Int, events: Int = 0, lost: Int = 0)
        case claim(String)
        case end(String)
        case acknowledge(ClosedRange<UInt64>)
        case agree(routerHas: UInt64)
        case renumber
        case finish
        case close

        /// Whether it shows that the disk is well.
        var isWriting: Bool {
            switch self {
            case .append, .end, .claim, .finish: true
            default: false
            }
        }
    }

    /// What is done when a step fails.
    enum Conduct {
        /// It is done again at once.
        case again
        /// Others are tried, which fail as well; then the disk is repaired, and all of them are done again.
        case againAfterRepair
        /// The process is over.
        case over
    }

    private static let steps: [Step] =
        [
            .open, .append(readings: 3, events: 1), .claim("a"), .append(readings: 2, lost: 2), .end("a"),
            .acknowledge(1...3), .agree(routerHas: 3),
        ] + [Step](repeating: .append(readings: 40, events: 1), count: 5) + [
            .claim("b"), .append(readings: 5, lost: 1), .finish, .close,
            .open, .append(readings: 4, events: 2), .agree(routerHas: 1_000), .append(readings: 3), .renumber,
            .append(readings: 2, events: 1, lost: 3), .acknowledge(1...2), .end("b"), .finish, .close,
        ]

    let disk: SimulatedDisk
    private let conduct: Conduct
    private let time = ManualTime()
    private let epochs = Epochs()
    private var store: Store?

    /// Another one each time, and the same ones in each life.
    private final class Epochs: Sendable {
        private let last = Mutex<UInt64>(0)

        func next() -> UInt64 {
            last.withLock { last in
                last += 1
                return last
            }
        }
    }

    // MARK: The book

    /// What is not as promised.
    private(set) var faults: [String] = []
    /// Whether a step has failed.
    private(set) var hasFailed = false
    /// What `append` has returned, in its order, by the observations' own numbers.
    private var given: [(own: Int, record: RecordedObservation)] = []
    /// What was to be stored when the process ended.
    private var onItsWay: Set<Int> = []
    private var acknowledged: Set<Int> = []
    private var lost = 0
    /// How much was left out to keep the store in its bound, as far as that is told.
    private(set) var pruned = 0
    private var claimed: Set<String> = []
    private var tried: Set<String> = []
    private var others = 0
    private var count = 0
    /// Whether this run has stored something, and has not come to its end.
    private var isUnfinished = false

    init(disk: SimulatedDisk, _ conduct: Conduct) {
        (self.disk, self.conduct) = (disk, conduct)
    }

    private func open() throws(StoreError) -> Store {
        try disk.open(size: 78_000, time: time) { [epochs] in epochs.next() }
    }

    private func fault(_ text: String) { faults.append(text) }

    // MARK: Living

    /// Lives it to its end, or until the process is over.
    func live() async throws {
        var tries = 0
        var open = Self.steps[...]
        while let step = open.first {
            do {
                try await run(step)
                open.removeFirst()
                tries = 0
                if hasFailed, step.isWriting, let problem = await store?.status().problem {
                    fault("all is well again, and the store says: \(problem)")
                }
            } catch {
                hasFailed = true
                tries += 1
                if conduct == .over { return }
                await suffer(error, at: step)
                guard tries < 5 else { return fault("\(step) fails again and again: \(error)") }
                if conduct == .againAfterRepair { disk.repair() }
            }
        }
    }

    /// A step has failed: looks whether the store says so, and whether others are refused as they should.
    private func suffer(_ error: any Error, at step: Step) async {
        guard let store else { return }
        if await store.status().problem == nil { fault("\(step) failed: \(error), and the store says nothing") }
        guard conduct == .againAfterRepair else { return }
        for _ in 0..<2 {
            others += 1
            do {
                // For a little there may be room where for more there is none.
                if try await store.claim(Sample.command("other-\(others)")) { claimed.insert("other-\(others)") }
            } catch {
                if await store.status().problem == nil { fault("a claim failed, and the store says nothing") }
            }
        }
    }

    private func run(_ step: Step) async throws {
        if case .open = step {
            // Where the disk does not work it is opened later; for whoever goes on that is a failure like any other.
            if let store { return _ = try await store.waiting() }
            store = try open()
            if let problem = await store?.status().problem { throw NotOpen(description: problem) }
            return
        }
        guard let store else { return fault("there is no store") }
        switch step {
        case .open: break
        case .append(let readings, let events, let lost): try await append(readings, events, lost, to: store)
        case .claim(let id):
            // What failed may have been written down all the same; then it counts as begun, which does no harm.
            defer { tried.insert(id) }
            let isFirst = try await store.claim(Sample.command(id))
            if isFirst == claimed.contains(id), !tried.contains(id) { fault("\(id) was claimed twice, or never") }
            claimed.insert(id)
        case .end(let id): try await append([Sample.result(id, .done, at: time)], lost: 0, to: store)
        case .acknowledge(let numbers):
            guard let epoch = try await store.waiting().observations.last?.position.epoch else { return }
            let gone = try await store.waiting().observations.filter {
                $0.position.epoch == epoch && numbers.contains($0.position.sequence)
            }
            acknowledged.formUnion(gone.map(\.own))
            try await store.acknowledge(StreamReception(.telemetry, epoch, numbers))
        case .agree(let last):
            guard let epoch = given.last(where: { $0.record.position.stream == .telemetry })?.record.position.epoch
            else { return }
            _ = try await store.agree(with: [StreamReception(.telemetry, epoch, 1...last)])
        case .renumber:
            guard let record = try await store.waiting().observations.last else { return }
            try await store.renumber(from: record.position)
        case .finish:
            isUnfinished = false
            try await store.finish()
        case .close: self.store = nil
        }
    }

    private struct NotOpen: Error, CustomStringConvertible {
        let description: String
    }

    private func append(_ readings: Int, _ events: Int, _ lost: Int, to store: Store) async throws {
        var observations = (0..<readings).map { Sample.reading(Double(count + $0), at: time) }
        observations += (0..<events).map { Sample.event("\(count + readings + $0)", at: time) }
        try await append(observations, lost: lost, to: store)
        count += observations.count
        self.lost += lost
    }

    private func append(_ observations: [Observation], lost: Int, to store: Store) async throws {
        onItsWay = Set(observations.map(\.own))
        let losses = lost > 0 ? [Sample.loss(lost)] : []
        given += try await store.append(observations, lost: losses).map { ($0.own, $0) }
        onItsWay = []
        isUnfinished = true
        time.advance(by: .seconds(1))
    }

    // MARK: Looking

    /// Opens what is on the disk, and looks whether all that was promised is there.
    func look() async throws {
        disk.repair()
        store = nil
        let store = try open()
        if let problem = await store.status().problem { fault("the disk is well, and the store says: \(problem)") }
        var rows: [RecordedObservation] = []
        var gaps: [Gap] = []
        for stream in StreamName.allCases {
            let waiting = try await store.waiting(in: stream)
            rows += waiting.observations
            gaps += waiting.gaps
        }
        if await store.status().kept != rows.count { fault("\(rows.count) are there, and the store counts otherwise") }
        lookAt(rows, gaps)
        for id in claimed where try await store.claim(Sample.command(id)) { fault("\(id) can be begun once more") }
    }

    private func lookAt(_ rows: [RecordedObservation], _ gaps: [Gap]) {
        let there = Dictionary(grouping: rows, by: \.own)
        for (own, records) in there where records.count > 1 {
            fault("\(own) is there under \(records.map(\.position.sequence))")
        }
        let numbers = Dictionary(grouping: given, by: \.record.position)
        for row in rows {
            if gaps.contains(where: { $0.names(row.position) }) {
                fault("\(row.own) is there at \(row.position.sequence), and is said to be missing")
            }
            if let other = numbers[row.position]?.first, other.own != row.own {
                fault("\(row.own) has the number that was given to \(other.own)")
            }
        }
        pruned = gaps.filter { $0.reason == .storeFull }.compactMap(\.count).reduce(0) { $0 + Int($1) }
        let missing = given.filter { there[$0.own] == nil && !acknowledged.contains($0.own) }
        for (own, record) in missing {
            if !gaps.contains(where: { $0.names(record.position) }) {
                fault("\(own) at \(record.position) was stored, and is gone without a word")
            }
        }
        let strange = Set(there.keys).subtracting(given.map(\.own))
        if !strange.isSubset(of: onItsWay) { fault("\(strange.sorted()) are there, and were never stored") }
        // What was on its way when the process ended is there wholly, or not at all; some of it may have been pruned.
        let others = onItsWay.count - strange.count
        if pruned != missing.count, pruned != missing.count + others {
            fault("\(missing.count) went, and \(pruned) are named")
        }
        lookAt(gaps)
    }

    private func lookAt(_ gaps: [Gap]) {
        let told = gaps.filter { $0.reason == .diskTooSlow }.compactMap(\.count).reduce(0, +)
        let losses = onItsWay.isEmpty ? [lost] : [lost, lost + 1, lost + 2, lost + 3]
        if !losses.contains(Int(told)) { fault("\(lost) were lost, and \(told) are told") }
        let unclean = gaps.filter { $0.reason == .uncleanStop }.count
        if conduct != .over, unclean > 0 { fault("\(unclean) runs are said to have been cut off, and none was") }
        if conduct == .over, isUnfinished, unclean == 0 { fault("a run was cut off, and nobody says so") }
    }
}

extension RecordedObservation {
    /// Its own number, by which it is known again.
    var own: Int { observation.own }
}

extension Gap {
    /// Whether it names a number.
    func names(_ position: StreamPosition) -> Bool {
        stream == position.stream && epoch == position.epoch && numbers.contains(position.sequence)
    }
}

extension Observation {
    /// Its own number, by which it is known again.
    var own: Int {
        switch content {
        case .event(let event): Int(event.name) ?? -1
        case .result(let result): -2 - Int(result.id.rawValue.unicodeScalars.first?.value ?? 0)
        default: number.map { Int($0) } ?? -1
        }
    }
}
