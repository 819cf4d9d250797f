import DeviceManager
import DeviceModel
import TestSupport
import Testing
import Wire

@testable import Link

/// Whatever happens in whatever order: all that is stored goes up, once, in the order of its lane, in its window and at
/// its rate.
@Suite struct UplinkHistoryTests {
    @Test("Random histories end with everything at the router, once and in order") func anything() throws {
        for seed in 0..<200 as Range<UInt64> {
            var history = RandomHistory(seed: seed)
            for _ in 0..<150 { history.step() }
            try history.finish()
            let problems = history.problems + history.missing()
            #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
        }
    }
}

/// A store, a router and an uplink between them, to which things happen by chance.
private struct RandomHistory {
    /// A stream of the store: observations and gaps, each with an id that counts up.
    private struct Stock {
        var rows: [(epoch: UInt64, sequence: UInt64)] = []
        var gaps: [Gap] = []
        var next: UInt64 = 1
        var outlook = OutboxOutlook(end: .start)
    }

    private struct Key: Hashable {
        var stream: StreamName
        var epoch: UInt64
    }

    private struct Road: Hashable {
        var stream: StreamName
        var lane: Uplink.Lane
    }

    private static let newest: UInt64 = 9
    private let seed: UInt64
    private let rate: Int
    private var generator: SeededGenerator
    private var uplink: Uplink
    private var now = UplinkUnderTest.start
    private var stocks: [StreamName: Stock] = [.events: Stock(), .telemetry: Stock()]
    private var load: Uplink.Load?
    /// What went up of each lane, by the ids of the store.
    private var rows: [Road: [Int]] = [:]
    private var gaps: [Road: [Int]] = [:]
    private var sentOfBacklog = 0
    private var numbersUsed: Set<UInt64> = []
    private var flights: [(number: UInt64, road: Road, epoch: UInt64, numbers: SequenceRanges)] = []
    private var received: [Key: SequenceRanges] = [:]
    private var answered: [Key: SequenceRanges] = [:]
    private var isHeld: Set<StreamName> = []
    private(set) var problems: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        rate = [5, 60, 1_000, 100_000].randomElement(using: &generator) ?? 60
        uplink = Uplink(backlogRate: rate, now: now)
        for stream in StreamName.allCases {
            for epoch in [3, 7, Self.newest] as [UInt64] where Bool.random(using: &generator) {
                store(Int.random(in: 0...300, using: &generator), in: stream, epoch: epoch)
            }
            stocks[stream]?.next = 1_000
            let stock = stocks[stream] ?? Stock()
            let outlook = OutboxOutlook(
                end: OutboxCursor(row: Int64(stock.rows.count), gap: Int64(stock.gaps.count)),
                hasOlderEpochs: stock.rows.contains { $0.epoch != Self.newest }
                    || stock.gaps.contains { $0.epoch != Self.newest })
            stocks[stream]?.outlook = outlook
            if outlook.hasOlderEpochs { isHeld.insert(stream) }
        }
        uplink.begin(stocks.mapValues(\.outlook))
    }

    // MARK: What happens

    mutating func step() {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0, 1:
            let stream: StreamName = Bool.random(using: &generator) ? .events : .telemetry
            store(Int.random(in: 0...60, using: &generator), in: stream, epoch: Self.newest)
            uplink.stored()
        case 2: now = now + .milliseconds(Int64.random(in: 0...3_000, using: &generator))
        case 3, 4: deliver()
        default: work()
        }
    }

    /// Everything goes on until nothing is left.
    mutating func finish() throws {
        for _ in 0..<20_000 {
            if load == nil { load = ask() }
            if load != nil {
                answer()
            } else if let deadline = uplink.deadline {
                now = max(now, deadline)
            } else if flights.isEmpty {
                if !uplink.isDrained { problems.append("nothing is left to send, and it is not drained") }
                return
            } else {
                deliver()
            }
        }
        throw HarnessError(description: "seed \(seed) comes to no end")
    }

    private mutating func store(_ count: Int, in stream: StreamName, epoch: UInt64) {
        for _ in 0..<count {
            guard var stock = stocks[stream] else { return }
            if Int.random(in: 0..<10, using: &generator) == 0 {
                let last = stock.next + UInt64.random(in: 0...20, using: &generator)
                stock.gaps.append(Gap(stock.next...last, of: stream, epoch: epoch, reason: .diskTooSlow))
                stock.next = last + 1
            } else {
                stock.rows.append((epoch, stock.next))
                stock.next += 1
            }
            stocks[stream] = stock
        }
    }

    private mutating func work() {
        if load == nil { load = ask() } else { answer() }
    }

    private mutating func ask() -> Uplink.Load? {
        guard let load = uplink.next(at: now) else { return nil }
        let road = Road(stream: load.stream, lane: load.lane)
        if uplink.next(at: now) != nil { problems.append("two loads at once") }
        if flights.count(where: { $0.road == road }) >= Uplink.window { problems.append("\(road): beyond the window") }
        if load.lane == .live, isHeld.contains(load.stream) { problems.append("\(road): before an older epoch") }
        let allowed = Double(rate) * (1 + (now - UplinkUnderTest.start).seconds)
        if load.lane == .backlog, Double(sentOfBacklog) >= allowed + 0.001 { problems.append("\(road): too fast") }
        return load
    }

    private mutating func answer() {
        guard let load else { return }
        self.load = nil
        guard Int.random(in: 0..<10, using: &generator) > 0 else { return uplink.failed(load) }
        let batch = batch(load)
        let message = uplink.loaded(load, batch, boot: SessionUnderTest.boot, at: now)
        if load.lane == .backlog, batch?.isOfNewestEpoch ?? true { isHeld.remove(load.stream) }
        guard let batch else {
            if message != nil { problems.append("something was made of nothing") }
            return
        }
        let numbers = (message?.items.map { $0.sequence...$0.sequence } ?? []) + (message?.gaps.map(\.numbers) ?? [])
        if message?.epoch != batch.epoch || SequenceRanges(numbers) != batch.numbers {
            problems.append("what goes up is not what was fetched")
        }
        if load.lane == .backlog { sentOfBacklog += batch.observations.count + batch.gaps.count }
        guard let number = message?.number, !numbersUsed.contains(number) else {
            return problems.append("a batch without a number of its own")
        }
        numbersUsed.insert(number)
        flights.append((number, Road(stream: load.stream, lane: load.lane), batch.epoch, batch.numbers))
    }

    /// What the store has for a load: of one epoch, and up to a limit that chance may make small.
    private mutating func batch(_ load: Uplink.Load) -> OutboxBatch? {
        let (road, stock) = (Road(stream: load.stream, lane: load.lane), stocks[load.stream] ?? Stock())
        let (start, end) = (load.span.start, load.span.end)
        let openRows = Int(start.row)..<(end.map { Int($0.row) } ?? stock.rows.count)
        let openGaps = Int(start.gap)..<(end.map { Int($0.gap) } ?? stock.gaps.count)
        let limit = Int.random(in: 1...Uplink.batchSize, using: &generator)
        guard let epoch = openRows.first.map({ stock.rows[$0].epoch }) ?? openGaps.first.map({ stock.gaps[$0].epoch })
        else { return nil }
        let theseRows = openRows.prefix(limit).prefix { stock.rows[$0].epoch == epoch }
        let theseGaps = openGaps.prefix { stock.gaps[$0].epoch == epoch }
        rows[road, default: []] += theseRows
        gaps[road, default: []] += theseGaps
        let observations = theseRows.flatMap { index in
            SessionUnderTest.batch(load.stream, from: stock.rows[index].sequence, count: 1, epoch: epoch).observations
        }
        return OutboxBatch(
            stream: load.stream, epoch: epoch, observations: observations, gaps: theseGaps.map { stock.gaps[$0] },
            isOfNewestEpoch: epoch == Self.newest,
            end: OutboxCursor(row: Int64(theseRows.endIndex), gap: Int64(theseGaps.endIndex)))
    }

    /// A batch arrives, in any order, and the router says what it has: all of it, or not all that it could say.
    private mutating func deliver() {
        guard var flight = flights.randomElement(using: &generator) else { return }
        let key = Key(stream: flight.road.stream, epoch: flight.epoch)
        // A router that does not say which batch it answers does so in their order.
        let isNumbered = Int.random(in: 0..<5, using: &generator) > 0
        if !isNumbered, let oldest = flights.first(where: { $0.road.stream == key.stream && $0.epoch == key.epoch }) {
            flight = oldest
        }
        flights.removeAll { $0.number == flight.number }
        received[key, default: SequenceRanges()].formUnion(flight.numbers)
        var said = received[key] ?? SequenceRanges()
        if Bool.random(using: &generator) { said = said.touching(flight.numbers) }
        if Int.random(in: 0..<5, using: &generator) == 0 {
            said = SequenceRanges(said.ranges.filter { _ in Bool.random(using: &generator) })
        }
        answered[key, default: SequenceRanges()].formUnion(flight.numbers)
        let answer = Acknowledgement(
            StreamReception(stream: key.stream, epoch: key.epoch, received: said),
            batch: isNumbered ? flight.number : nil)
        let trimmed = uplink.acknowledged(answer, at: now)?.received ?? SequenceRanges()
        if trimmed != answered[key]?.intersection(said) { problems.append("trimmed is not what was answered") }
        answered[key] = answered[key]?.subtracting(trimmed)
    }

    // MARK: What came of it

    /// What is wrong at the end with what went up.
    func missing() -> [String] {
        var missing: [String] = []
        for (stream, stock) in stocks {
            let end = (row: Int(stock.outlook.end.row), gap: Int(stock.outlook.end.gap))
            let expected: [Uplink.Lane: (rows: Range<Int>, gaps: Range<Int>)] = [
                .backlog: (0..<end.row, 0..<end.gap),
                .live: (end.row..<stock.rows.count, end.gap..<stock.gaps.count),
            ]
            for (lane, part) in expected {
                let road = Road(stream: stream, lane: lane)
                if rows[road, default: []] != Array(part.rows) { missing.append("\(road): not all, once and in order") }
                if gaps[road, default: []] != Array(part.gaps) { missing.append("\(road): not each gap once") }
            }
            for (epoch, sequence) in stock.rows {
                let known = received[Key(stream: stream, epoch: epoch)]
                if known?.contains(sequence...sequence) != true {
                    missing.append("\(stream) \(sequence) never arrived")
                }
            }
        }
        return missing
    }
}
