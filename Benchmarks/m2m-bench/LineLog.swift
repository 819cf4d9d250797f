import Foundation

/// When simulated lines changed: the file of `M2M_FAKE_LOG`, a line such as `1234567890 simulated-header 5 level 1` for
/// each change, with the time of CLOCK_MONOTONIC in nanoseconds.
final class LineLog {
    /// Where it is.
    let path: String
    private var place: UInt64 = 0
    private var entries: [(time: Double, offset: Int, what: Substring)] = []

    init(path: String) { self.path = path }

    /// The time by the clock of the log, in seconds.
    static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Waits until something happens to a line.
    ///
    /// - Parameters:
    ///   - what: How what happens begins, such as `level 0`.
    ///   - offset: The line.
    ///   - start: What was before counts no more, in seconds.
    /// - Returns: When it happened, in seconds.
    /// - Throws: ``BenchError`` when it does not within 30 s.
    func next(_ what: String, of offset: Int, after start: Double) async throws -> Double {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            try read()
            if let entry = entries.last(where: { $0.time >= start && $0.offset == offset && $0.what.hasPrefix(what) }) {
                return entry.time
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw BenchError(description: "nobody has made 'GPIO\(offset) \(what)' true for 30 s")
    }

    /// How often a line was changed, taken or given back so far.
    func changes(of offset: Int) throws -> Int {
        try read()
        return entries.count { $0.offset == offset }
    }

    /// Reads what is new.
    private func read() throws {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { file.closeFile() }
        try file.seek(toOffset: place)
        let new = try file.readToEnd() ?? Data()
        // Each entry is written at once; a last one without its end is read again.
        guard let last = new.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let whole = new[...last]
        place += UInt64(whole.count)
        for line in String(decoding: whole, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count == 4, let time = Double(words[0]), let offset = Int(words[2]) else { continue }
            entries.append((time / 1e9, offset, words[3]))
        }
    }
}
