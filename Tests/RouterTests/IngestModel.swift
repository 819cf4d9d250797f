import DeviceModel
import TestSupport
import Wire

@testable import Router

/// What a router has to know of one epoch, told the simplest way: what became of each number.
struct IngestModel {
    enum Fate: Hashable {
        case observed
        /// Named as missing, in a gap that counts its numbers or in one of which nobody knows how much it is.
        case missing(isCounted: Bool)
    }

    private(set) var fates: [UInt64: Fate] = [:]
    /// The gaps of which nobody knows how much they are, by their first number.
    private var unknown: [UInt64: Gap] = [:]

    /// The number for which a batch has to be refused: it stands for something else, or would from now on; nil: none.
    func clash(_ batch: ObservationBatch) -> UInt64? {
        let clash = batch.gaps.filter { gap in
            gap.count == nil && gap.numbers.contains { fates[$0] != nil } && unknown[gap.first] != gap
        }.map(\.first).min()
        let item = batch.items.map(\.sequence).first { number in
            number < clash ?? .max && fates[number] == .missing(isCounted: false)
        }
        return item ?? clash
    }

    /// What a batch brings: the numbers that are new, and those that are newly missing.
    mutating func take(_ batch: ObservationBatch) -> (new: [UInt64], missing: Set<UInt64>) {
        var (new, missing): ([UInt64], Set<UInt64>) = ([], [])
        for item in batch.items where fates[item.sequence] != .observed {
            fates[item.sequence] = .observed
            new.append(item.sequence)
        }
        for gap in batch.gaps {
            for number in gap.numbers where fates[number] == nil {
                fates[number] = .missing(isCounted: gap.count != nil)
                missing.insert(number)
                if gap.count == nil { unknown[gap.first] = gap }
            }
        }
        return (new, missing)
    }

    /// The numbers with a fate that a test asks for.
    func numbers(_ isMeant: (Fate) -> Bool) -> [UInt64] {
        fates.filter { isMeant($0.value) }.keys.sorted()
    }

    /// Up to where every number has a fate.
    var through: UInt64 {
        var number: UInt64 = 0
        while fates[number + 1] != nil { number += 1 }
        return number
    }

    /// All numbers that have a fate, as ranges.
    var ranges: [ClosedRange<UInt64>] { Self.ranges(of: fates.keys.sorted()) }

    /// What a batch has to be acknowledged with.
    func acknowledged(_ batch: ObservationBatch) -> [ClosedRange<UInt64>] {
        let numbers = batch.items.map(\.sequence) + batch.gaps.flatMap { Array($0.numbers) }
        return ranges.filter { range in range.lowerBound == 1 || numbers.contains { range.contains($0) } }
    }

    private static func ranges(of numbers: [UInt64]) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges
    }
}

/// What a device might send, by chance: runs of numbers in any order, what was sent before, gaps of all kinds.
struct IngestWeather {
    private var generator: SeededGenerator
    private var sent: [ObservationBatch] = []
    private let epoch: UInt64
    /// The highest number that may come.
    private let highest: UInt64
    /// Where the live data have come to.
    private var live: UInt64

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        epoch = seed
        highest = UInt64.random(in: 5...80, using: &generator)
        live = UInt64.random(in: 1...highest, using: &generator)
    }

    /// The next batch.
    mutating func next() -> ObservationBatch {
        var batch = Sample.batch([], epoch: epoch)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<3:  // live
            let last = min(highest, live + UInt64.random(in: 0...6, using: &generator))
            batch.items = Sample.readings(min(live, last)...last)
            live = min(highest, last + 1 + UInt64.random(in: 0...3, using: &generator))
        case 3..<6:  // backlog, or anything else
            batch.items = numbers().map { Sample.reading($0) }
        case 6:  // again
            if let again = sent.randomElement(using: &generator) { return again }
        case 7: break  // nothing
        default: batch.items = numbers().filter { _ in Bool.random(using: &generator) }.map { Sample.reading($0) }
        }
        for _ in 0..<max(0, Int.random(in: -2...2, using: &generator)) { batch.gaps.append(gap()) }
        if Int.random(in: 0..<6, using: &generator) == 0 { addUnknownGap(to: &batch) }
        sent.append(batch)
        return batch
    }

    private mutating func numbers() -> ClosedRange<UInt64> {
        let first = UInt64.random(in: 1...highest, using: &generator)
        return first...min(highest, first + UInt64.random(in: 0...9, using: &generator))
    }

    private mutating func gap() -> Gap {
        Gap(numbers(), of: .telemetry, epoch: epoch, reason: .storeFull)
    }

    /// A number that stands for what nobody knows, and that the batch has for nothing else.
    private mutating func addUnknownGap(to batch: inout ObservationBatch) {
        let number = UInt64.random(in: 1...highest, using: &generator)
        let isTaken =
            batch.items.contains { $0.sequence == number } || batch.gaps.contains { $0.numbers.contains(number) }
        if !isTaken { batch.gaps.append(Sample.unknownGap(number...number, epoch: epoch)) }
    }
}
