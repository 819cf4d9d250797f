import Components
import DeviceManager
import DeviceModel
import Glibc
import HAL
import HALSimulated
import Keeper
import Logging
import Synchronization
import TestSupport
import Testing

/// A keeper's folder: its table, its socket and the log of its simulated lines; and the agent's end of it.
///
/// Its clock is the real one, because the keeper's is: what a test waits for is news, never a time.
final class KeeperBench: Sendable {
    let folder: TemporaryDirectory
    let time: SystemTime
    let holder: KeeperHolder
    private let processes = Mutex<[KeeperProcess]>([])
    /// What the keeper does by itself.
    let arrivals = Mailbox<OutputNews>(bound: 256, policy: .dropOldest)
    private let heard = Mutex<[OutputNews]>([])
    private let outputs = Mutex<[ComponentID: any HeldOutput]>([:])

    /// A bench, or another agent's place at one.
    ///
    /// - Parameter folder: The folder of the other bench; nil: a new one.
    /// - Throws: ``HarnessError``, or what keeps the clock from being read.
    init(in folder: TemporaryDirectory? = nil) throws {
        self.folder = try folder ?? TemporaryDirectory()
        time = try SystemTime()
        holder = Self.holder(in: self.folder, time: time)
        holder.listen { [arrivals] in arrivals.send($0) }
    }

    /// An agent's end of a bench.
    static func holder(in folder: TemporaryDirectory, time: any TimeSource) -> KeeperHolder {
        KeeperHolder(
            socket: folder.file("keeper.sock"), tableFile: folder.file("outputs.table"),
            board: SimulatedBoard(time: time), time: time,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    var socket: String { folder.file("keeper.sock") }
    var table: String { folder.file("outputs.table") }

    /// An output on a line of the simulated header.
    static func plan(
        _ offset: Int, safe: LineValue = .inactive, isActiveLow: Bool = false,
        _ change: (inout OutputRules) -> Void = { _ in }
    ) -> OutputPlan {
        var rules = OutputRules(safe: safe)
        change(&rules)
        return OutputPlan(
            line: .name("GPIO\(offset)"), bias: OutputPlan.bias(towards: safe, isActiveLow: isActiveLow),
            isActiveLow: isActiveLow, rules: rules)
    }

    // MARK: The keeper

    /// Starts a keeper.
    ///
    /// - Parameters:
    ///   - table: The table that it reads; nil: the one that the holder writes.
    ///   - busy: Lines that somebody else has, as M2M_FAKE_BUSY says them.
    /// - Throws: ``HarnessError`` when it can't be started.
    /// - Returns: The keeper.
    @discardableResult
    func start(table: String? = nil, busy: String? = nil) throws -> KeeperProcess {
        let keeper = try run(["run", "--table", table ?? self.table, "--socket", socket], busy: busy)
        processes.withLock { $0.append(keeper) }
        return keeper
    }

    /// Runs the program.
    func run(_ arguments: [String], busy: String? = nil) throws -> KeeperProcess {
        var environment = [
            "M2M_FAKE_CHIPS": "simulated-header:28:GPIO%", "M2M_FAKE_LOG": folder.file("edges"),
            "M2M_FAKE_FAIL": folder.file("failing"),
        ]
        environment["M2M_FAKE_BUSY"] = busy
        return try KeeperProcess(arguments, environment: environment, output: folder.file("said"))
    }

    /// All that keepers said.
    var said: String {
        get throws { String(decoding: try SafeFile.read(folder.file("said")) ?? [], as: UTF8.self) }
    }

    /// What happened to a line: the words of the log of the simulated chip, oldest first.
    func edges(_ offset: Int) throws -> [String] {
        try log(offset).map(\.what)
    }

    /// When something happened to a line last.
    func moment(_ what: String, of offset: Int) throws -> MonotonicTime? {
        try log(offset).last { $0.what == what }?.time
    }

    private func log(_ offset: Int) throws -> [(time: MonotonicTime, what: String)] {
        let bytes = try SafeFile.read(folder.file("edges")) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            guard words.count == 4, words[2] == "\(offset)", let nanoseconds = Int64(words[0]) else { return nil }
            return (MonotonicTime(nanoseconds: nanoseconds), words[3])
        }
    }

    // MARK: The holder

    /// Lets the holder live while a test looks at it.
    ///
    /// The keepers end with the bench.
    func live(_ body: () async throws -> Void) async throws {
        let life = Task { [holder] in await holder.run() }
        do {
            try await body()
        } catch {
            life.cancel()
            await life.value
            throw error
        }
        life.cancel()
        await life.value
    }

    /// Waits until the holder has written its table: a keeper that finds none holds nothing.
    func tableIsThere() async throws {
        while !SafeFile.exists(table) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Takes an output; as the agent does, again and again while no keeper answers.
    ///
    /// - Parameters:
    ///   - id: The output.
    ///   - plan: The output as it is configured.
    ///   - isPatient: Whether it is also tried again while another agent's connection has not ended.
    /// - Throws: ``HALError`` when the keeper does not have its line.
    /// - Returns: How it was found.
    func take(_ id: ComponentID, _ plan: OutputPlan, isPatient: Bool = false) async throws -> FoundOutput {
        while true {
            try Task.checkCancellation()
            do throws(HALError) {
                let output = try await holder.take(id, plan)
                outputs.withLock { $0[id] = output }
                return output.found
            } catch {
                // Each try takes as long as the holder has patience: that is the pause between them.
                let isOther = isPatient && error.description.contains("another connection has adopted")
                guard isOther || error.resource.hasPrefix("the keeper") else { throw error }
            }
        }
    }

    /// Drives an output.
    @discardableResult
    func drive(
        _ id: ComponentID, _ value: LineValue, until: MonotonicTime? = nil, notAfter: MonotonicTime? = nil
    ) async throws -> Bool {
        let output = try #require(outputs.withLock { $0[id] }, "\(id) was not taken")
        return try await output.drive(value, until: until, notAfter: notAfter)
    }

    /// Waits for news of a kind; what is passed over is kept in ``passed``.
    func news(_ isMeant: (OutputNews) -> Bool) async throws {
        while let news = await arrivals.next() {
            if isMeant(news) { return }
            heard.withLock { $0.append(news) }
        }
        throw HarnessError(description: "nothing came before the end of the test")
    }

    /// Waits for this news.
    func news(_ wanted: OutputNews) async throws {
        try await news { $0 == wanted }
    }

    /// The news that was passed over.
    var passed: [OutputNews] { heard.withLock(\.self) }
}

extension OutputNews {
    /// Whether no output can be driven any more.
    var isLossOfAll: Bool { if case .lost(nil, _) = self { true } else { false } }
}
