import DeviceModel

/// Where everything in a router brings what the audit log has to keep.
struct AuditDesk: Sendable {
    let log: AuditLog
    let queue: AuditQueue
    let time: any TimeSource

    /// Opens the log.
    ///
    /// - Parameters:
    ///   - folder: The router's folder.
    ///   - time: The clock.
    ///   - report: Told in words of what is not as it should be in the log, where it is written down, too.
    /// - Throws: ``RouterProblem`` when it can't be used.
    init(
        folder: String, time: any TimeSource, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RouterProblem) {
        let queue = AuditQueue()
        log = try AuditLog(folder: folder) { words in
            report(words)
            queue.note(
                AuditEntry(
                    time: time.wall, who: AuditEntry.router, source: AuditEntry.local, act: .auditMismatch,
                    result: words))
        }
        (self.queue, self.time) = (queue, time)
    }

    /// Something is about to be done that must not be done without its entry.
    ///
    /// - Throws: ``RouterProblem`` when the entry can't be written.
    func write(_ act: AuditAct, _ party: AuditParty, _ object: String = "") async throws(RouterProblem) {
        try await log.append([entry(act, party, object, AuditEntry.done)])
    }

    /// Something was done; nobody waits for its entry.
    func note(_ act: AuditAct, _ party: AuditParty, _ object: String = "", result: String = AuditEntry.done) {
        queue.note(entry(act, party, object, result))
    }

    /// Something failed, perhaps not for the first time.
    func noteFailure(_ act: AuditAct, _ party: AuditParty, _ object: String = "", result: String) {
        queue.noteFailure(entry(act, party, object, result))
    }

    private func entry(_ act: AuditAct, _ party: AuditParty, _ object: String, _ result: String) -> AuditEntry {
        AuditEntry(
            time: time.wall, account: party.account, who: party.who, source: party.source, act: act, object: object,
            result: result)
    }
}
