import Foundation

/// A look at 20 000 files with 640 MB, by the agent at its start, by AIDE and by plain C.
enum IntegrityBenchmark: Benchmark {
    static let name = "integrity"
    static let summary = "integrity: 20 000 files, 640 MB, all looked at by the agent, AIDE and plain C"

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let tree = workshop.path("files")
        try makeTree(tree)
        var rounds = Rounds()
        for round in 0..<Rounds.count {
            // What an agent does at its start besides.
            let bare = try await start(workshop, workshop.path("agent.toml"), "bare-\(round)", "")
            for (name, extra) in [("check", ""), ("metadata", "max_file_size = \"1 KiB\"")] {
                let found = try await start(workshop, tree, "\(name)-\(round)", extra)
                rounds.note(name, (found.seconds - bare.seconds) * 1_000)
                rounds.note("peak", found.peak)
                rounds.note("baseline", found.baseline / 1_000)
                for peer in [name, name == "check" ? "aide" : "aide-metadata"] {
                    let theirs = try Peers.measure(peer, variables: ["FOLDER": tree])
                    rounds.note(peer: peer, theirs["cpu_seconds"].map { $0 * 1_000 })
                    rounds.note(peer: "\(peer) peak", theirs["peak_mb"])
                    rounds.note(peer: "\(peer) database", theirs["database_bytes"].map { $0 / 1_000 })
                }
            }
        }
        return [
            Figure(
                "full check, processor", rounds.ours["check"] ?? [], "ms", goal: .atMostTimes(1 / 0.8),
                peer: rounds.peer("plain C", "check")),
            Figure(
                "full check, processor", rounds.ours["check"] ?? [], "ms", goal: .atMostTimes(1 / 7),
                peer: rounds.peer("AIDE", "aide")),
            Figure(
                "check of metadata, processor", rounds.ours["metadata"] ?? [], "ms",
                peer: rounds.peer("plain C", "metadata")),
            Figure(
                "check of metadata, processor", rounds.ours["metadata"] ?? [], "ms",
                peer: rounds.peer("AIDE", "aide-metadata")),
            Figure(
                "the whole agent, most memory (resident)", rounds.ours["peak"] ?? [], "MB",
                peer: rounds.peer("AIDE", "aide peak")),
            Figure(
                "baseline", rounds.ours["baseline"] ?? [], "kB", peer: rounds.peer("AIDE", "aide database")),
        ]
    }

    /// Starts an agent twice, the second time with the baseline of the first, and lets it look at everything.
    private static func start(
        _ workshop: Workshop, _ path: String, _ state: String, _ extra: String
    ) async throws -> (seconds: Double, peak: Double, baseline: Double) {
        let configuration = try workshop.configureWatch(path, state: state, extra: extra)
        for isSecond in [false, true] {
            let agent = try workshop.startAgent(configuration)
            defer { workshop.stop(agent) }
            try await workshop.untilChecked()
            guard isSecond else { continue }
            let process = ProcessFigures(id: agent.processIdentifier)
            let file = "\(workshop.path(state))/integrity.baseline"
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Double
            return (try process.worked, try process.peak, size ?? .nan)
        }
        throw BenchError(description: "the agent was not started a second time")
    }

    private static func makeTree(_ path: String) throws {
        var bytes = [UInt8](repeating: 0, count: 32_000)
        for folder in 0..<200 {
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
            for file in 0..<100 {
                for index in stride(from: 0, to: bytes.count, by: 31) { bytes[index] = .random(in: 0...255) }
                try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(folder)/\(file)"))
            }
        }
    }
}

/// From the close of a changed file of 4 KB until it is said that it is another one.
enum VerdictBenchmark: Benchmark {
    static let name = "verdict"
    static let summary = "verdict: from the close of a changed file until the agent says so, 60 times"
    private static let count = 60

    static func run(in workshop: Workshop) async throws -> [Figure] {
        let folder = workshop.path("few")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 0..<count { try change("\(folder)/\(number)", 0) }
        let configuration = try workshop.configureWatch(folder, state: "verdict", extra: "")
        let lines = Pipe()
        let agent = try workshop.startAgent(configuration, errors: lines)
        try await workshop.untilChecked()
        // People are told at most once a second: what comes in between is told together.
        let ours = try await times(folder, lines) { "/\($0): content" }
        workshop.stop(agent)

        let peer = Process()
        let said = Pipe()
        peer.executableURL = URL(fileURLWithPath: ".build/peers/files")
        peer.arguments = ["watch", folder]
        peer.standardOutput = said
        try peer.run()
        defer { peer.terminate() }
        // Both are woken after the same rest.
        let theirs = try await times(folder, said) { " \($0)" }
        return [("p50", 0.5, 1.5), ("p99", 0.99, 3)].map { name, share, goal in
            Figure(
                "close to verdict, \(name)", ours.percentile(share), "ms", goal: .atMostTimes(goal),
                peer: Figure.Peer(name: "plain C, inotify", value: theirs.percentile(share)))
        }
    }

    /// Changes one file after the other, and measures until a line says so.
    private static func times(_ folder: String, _ lines: Pipe, _ words: (Int) -> String) async throws -> [Double] {
        var times: [Double] = []
        var text = ""
        for number in 0..<count {
            try await Task.sleep(for: .milliseconds(1_100))
            try change("\(folder)/\(number)", 1)
            let clock = ContinuousClock()
            let start = clock.now
            while !text.contains(words(number)) {
                let data = lines.fileHandleForReading.availableData
                guard !data.isEmpty else { throw BenchError(description: "nobody says that a file has changed") }
                text += String(decoding: data, as: UTF8.self)
            }
            times.append((clock.now - start) / .milliseconds(1))
            text = ""
        }
        return times
    }

    private static func change(_ path: String, _ seed: UInt8) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(file) }
        let bytes = (0..<4_096).map { _ in UInt8.random(in: 0...255) }
        guard write(file, bytes, bytes.count) == bytes.count else {
            throw BenchError(description: "\(path) can't be written")
        }
    }
}

extension Workshop {
    /// Writes the configuration of an agent that watches over files, by itself.
    fileprivate func configureWatch(_ files: String, state: String, extra: String) throws -> String {
        let text = """
            [device]
            id = "bench"
            state_directory = "\(path(state))"
            [local]
            socket = "agent.sock"
            [board]
            kind = "simulated"
            [log]
            level = "warning"
            [integrity]
            paths = ["\(files)"]
            mode = "inotify"
            \(extra)
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path("\(state).toml")))
        return path("\(state).toml")
    }

    /// Waits until the agent has looked at every file.
    fileprivate func untilChecked() async throws {
        for _ in 0..<600 {
            try await Task.sleep(for: .milliseconds(100))
            let status = try? output("m2m", ["integrity", "--json"])  // safe: until its socket is open
            if status?.contains("\"checked_s\"") == true { return }
        }
        throw BenchError(description: "the agent does not come to the end of its files")
    }
}
