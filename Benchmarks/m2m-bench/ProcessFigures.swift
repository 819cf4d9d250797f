import Foundation

/// What the kernel says of a process.
struct ProcessFigures {
    let id: Int32

    /// Its share of the memory, and what it has written for itself alone, in MB (`smaps_rollup`, proc(5)).
    var memory: (share: Double, own: Double) {
        get throws {
            var kilobytes: [String: Double] = [:]
            for line in try text("smaps_rollup").split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 3, let number = Double(words[1]) { kilobytes[String(words[0])] = number }
            }
            let own = kilobytes["Private_Dirty:"] ?? .nan
            return ((kilobytes["Pss:"] ?? .nan) / 1_000, own / 1_000)
        }
    }

    /// How often its threads have slept and woken again.
    var wakeups: Double {
        get throws {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")
            return try threads.reduce(0) { sum, thread in
                let line = try text("task/\(thread)/status").split(separator: "\n")
                    .first { $0.hasPrefix("voluntary_ctxt_switches:") }
                return sum + (line?.split(separator: "\t").last.flatMap { Double($0) } ?? 0)
            }
        }
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/\(id)/\(name)", encoding: .utf8)
    }
}
