import DeviceModel
import GRDB
import Logging
import Transport
import Wire

/// One connection of a device, from its challenge to its end.
///
/// An actor because three tasks share the session: what reads from the network, what stores, and what watches the clock
/// and the notices from the switchboard.
actor DeviceConnection {
    let channel: MessageChannel
    let core: RouterCore
    let logger: Logger
    let notices = Mailbox<Switchboard.Notice>(bound: 64, policy: .refuseNewest)
    private let deliveries = DeliveryQueue()
    var session: DeviceSession
    var device: RouterStore.Device?
    private var description: DeviceDescription?
    var waitingKey: [UInt8]?
    let entrance: Entrance?

    init(_ channel: MessageChannel, _ core: RouterCore, entrance: Entrance? = nil, logger: Logger) {
        self.channel = channel
        self.core = core
        self.entrance = entrance
        self.logger = logger
        session = DeviceSession(
            nonce: SecretHasher.random(Challenge.nonceSize), heartbeat: core.settings.heartbeat, now: core.time.now)
    }

    /// Runs the session to its end.
    func run() async {
        do {
            try await apart { try await self.handle(.begin) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.explaining { try await self.read() } }
                group.addTask { try await self.explaining { try await self.store() } }
                group.addTask { try await self.watch() }
                while try await group.next() != nil {}
            }
        } catch {
            logger.debug("device connection ended", metadata: ["reason": "\(error.explanation)"])
        }
        await end()
    }

    /// Does something; where nothing can be stored, the device is told to come back later.
    private func explaining(_ body: @Sendable () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as DatabaseError {
            core.trouble.begins(core.store.explain(error))
            let words = "the router can't store anything at the moment: its disk or its database does not work"
            try await handle(.rejected(Failure(.systemFailure, words, retryAfter: .seconds(30))))
        }
    }

    private func read() async throws {
        // What has come before may still be stored; what is not comes again.
        defer { deliveries.finish() }
        for try await message in channel.inbound {
            entrance?.heard()
            try await apart { try await self.handle(.received(message)) }
        }
    }

    /// Does something in a task of its own.
    ///
    /// What a task has once called stays its size until it ends, though most of it is called at the beginning and then no
    /// more. There are three of them for each device, which do nothing most of the time.
    private func apart(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(operation: body)
            try await group.waitForAll()
        }
    }

    /// Stores what the device sends; the session is over when all of it is.
    private func store() async throws {
        while let portion = await deliveries.next() {
            try await apart {
                switch portion {
                case .batches(let batches): try await self.ingest(batches)
                case .description(let description): try await self.describe(description)
                }
            }
            core.trouble.isOver()
            deliveries.stored(portion)
            while deliveries.isEmpty, let device, try await core.store.dateMore(of: device) {}
        }
        throw SessionEnded()
    }

    private func watch() async throws {
        while true {
            let next = await notices.next(until: session.deadline, on: core.time)
            try await apart { try await self.follow(next) }
        }
    }

    private func follow(_ next: Mailbox<Switchboard.Notice>.Received) async throws {
        switch next {
        case .element(.call(let call)): try await handle(.call(call))
        case .element(.renew(let renew)): try await handle(.renew(renew))
        case .element(.inquire(let ask)): try await handle(.inquire(ask))
        case .element(.accepted(let owner)): try await handle(.enrolled(owner: owner.name))
        case .element(.connected): break
        case .element(.areYouThere): try await handle(.ask)
        case .element(.revoked):
            try await handle(.rejected(Self.revoked))
        case .element(.replaced):
            try await handle(
                .rejected(Failure(.busy, "another connection of this device, or its new key, has taken over")))
        case .deadline: try await handle(.tick)
        case .finished: throw SessionEnded()
        }
    }

    func handle(_ event: DeviceSession.Event) async throws {
        for action in session.handle(event, at: core.time.now) { try await perform(action) }
    }

    private func perform(_ action: DeviceSession.Action) async throws {
        switch action {
        case .send(let envelope): try await channel.send(envelope.encoded)
        case .enroll(let message): try await enroll(message)
        case .prove(let message): try await prove(message)
        case .rotate(let message): try await rotate(message)
        case .describe(let description): await deliveries.put(.description(description))
        case .ingest(let batch): await deliveries.put(.batch(batch))
        case .hear(let clock):
            if let device { await core.switchboard.hear(device, clock: clock, on: notices) }
        case .renewed(let message):
            if let device { await core.switchboard.renewed(message, by: device) }
        case .called(let message):
            if let device { await core.switchboard.called(message, by: device) }
        case .answered(let message):
            if let device { await core.switchboard.answered(message, by: device) }
        case .reported(let message):
            if let device { try await heed(message, of: device) }
        case .close: throw SessionEnded()
        case .hangUp:
            channel.abort()
            throw SessionEnded()
        }
    }

    // MARK: Being in

    private func describe(_ description: DeviceDescription) async throws {
        guard let device, description.id == device.name else {
            return try await handle(.rejected(Failure(.badRequest, "this is the description of another device")))
        }
        self.description = description
        try await core.store.describe(device, description)
    }

    private func ingest(_ batches: [ObservationBatch]) async throws {
        guard let device else { return }
        let (ingested, refusal) = try await core.store.ingest(batches, from: device)
        for (batch, one) in zip(batches, ingested) {
            // Told before it is acknowledged: what comes again after a broken connection is no news any more.
            await core.switchboard.publish(one, of: device, description)
            audit(one, of: device)
            try await handle(.stored(one.reception, batch: batch.number))
        }
        if let refusal { try await refuse(refusal, device) }
    }

    /// What was commanded on the device itself stands in the audit log, too, by the device's word.
    private func audit(_ ingested: RouterStore.Ingested, of device: RouterStore.Device) {
        for record in ingested.new {
            guard case .result(let result) = record.observation.content, let author = result.author else { continue }
            let party = AuditParty(
                account: AuditEntry.Account(device.owner), who: "\(author) on \(device.name)",
                source: "device \(device.name)")
            core.audit.note(
                .command, party, "\(device.name)/\(result.component) \(result.action)", result: result.auditText)
        }
    }

    /// What was sent is not taken, which ends the session.
    private func refuse(_ problem: any ExplainedError, _ device: RouterStore.Device) async throws {
        logger.error(
            "observations refused",
            metadata: ["device": "\(device.name)", "owner": "\(device.owner.name)", "reason": "\(problem)"])
        var failure = Failure(problem)
        if let conflict = problem as? NumberConflict {
            let losses = try await core.store.losses(of: device.owner, device: device.row)[device.row]
            await core.switchboard.warn(of: losses ?? DeviceLosses(), device)
            failure.position = conflict.position
        }
        try await handle(.rejected(failure))
    }

    private func end() async {
        notices.finish()
        if let waitingKey { await core.switchboard.stopWaiting(key: waitingKey, notices: notices) }
        if let device, await core.switchboard.disconnect(device, notices: notices) {
            log("device disconnected", device.name, device.owner)
            do {
                try await core.store.see(device, at: core.time.wall)
            } catch {
                logger.warning("last sight of a device was not stored", metadata: ["reason": "\(error.explanation)"])
            }
        }
        await channel.close(.goingAway)
    }

    func log(_ event: Logger.Message, _ device: DeviceID, _ owner: RouterStore.Owner) {
        logger.info(event, metadata: ["device": "\(device)", "owner": "\(owner.name)"])
    }
}
