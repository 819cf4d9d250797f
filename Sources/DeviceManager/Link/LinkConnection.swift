import DeviceManager
import DeviceModel
import Transport
import Wire

/// One connection to the router, and the session on it.
///
/// An actor because three tasks share the session: what reads from the network, what watches the clock and the store,
/// and whoever ends it.
actor LinkConnection {
    private let channel: MessageChannel
    private let manager: DeviceManager
    private let onOpen: @Sendable (_ owner: String) -> Void
    private var session: LinkSession
    private var problem: LinkProblem?
    /// Renewals that are going on, as many as the session lets, with the names of their answers.
    private var renewals: [Int: Task<Void, Never>] = [:]
    private var nextRenewal = 0

    init(
        _ channel: MessageChannel, _ identity: LinkSession.Identity, _ manager: DeviceManager,
        onOpen: @escaping @Sendable (_ owner: String) -> Void
    ) {
        self.channel = channel
        self.manager = manager
        self.onOpen = onOpen
        session = LinkSession(identity: identity, description: manager.description, now: manager.time.now)
    }

    /// Runs the session to its end.
    ///
    /// - Throws: Why it ended, unless the task was cancelled.
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
                group.addTask { try await self.watch(arrivals) }
                group.addTask { try await self.describe(descriptions) }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await end()
            throw problem ?? error
        }
        await end()
        if let problem { throw problem }
    }

    private func read() async throws {
        for try await message in channel.inbound { try await handle(.received(message)) }
        throw problem ?? LinkProblem("the router closed the connection")
    }

    private func describe(_ descriptions: Mailbox<DeviceDescription>) async throws {
        while let description = await descriptions.next() { try await handle(.described(description)) }
    }

    private func watch(_ arrivals: Mailbox<RecordedObservation>) async throws {
        while true {
            switch await arrivals.next(until: session.deadline, on: manager.time) {
            case .element: try await handle(.stored)
            case .deadline: try await handle(.tick)
            case .finished: return
            }
        }
    }

    private func handle(_ event: LinkSession.Event) async throws {
        for action in session.handle(event, at: manager.time.now) { try await perform(action) }
    }

    private func perform(_ action: LinkSession.Action) async throws {
        switch action {
        case .send(let envelope): try await channel.send(envelope.encoded)
        case .begin(let owner, let positions):
            try await manager.outbox.reconcile(positions)
            onOpen(owner)
            try await handle(.reconciled)
        case .load(let stream, let cursor):
            let batch = try await manager.outbox.batch(of: stream, after: cursor, limit: LinkSession.batchSize)
            try await handle(.loaded(stream, batch))
        case .trim(let position):
            // A full disk is no reason to hang up: what is not trimmed is sent again, and the router knows it already.
            try? await manager.outbox.acknowledge(through: position)  // safe: it is only sent again
        case .beginEpochs:
            // Epochs that this store has never had: each stream begins another one.
            let unknown = StreamName.allCases.map {
                StreamPosition(stream: $0, epoch: .random(in: 1...(.max)), sequence: 1)
            }
            try await manager.outbox.reconcile(unknown)
        case .submit(let command): manager.commands.submit(command)
        case .renew(let renewal, let id): renew(renewal, id)
        case .close(let problem):
            self.problem = problem
            throw problem
        }
    }

    /// Renews a lease beside everything else.
    ///
    /// A task of its own, in no group: one that hangs must neither keep the connection from being read, nor its end
    /// from coming.
    private func renew(_ renewal: LeaseRenewal, _ id: String) {
        nextRenewal += 1
        let number = nextRenewal
        renewals[number] = Task {
            let outcome = await manager.commands.renew(renewal)
            guard renewals.removeValue(forKey: number) != nil else { return }
            try? await handle(.renewed(id: id, outcome))  // safe: else the connection is gone, and its reader says so
        }
    }

    private func end() async {
        for renewal in renewals.values { renewal.cancel() }
        renewals = [:]
        for action in session.finish() {
            try? await perform(action)  // safe: nothing is left but to trim
        }
        // A router that says nothing any more takes its time to hang up: the link is lost from now on.
        manager.link.update(.reconnecting, reason: problem?.explanation)
        await channel.close(.goingAway)
    }
}
