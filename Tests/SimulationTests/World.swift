import DeviceModel
import TestSupport

/// A world in which time, chance and everything that happens follow from a seed.
///
/// What is to happen waits in one queue, and happens one after the other. Whatever is worth knowing is written into the
/// trace; the same seed writes the same trace, byte for byte.
final class World {
    typealias Happening = () async throws -> Void

    private struct Waiting {
        var time: Duration
        var order: Int
        var happening: Happening
    }

    /// The seed of everything.
    let seed: UInt64
    /// Where chance comes from.
    var random: SeededGenerator
    /// The time.
    let time = WorldTime()
    /// What has happened.
    var trace: Trace

    /// A heap, the earliest first.
    private var waiting: [Waiting] = []
    private var order = 0

    init(seed: UInt64, isVerbose: Bool = false) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        trace = Trace(isVerbose: isVerbose)
    }

    /// Writes a line into the trace.
    func note(_ line: @autoclosure () -> String) {
        trace.add(at: time.now, line())
    }

    /// Lets something happen later.
    func after(_ pause: Duration, _ happening: @escaping Happening) {
        order += 1
        waiting.append(Waiting(time: time.now + max(.zero, pause), order: order, happening: happening))
        var child = waiting.count - 1
        while child > 0, isEarlier(child, (child - 1) / 2) {
            waiting.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// How much is to happen.
    var pending: Int { waiting.count }

    /// Lets the world run until a time, or until nothing waits any more.
    func run(until end: Duration) async throws {
        while let next = waiting.first, next.time <= end {
            removeFirst()
            time.now = next.time
            try await next.happening()
        }
        time.now = end
    }

    /// Nothing more happens, and nothing is kept alive by what was to happen.
    func end() {
        waiting = []
    }

    private func isEarlier(_ one: Int, _ other: Int) -> Bool {
        (waiting[one].time, waiting[one].order) < (waiting[other].time, waiting[other].order)
    }

    private func removeFirst() {
        waiting.swapAt(0, waiting.count - 1)
        waiting.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < waiting.count && isEarlier(child, smallest) {
                smallest = child
            }
            guard smallest != parent else { return }
            waiting.swapAt(parent, smallest)
            parent = smallest
        }
    }

    // MARK: Chance

    /// Whether something happens that is so likely.
    func chance(_ likelihood: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < likelihood
    }

    /// A duration between two others.
    func duration(_ range: ClosedRange<Duration>) -> Duration {
        .nanoseconds(Int64.random(in: range.lowerBound.nanoseconds...range.upperBound.nanoseconds, using: &random))
    }
}

/// What has happened in a world: a hash of all of it, and its last lines in words.
struct Trace {
    /// Depends on every byte of every line.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
    /// How many lines there were.
    private(set) var count = 0
    private var newest: [String] = []
    private let bound: Int

    init(isVerbose: Bool) {
        bound = isVerbose ? .max : 60
    }

    mutating func add(at time: Duration, _ line: String) {
        let line = "\(time.milliseconds) \(line)\n"
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        count += 1
        newest.append(line)
        if newest.count > 2 * bound.clampedForDoubling { newest.removeFirst(newest.count - bound) }
    }

    /// The last lines.
    var tail: String { newest.suffix(bound).joined() }
}

extension Int {
    /// Half of what there can be, so that it can be doubled.
    fileprivate var clampedForDoubling: Int { Swift.min(self, .max / 2) }
}
