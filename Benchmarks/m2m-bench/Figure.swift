/// One measured figure.
struct Figure: Encodable {
    /// What was measured.
    let name: String
    /// The value.
    let value: Double
    /// Its unit.
    let unit: String
    /// What it should be at most; nil: it is there to compare.
    let goal: Double?

    init(_ name: String, _ value: Double, _ unit: String, goal: Double? = nil) {
        (self.name, self.value, self.unit, self.goal) = (name, value, unit, goal)
    }

    /// The columns of the table.
    var row: [String] {
        [name, Self.text(value), unit, goal.map { "≤ \(Self.text($0))" } ?? ""]
    }

    private static func text(_ number: Double) -> String {
        let tenths = (number * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}

/// Something that is measured.
protocol Benchmark: Sendable {
    /// What it is called on the command line.
    static var name: String { get }
    /// What it measures, in a sentence.
    static var summary: String { get }

    /// Measures.
    ///
    /// - Parameter workshop: A router, an account and the programs.
    /// - Returns: The figures.
    /// - Throws: Whatever was in the way.
    static func run(in workshop: Workshop) async throws -> [Figure]
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
