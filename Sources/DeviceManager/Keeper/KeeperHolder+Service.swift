import CKeeper
import DeviceManager
import DeviceModel
import Glibc
import HAL
import Logging
import Synchronization

// The connection to the keeper, for as long as the agent lives.
extension KeeperHolder {
    /// The pause before the next try to reach it.
    private static let pause: Duration = .milliseconds(200)
    /// The pause before it is told once more of outputs that it does not hold.
    private static let tablePause: Duration = .seconds(1)

    /// Keeps connected until the task is cancelled.
    public func run() async {
        var incident = Incident(logger, "the keeper does not answer", over: "the keeper answers again")
        while !Task.isCancelled {
            do throws(HALError) {
                try await stay { incident.end() }
            } catch {
                let (wasReady, hear) = state.withLock { state in
                    defer { (state.ready, state.isSettled, state.problem) = (nil, false, error) }
                    return (state.ready != nil, state.hear)
                }
                if wasReady { hear(.lost(nil, "\(error)")) }
                if !Task.isCancelled { incident.happened(error.description) }
            }
            try? await time.sleep(until: time.now + Self.pause)  // safe: a cancellation ends the loop
        }
    }

    /// One connection, from its beginning to its end.
    private func stay(_ onReady: () -> Void) async throws(HALError) {
        // Each connection has its own: the end of one before it means nothing to it.
        let wakes = Mailbox<Void>(bound: 1, policy: .refuseNewest)
        state.withLock { $0.wakes = wakes }
        let connection = try await connect { wakes.finish() }
        defer { connection.close() }
        try await greet(connection)
        state.withLock { state in
            state.ready = connection
            state.unsettle(socket)
        }
        onReady()
        var trouble = Incident(
            logger, "the keeper does not hold the outputs of this configuration; those that are as before go on",
            over: "the keeper holds the outputs of this configuration")
        while true {
            let problem = try await settle(connection)
            if let problem { trouble.happened(problem.description) } else { trouble.end() }
            let next = problem.map { _ in time.now + Self.tablePause }
            if case .finished = await wakes.next(until: next, on: time) { throw end(of: connection) }
        }
    }

    private func connect(_ onEnd: @escaping @Sendable () -> Void) async throws(HALError) -> KeeperConnection {
        do throws(HALError) {
            return try KeeperConnection(to: socket, onNews: { [weak self] in self?.hear($0) }, onEnd: onEnd)
        } catch {
            // A keeper that has no table can't start.
            if let table = state.withLock(\.roster?.table), let problem = await write(table) { throw problem }
            throw error
        }
    }

    /// Sees that it is one that may be talked to, and that no other agent does.
    private func greet(_ connection: KeeperConnection) async throws(HALError) {
        let greeting = try await ask(KEEPER_HELLO, connection)
        guard greeting.errno == 0 else { throw failure(greeting, "the keeper at \(socket)") }
        // Its table is not touched then.
        if greeting.isHeld { throw HALError(.busy, "the keeper at \(socket)", advice: "another agent has its outputs") }
    }

    /// Sees that the keeper holds the outputs of the roster, and tells those who wait for that.
    ///
    /// - Returns: Why it does not, though it answers; nil: it does. Outputs that are as before are not touched by that.
    private func settle(_ connection: KeeperConnection) async throws(HALError) -> HALError? {
        guard let table = state.withLock(\.roster?.table) else {
            return HALError(.failed, "the keeper at \(socket)", advice: "it is not known yet which outputs there are")
        }
        let problem = try await hold(table, connection)
        let (waiting, hear) = state.withLock { state in
            state.isSettled = problem == nil && state.roster?.table == table
            if let problem { state.problem = problem }
            defer { if state.isSettled { state.waiting = [] } }
            return (state.isSettled ? state.waiting : [], state.hear)
        }
        for arrival in waiting { arrival.send(()) }
        if problem == nil { hear(.back) }
        return problem
    }

    private func hold(_ table: KeeperTable, _ connection: KeeperConnection) async throws(HALError) -> HALError? {
        let problem = await write(table)
        if try await ask(KEEPER_HELLO, connection).table == table.checksum {
            // It is right now, though the next start of the keeper may not know it.
            if let problem { logger.warning("the keeper's table is not right", metadata: ["reason": "\(problem)"]) }
            return nil
        }
        if let problem { return problem }
        let report = try await ask(KEEPER_RELOAD, connection)
        guard report.errno == 0 else { return failure(report, "the keeper at \(socket)") }
        if !report.text.isEmpty {
            logger.error("outputs were given up that are not known to be safe", metadata: ["reason": "\(report.text)"])
        }
        guard report.table != table.checksum else { return nil }
        return HALError(
            .failed, "the keeper at \(socket)", advice: "it does not read \(tableFile): is that its --table?")
    }

    private func ask(_ type: keeper_type, _ connection: KeeperConnection) async throws(HALError) -> KeeperReport {
        try await connection.ask(KeeperOrder(type), until: time.now + Self.patience, on: time)
    }

    /// - Returns: Why it could not be written; nil: it is.
    private func write(_ table: KeeperTable) async -> HALError? {
        do throws(FileError) {
            _ = try await disk.run { [tableFile] () throws(FileError) in
                guard try SafeFile.read(tableFile) != Array(table.text.utf8) else { return }
                try SafeFile.makeFolder(of: tableFile)
                try SafeFile.write(table.text.utf8, to: tableFile, isPublic: true)
            }
            return nil
        } catch {
            let isFolder = [ENOENT, ENOTDIR, EACCES, EPERM].contains(error.errno)
            let advice =
                isFolder ? "its folder must be one that the agent's user may write to; or set keeper.table" : ""
            return HALError(.failed, "the keeper's table \(tableFile)", errno: error.errno, advice: advice)
        }
    }

    private func end(of connection: KeeperConnection) -> HALError {
        if Task.isCancelled { return HALError(.failed, "the keeper at \(socket)", advice: "the agent stops") }
        return connection.problem ?? HALError(.failed, "the keeper at \(socket)", advice: "it has ended")
    }

    /// What a report that refuses means.
    func failure(_ report: KeeperReport, _ resource: String) -> HALError {
        let kind: HALError.Kind =
            switch report.errno {
            case EBUSY: .busy
            case ENODEV, ENOENT: .absent
            case EACCES: .notPermitted
            default: .failed
            }
        return HALError(kind, resource, errno: report.errno, advice: report.text)
    }

    private func hear(_ report: KeeperReport) {
        let hear = state.withLock(\.hear)
        guard let id = report.output else { return }
        if report.hasFailed { return hear(.lost(id, report.text)) }
        guard report.isHeld else { return }
        if let reason = report.reason { hear(.madeSafe(id, reason)) }
        hear(.back)  // its line may have failed before
    }
}
