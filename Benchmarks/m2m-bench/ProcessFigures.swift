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

    /// For how long its threads have worked, in seconds (`stat`, proc(5)): to a hundredth.
    var seconds: Double {
        get throws {
            // The name in brackets may hold anything; the fields behind it begin with the third.
            let fields = try text("stat").split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return .nan }
            return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }

    /// For how long its threads have worked, in seconds (`schedstat` in proc(5)): to a billionth.
    var worked: Double {
        get throws {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")
            return try threads.reduce(0) { sum, thread in
                sum + (try text("task/\(thread)/schedstat").split(separator: " ").first.flatMap { Double($0) } ?? 0)
                    / 1e9
            }
        }
    }

    /// How much of it is in memory, in MB (`VmRSS`, proc(5)).
    var resident: Double { get throws { try status("VmRSS:") / 1_000 } }

    /// How many threads it has.
    var threads: Double { get throws { try status("Threads:") } }

    /// How many files, sockets and the like it has open.
    var descriptors: Double {
        get throws { Double(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) }
    }

    /// The most memory that it has had at a time, in MB (`VmHWM`, proc(5)).
    var peak: Double { get throws { try status("VmHWM:") / 1_000 } }

    /// A number of its `status`.
    private func status(_ name: String) throws -> Double {
        let line = try text("status").split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? .nan
    }

    /// What it has given the disk to write, in bytes (`io`, proc(5)): pages that were made dirty.
    var written: Double {
        get throws {
            let line = try text("io").split(separator: "\n").first { $0.hasPrefix("write_bytes:") }
            return line?.split(separator: " ").last.flatMap { Double($0) } ?? .nan
        }
    }

    /// This process.
    static let own = ProcessFigures(id: getpid())

    /// For how long this process has worked, in seconds.
    static var ownSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/\(id)/\(name)", encoding: .utf8)
    }
}
