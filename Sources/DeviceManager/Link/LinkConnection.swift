import DeviceManager
import DeviceModel
import Transport
import Wire

/// One connection to the router, and the session on it.
///
/// An actor because several tasks share the session: what reads from the network, what watches the clock, what works
/// with the store, and whoever ends it. What the router says is never behind what is sent to it: only the work with the
/// store waits for the disk and for the network to take a batch, one at a time; the reader waits for the network once,
/// for what the device is.
actor LinkConnection {
    private let channel: MessageChannel
    private let manager: DeviceManager
    private let files: IntegrityAnswers
    /// Whether the router was told nothing of the baseline yet.
    private let isUnclaimed: Bool
    private let onOpen: @Sendable (LinkSession.Opening) -> Void
    private let onLoss: @Sendable () -> Void
    private var session: LinkSession
    private var problem: LinkProblem?
    /// Renewals and questions that are being worked on, as many as the session lets.
    private var errands: [Int: Task<Void, Never>] = [:]
    private var nextErrand = 0
    /// Tells the work, and the clock, that something has changed: 1; the newest is as good as all.
    private let workNews = Mailbox<Void>(bound: 1, policy: .dropOldest)
    private let clockNews = Mailbox<Void>(bound: 1, policy: .dropOldest)
    /// Answers that wait for the network to take them, so that nobody else has to: 64; a router that reads none of them
    /// is left.
    private let answers = Mailbox<Envelope>(bound: 64, policy: .refuseNewest)
    /// Results of commands, for those that can't be stored: 64, as many as commands wait; the oldest goes, which is
    /// stored some time all the same.
    private let results = Mailbox<CommandResult>(bound: resultBound, policy: .dropOldest)
    private static let resultBound = 64
    /// Whether nothing is left to send, and the end is wanted.
    private var isDrained = false

    init(
        _ channel: MessageChannel, _ identity: LinkSession.Identity, _ manager: DeviceManager, backlogRate: Int,
        onOpen: @escaping @Sendable (LinkSession.Opening) -> Void, onLoss: @escaping @Sendable () -> Void
    ) {
        self.channel = channel
        self.manager = manager
        files = IntegrityAnswers(from: manager.integrity)
        isUnclaimed = identity.integrity.map { $0.root == nil } ?? false
        (self.onOpen, self.onLoss) = (onOpen, onLoss)
        session = LinkSession(
            identity: identity, description: manager.description, backlogRate: backlogRate, now: manager.time.now)
    }

    /// Runs the session to its end.
    ///
    /// - Throws: Why it ended, unless the task was cancelled or nothing was left to send.
    func run() async throws {
        let (arrivals, endWatch) = manager.observations.watch(bound: 1)
        let (descriptions, endDescriptions) = manager.watchDescription()
        defer {
            endWatch()
            endDescriptions()
        }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.read() }
                group.addTask { try await self.watchClock() }
                group.addTask { try await self.watch(arrivals) }
                group.addTask { try await self.describe(descriptions) }
                group.addTask { try await self.work() }
                group.addTask { try await self.answer() }
                group.addTask { try await self.tellResults() }
                if let integrity = manager.integrity { group.addTask { try await self.report(integrity) } }
                do {
                    try await group.next()
                } catch  where !(error is Drained) {
                    // The others may take their time: a disk that hangs can't be called off.
                    onLoss()
                    throw error
                }
                group.cancelAll()
            }
        } catch is Drained {
            // Nothing is left to send.
        } catch {
            await end()
            throw problem ?? error
        }
        await end()
    }

    /// Sends what is left, then ends.
    func drain() async {
        do {
            try await handle(.drain)
        } catch is Drained {
            isDrained = true
            await channel.close(.goingAway)
        } catch {
            channel.abort()  // its reader ends with that
        }
    }

    // MARK: Tasks

    private func read() async throws {
        for try await message in channel.inbound { try await handle(.received(message)) }
        if isDrained { throw Drained() }
        throw problem ?? LinkProblem("the router closed the connection")
    }

    /// Sends answers, one after the other.
    private func answer() async throws {
        while let envelope = await answers.next() { try await send(envelope) }
    }

    /// Tells results that don't go up as observations for now: a second later the store is still not well.
    private func tellResults() async throws {
        var waiting: [(result: CommandResult, due: MonotonicTime)] = []
        while true {
            switch await results.next(until: waiting.first?.due, on: manager.time) {
            case .element(let result):
                waiting.append((result, manager.time.now + .seconds(1)))
                if waiting.count > Self.resultBound { waiting.removeFirst() }
            case .deadline:
                let result = waiting.removeFirst().result
                guard await manager.outbox.status().problem != nil else { continue }
                try await perform(.send(Envelope(Called(id: result.id, CommandOutcome(result.status, result.reason)))))
            case .finished: return
            }
        }
    }

    private func watchClock() async throws {
        while true {
            switch await clockNews.next(until: session.end, on: manager.time) {
            case .element: continue
            case .deadline: try await handle(.tick)
            case .finished: return
            }
        }
    }

    private func watch(_ arrivals: Mailbox<RecordedObservation>) async throws {
        while await arrivals.next() != nil { try await handle(.stored) }
    }

    private func describe(_ descriptions: Mailbox<DeviceDescription>) async throws {
        while let description = await descriptions.next() { try await handle(.described(description)) }
    }

    private func work() async throws {
        while true {
            while let work = session.nextWork(at: manager.time.now) { try await perform(work) }
            if case .finished = await workNews.next(until: session.workDeadline, on: manager.time) { return }
        }
    }

    // MARK: Doing

    private func handle(_ event: LinkSession.Event) async throws {
        let actions = session.handle(event, at: manager.time.now)
        workNews.send(())
        clockNews.send(())
        for action in actions { try await perform(action) }
    }

    private func perform(_ action: LinkSession.Action) async throws {
        switch action {
        // What the device is goes before what it observes.
        case .send(let envelope) where [ObservationBatch.kind, DescriptionMessage.kind].contains(envelope.kind):
            try await send(envelope)
        case .send(let envelope):
            if case .refused = answers.send(envelope) { throw LinkProblem("the router reads no answers") }
        case .open(let opening): onOpen(opening)
        case .submit(let command): manager.commands.submit(command) { [results] in results.send($0) }
        case .renew(let renewal, let id): renew(renewal, id)
        case .inquire(let ask): inquire(ask)
        case .close(let problem):
            self.problem = problem
            if let problem { throw problem }
            throw Drained()
        }
    }

    /// Sends a message; where the network does not take it, the end of the connection ends the wait.
    private func send(_ envelope: Envelope) async throws {
        try await withTaskCancellationHandler {
            try await channel.send(envelope.encoded)
        } onCancel: { [channel] in
            channel.abort()
        }
    }

    private func perform(_ work: LinkSession.Work) async throws {
        let outbox = manager.outbox
        let done: LinkSession.Event?
        do {
            switch work {
            case .agree(let receptions): done = .agreed(try await outbox.agree(with: receptions))
            case .load(let load):
                done = .loaded(load, try await outbox.batch(of: load.stream, in: load.span, limit: Uplink.batchSize))
            case .note(let reception):
                await outbox.noteArrival(of: reception)
                done = nil
            case .trim(let reception):
                try await outbox.acknowledge(reception)
                done = nil
            case .renumber(let position):
                try await outbox.renumber(from: position)
                done = nil
            case .doubt(let receptions):
                try await outbox.doubt(receptions)
                done = nil
            }
        } catch {
            // Whoever asks how the store is is told; what was not trimmed is sent again, and the router knows it.
            done = .failed(work)
        }
        if let done { try await handle(done) }
    }

    /// Renews a lease beside everything else.
    ///
    /// A task of its own, in no group: one that hangs must neither keep the connection from being read, nor its end
    /// from coming.
    private func renew(_ renewal: LeaseRenewal, _ id: String) {
        run { [manager] in .renewed(id: id, await manager.commands.renew(renewal)) }
    }

    /// Asks the watch over the files beside everything else.
    private func inquire(_ ask: IntegrityAsk) {
        run { [files] in .answered(await files.answer(ask)) }
    }

    private func run(_ errand: @escaping @Sendable () async -> LinkSession.Event) {
        nextErrand += 1
        let number = nextErrand
        errands[number] = Task {
            let event = await errand()
            guard errands.removeValue(forKey: number) != nil else { return }
            try? await handle(event)  // safe: else the connection is gone, and its reader says so
        }
    }

    /// Tells what the watch over the files has found, as it is at first and whenever that changes.
    ///
    /// - Throws: ``BaselineKnown`` where the router has let this device in without knowing of its baseline.
    private func report(_ integrity: any IntegrityDesk) async throws {
        let (arrivals, end) = integrity.watch()
        defer { end() }
        repeat {
            let status = integrity.status
            let report = IntegrityReport(
                disabledBecause: status.disabledBecause, changes: status.changes, claim: integrity.currentClaim)
            if isUnclaimed, report.claim != nil { throw BaselineKnown() }
            try await handle(.reported(report))
        } while await arrivals.next() != nil
    }

    private func end() async {
        for errand in errands.values { errand.cancel() }
        errands = [:]
        for work in session.finish() {
            try? await perform(work)  // safe: it is only sent again, and said again
        }
        // A router that says nothing any more would take its time to hang up, and the link is lost from now on.
        if problem?.isSilence == true { channel.abort() } else { await channel.close(.goingAway) }
    }
}

/// All that was left to send is at the router.
private struct Drained: Error {}

/// What the router has to judge is known now: the device comes in once more.
struct BaselineKnown: ExplainedError {
    let code = ErrorCode.busy
    let resource = "integrity"
    let description = "all files were looked at for the first time, which the router is told by coming in anew"
}
