/// One measured figure, and what stands beside it.
struct Figure: Encodable {
    /// What somebody else's program does, in the same run.
    struct Peer: Encodable {
        /// Who it is.
        let name: String
        /// The median of its values.
        let value: Double
    }

    /// What the figure should be.
    enum Goal {
        /// At most so much.
        case atMost(Double)
        /// At least so many times the peer's.
        case atLeastTimes(Double)
        /// At most so many times the peer's.
        case atMostTimes(Double)

        fileprivate var text: String {
            switch self {
            case .atMost(let value): "≤ \(Figure.text(value))"
            case .atLeastTimes(let ratio): "≥ \(Figure.text(ratio)) ×"
            case .atMostTimes(let ratio): "≤ \(Figure.text(ratio)) ×"
            }
        }
    }

    /// What was measured.
    let name: String
    /// The median of the values.
    let value: Double
    /// Its unit.
    let unit: String
    /// The smallest and the greatest value.
    let spread: [Double]
    /// What it should be; nil: it is there to compare.
    let goal: String?
    /// Who is compared with; nil: nobody.
    let peer: Peer?
    /// How many times the peer's value it is.
    let ratio: Double?

    /// A figure that was measured once, or several times.
    init(_ name: String, _ values: [Double], _ unit: String, goal: Goal? = nil, peer: Peer? = nil) {
        (self.name, self.unit, self.peer) = (name, unit, peer)
        value = values.percentile(0.5)
        spread = [values.min() ?? .nan, values.max() ?? .nan]
        self.goal = goal?.text
        ratio = peer.map { [value] in value / $0.value }
    }

    init(_ name: String, _ value: Double, _ unit: String, goal: Goal? = nil, peer: Peer? = nil) {
        self.init(name, [value], unit, goal: goal, peer: peer)
    }

    /// The titles of the columns of the table.
    static let titles = ["figure", "value", "unit", "spread", "peer", "its value", "ratio", "goal"]

    /// The columns of the table.
    var row: [String] {
        let isSpread = spread.first != spread.last
        return [
            name, Self.text(value), unit, isSpread ? spread.map(Self.text).joined(separator: "–") : "",
            peer?.name ?? "", peer.map { Self.text($0.value) } ?? "",
            ratio.map { Self.text(($0 * 100).rounded() / 100) } ?? "", goal ?? "",
        ]
    }

    /// With as many digits as mean something.
    private static func text(_ number: Double) -> String {
        guard number.isFinite else { return "–" }
        let steps = [(100.0, 1.0), (10, 10), (1, 100)]
        let factor = steps.first { abs(number) >= $0.0 }?.1 ?? 1_000
        let rounded = (number * factor).rounded() / factor
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}

/// Something that is measured.
protocol Benchmark: Sendable {
    /// What it is called on the command line.
    static var name: String { get }
    /// What it measures, in a sentence.
    static var summary: String { get }
    /// Whether it is measured where nobody asks for something else.
    static var isUsual: Bool { get }

    /// Measures.
    ///
    /// - Parameter workshop: A router, an account and the programs.
    /// - Returns: The figures.
    /// - Throws: Whatever was in the way.
    static func run(in workshop: Workshop) async throws -> [Figure]
}

extension Benchmark {
    /// It is measured.
    static var isUsual: Bool { true }
}

extension [Double] {
    /// The value below which this share of all values is.
    func percentile(_ share: Double) -> Double {
        let sorted = sorted()
        return sorted.isEmpty ? .nan : sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

/// What could not be measured, in words.
struct BenchError: Error, CustomStringConvertible {
    let description: String
}
