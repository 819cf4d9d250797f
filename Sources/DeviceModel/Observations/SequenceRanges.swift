/// Which numbers of one epoch there are, as ranges: what a router has received, or a device need not keep.
///
/// A plain value. Ranges that touch are one.
public struct SequenceRanges: Hashable, Sendable {
    /// The ranges, in rising order, with a hole between each and the next.
    public private(set) var ranges: [ClosedRange<UInt64>] = []

    /// No numbers.
    public init() {}

    /// These numbers.
    ///
    /// - Parameter ranges: In any order; they may overlap.
    public init(_ ranges: some Sequence<ClosedRange<UInt64>>) {
        for range in ranges { insert(range) }
    }

    /// Every number from 1 to this one; none at all for 0.
    public init(through last: UInt64) {
        if last > 0 { ranges = [1...last] }
    }

    /// Whether there are none.
    public var isEmpty: Bool { ranges.isEmpty }

    /// The watermark: the last number up to which none is missing, counted from 1; 0 where 1 is missing.
    public var through: UInt64 {
        guard let first = ranges.first, first.lowerBound <= 1 else { return 0 }
        return first.upperBound
    }

    /// The highest number; 0 where there is none.
    public var last: UInt64 { ranges.last?.upperBound ?? 0 }

    /// How many numbers there are.
    public var count: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) } }

    /// Whether all these numbers are there.
    public func contains(_ numbers: ClosedRange<UInt64>) -> Bool {
        let index = firstIndex(endingAtOrAfter: numbers.lowerBound)
        return index < ranges.count && ranges[index].lowerBound <= numbers.lowerBound
            && numbers.upperBound <= ranges[index].upperBound
    }

    /// Whether any of these numbers is there.
    public func overlaps(_ numbers: ClosedRange<UInt64>) -> Bool {
        let index = firstIndex(endingAtOrAfter: numbers.lowerBound)
        return index < ranges.count && ranges[index].lowerBound <= numbers.upperBound
    }

    /// Whether all the numbers of another set are there.
    public func isSuperset(of other: SequenceRanges) -> Bool {
        other.ranges.allSatisfy(contains)
    }

    /// Adds numbers.
    public mutating func insert(_ numbers: ClosedRange<UInt64>) {
        // From the first range that these touch to the last one.
        let start = numbers.lowerBound == 0 ? 0 : firstIndex(endingAtOrAfter: numbers.lowerBound - 1)
        var (merged, end) = (numbers, start)
        while end < ranges.count, ranges[end].lowerBound <= numbers.upperBound.next {
            merged =
                min(merged.lowerBound, ranges[end].lowerBound)...max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(start..<end, with: CollectionOfOne(merged))
    }

    /// Adds the numbers of another set.
    public mutating func formUnion(_ other: SequenceRanges) {
        for range in other.ranges { insert(range) }
    }

    /// What is here and not there.
    public func subtracting(_ other: SequenceRanges) -> SequenceRanges {
        var rest = SequenceRanges()
        var holes = other.ranges[...]
        for range in ranges {
            holes = holes.drop { $0.upperBound < range.lowerBound }
            var start: UInt64? = range.lowerBound
            for hole in holes.prefix(while: { $0.lowerBound <= range.upperBound }) {
                if let start, hole.lowerBound > start { rest.ranges.append(start...(hole.lowerBound - 1)) }
                start = hole.upperBound < range.upperBound ? hole.upperBound + 1 : nil
            }
            if let start { rest.ranges.append(start...range.upperBound) }
        }
        return rest
    }

    /// What is both here and there.
    public func intersection(_ other: SequenceRanges) -> SequenceRanges {
        subtracting(subtracting(other))
    }

    /// The ranges that have a number in common with these.
    public func touching(_ other: SequenceRanges) -> SequenceRanges {
        var result = SequenceRanges()
        for range in other.ranges {
            var index = firstIndex(endingAtOrAfter: range.lowerBound)
            while index < ranges.count, ranges[index].lowerBound <= range.upperBound {
                result.insert(ranges[index])
                index += 1
            }
        }
        return result
    }

    /// Where the first range is that ends at a number or behind it.
    private func firstIndex(endingAtOrAfter number: UInt64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension UInt64 {
    /// The number after it; the last number of all has none but itself.
    fileprivate var next: UInt64 { self == .max ? self : self + 1 }
}
