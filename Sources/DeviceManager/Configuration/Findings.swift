/// The mistakes found in one configuration file.
public struct Findings: Sendable {
    /// One mistake.
    public struct Finding: Hashable, Sendable {
        /// Where it is.
        public var position: Position
        /// What is wrong and what to do, in words.
        public var message: String
    }

    /// The file, as the person named it.
    public let file: String
    private var found: [Finding] = []
    private var known: Set<Finding> = []
    private var unreadable: Set<String> = []

    /// No mistakes yet.
    ///
    /// - Parameter file: The file, as the person named it.
    public init(file: String) {
        self.file = file
    }

    /// The folder of the file with its slash, as the person named it; empty for a file that was named without one.
    var folder: String {
        file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    }

    /// Whether nothing was found.
    public var isEmpty: Bool { found.isEmpty }

    /// The mistakes in the order of the file.
    public var all: [Finding] {
        found.sorted { $0.position < $1.position }
    }

    /// Adds a mistake; the same one at the same place is added once.
    public mutating func add(at position: Position, _ message: String) {
        let finding = Finding(position: position, message: message)
        if known.insert(finding).inserted { found.append(finding) }
    }

    /// A key stood on a line that could not be read: that it is missing is no second mistake.
    public mutating func ignoreMissing(_ key: String) {
        unreadable.insert(key)
    }

    /// Whether it is a mistake of its own that a key is missing.
    public func isMistake(missing key: String) -> Bool {
        !unreadable.contains(key)
    }

    /// The mistakes as lines, each `FILE:LINE:COL: error: …`.
    public var lines: [String] {
        all.map { "\(file):\($0.position.line):\($0.position.column): error: \($0.message)" }
    }
}

/// The words for a name that is not known: with the nearest one that is, where one is near.
///
/// - Parameters:
///   - name: What was written.
///   - known: What could have been meant.
/// - Returns: `; did you mean 'address'?`; nothing where no name is near, or two are equally so.
public func suggestion(for name: String, among known: some Sequence<String>) -> String {
    // Of two equally near names, the one of which only the end is missing is meant.
    let ranked = known.map { (name: $0, rank: editDistance(name, $0) * 2 + ($0.hasPrefix(name) ? 0 : 1)) }
        .sorted { $0.rank < $1.rank }
    guard let nearest = ranked.first, nearest.rank / 2 <= max(1, min(3, name.count / 3)),
        !ranked.dropFirst().contains(where: { $0.rank == nearest.rank })
    else { return "" }
    return "; did you mean '\(nearest.name)'?"
}

/// How many letters have to be added, removed, replaced or swapped with a neighbour to turn one text into another
/// (optimal string alignment).
func editDistance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one), Array(other))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
            var best = min(replaced, last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
            row.append(best)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
