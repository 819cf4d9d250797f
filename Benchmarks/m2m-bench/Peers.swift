import Foundation

/// What plain C and libmosquitto do on this machine: `Scripts/bench-peers`.
enum Peers {
    /// Measures one of them.
    ///
    /// - Parameters:
    ///   - figure: What is measured; `Scripts/bench-peers` lists it.
    ///   - settings: How much of it.
    ///   - variables: With what.
    /// - Returns: Its values, by their names.
    /// - Throws: ``BenchError`` when it can't be measured here.
    static func measure(
        _ figure: String, _ settings: [String: Int] = [:], variables: [String: String] = [:]
    ) throws -> [String: Double] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "Scripts/bench-peers")
        process.arguments = [figure]
        process.environment = ProcessInfo.processInfo.environment.merging(settings.mapValues { "\($0)" }) { $1 }
            .merging(variables) { $1 }
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let object = try JSONSerialization.jsonObject(with: text) as? [String: Any]
        else { throw BenchError(description: "Scripts/bench-peers \(figure) failed") }
        return object.compactMapValues { $0 as? Double }
    }
}

/// A peer that does nothing, and is there until it is told to end.
final class IdlePeer {
    /// How it is doing.
    let process: ProcessFigures
    /// How long it took from its start until it was connected, in milliseconds.
    let ready: Double
    private let script: Process
    private let lifeline: Pipe

    /// Starts one.
    ///
    /// - Parameter figure: Which one; `Scripts/bench-peers` lists it.
    /// - Throws: ``BenchError`` when it can't be connected here.
    init(_ figure: String) throws {
        let output = Pipe()
        (script, lifeline) = (Process(), Pipe())
        script.executableURL = URL(fileURLWithPath: "Scripts/bench-peers")
        script.arguments = [figure]
        (script.standardInput, script.standardOutput) = (lifeline, output)
        try script.run()
        let line = output.fileHandleForReading.availableData
        guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            let process = object["process"] as? Int32 ?? (object["process"] as? Int).map(Int32.init),
            let ready = object["ready_ms"] as? Double
        else { throw BenchError(description: "Scripts/bench-peers \(figure) failed") }
        (self.process, self.ready) = (ProcessFigures(id: process), ready)
    }

    /// Ends it.
    func stop() throws {
        try lifeline.fileHandleForWriting.close()
        script.waitUntilExit()
    }
}

/// The values of several rounds, ours and a peer's in turn.
struct Rounds {
    /// How many there are: `ROUNDS`.
    static let count = ProcessInfo.processInfo.environment["ROUNDS"].flatMap(Int.init).map { max($0, 1) } ?? 3

    private(set) var ours: [String: [Double]] = [:]
    private(set) var theirs: [String: [Double]] = [:]

    /// Notes a value of ours.
    mutating func note(_ name: String, _ value: Double) { ours[name, default: []].append(value) }
    /// Notes a value of a peer.
    mutating func note(peer name: String, _ value: Double?) { theirs[name, default: []].append(value ?? .nan) }

    /// The median of a peer's values.
    func peer(_ who: String, _ name: String) -> Figure.Peer {
        Figure.Peer(name: who, value: (theirs[name] ?? []).percentile(0.5))
    }
}
