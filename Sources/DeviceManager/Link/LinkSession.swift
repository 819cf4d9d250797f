import DeviceManager
import DeviceModel
import Wire

/// One session with the router, from its challenge to its end.
///
/// A plain value: what arrives and what time it is go in, what to do comes out. What can be said at once is an
/// ``Action``; what needs the store is ``Work``, which is fetched one by one and never holds up what is said.
struct LinkSession {
    /// Who the device is, on this connection.
    struct Identity {
        var device: DeviceID
        var boot: BootID
        var publicKey: [UInt8]
        var routerKeyHash: [UInt8]
        var sign: ([UInt8]) -> [UInt8]
        /// What it remembers of its connections, this one included.
        var record = LinkRecord()
        /// What its files are meant to be; nil: it does not watch over them.
        var integrity: IntegrityClaim?
    }

    /// What can happen.
    enum Event {
        /// A message arrived.
        case received([UInt8])
        /// Something was stored.
        case stored
        /// ``Work/agree(_:)`` is done: this is what waits.
        case agreed([StreamName: OutboxOutlook])
        /// What ``Work/load(_:)`` asked for; nil: there is no more.
        case loaded(Uplink.Load, OutboxBatch?)
        /// The store could not do what was to be done.
        case failed(Work)
        /// What ``Action/renew(_:id:)`` asked for has ended.
        case renewed(id: String, CommandOutcome)
        /// What ``Action/inquire(_:)`` asked for.
        case answered(IntegrityAnswer)
        /// The watch over the files has found something else.
        case reported(IntegrityReport)
        /// The device is another one now, by its configuration.
        case described(DeviceDescription)
        /// Send what is left, then end.
        case drain
        /// Time passed.
        case tick
    }

    /// What is to be done at once.
    enum Action: Hashable {
        case send(Envelope)
        /// The session is open.
        case open(Opening)
        case submit(Command)
        /// Let a lease go on, or end; nothing waits for it.
        case renew(LeaseRenewal, id: String)
        /// The owner wants something of the watch over the files; nothing waits for it.
        case inquire(IntegrityAsk)
        /// End the connection: nothing is left to send, or, with a problem, something is wrong.
        case close(LinkProblem?)
    }

    /// What the router has said of the device when it let it in.
    struct Opening: Hashable {
        /// In whose space it is.
        var owner: String
        /// Why it is not commanded; nil: it is.
        var alarm: String?
        /// The end of the router's audit log, to be remembered.
        var auditHead: AuditHead?
        /// Whether that can't be the same log as the one that the device remembers.
        var isLogCut = false
        /// What the router says of the device's files.
        var integrity: IntegrityVerdict?
    }

    /// What is to be done with the store, one after the other.
    enum Work: Hashable {
        /// The router has accepted the device: compare the store with what it has.
        case agree([StreamReception])
        /// Fetch a batch.
        case load(Uplink.Load)
        /// The router has these: they may go where there is no room.
        case note(StreamReception)
        /// The router has these: they go.
        case trim(StreamReception)
        /// The router knows this number for something else.
        case renumber(StreamPosition)
        /// The router can't read something among these batches.
        case doubt([StreamReception])
    }

    /// How many renewals of leases may be going on; one more is refused.
    static let renewalBound = 16
    /// How many questions about files may wait; one more is refused.
    static let inquiryBound = 4
    /// How long an acknowledgement may wait to be written down: each write costs the disk as much as a hundred.
    static let trimDelay: Duration = .seconds(10)
    /// How long a store that has failed is left alone.
    static let storePause: Duration = .seconds(5)
    /// How long the router may take for its challenge and its welcome.
    static let greetingTimeout: Duration = .seconds(15)

    /// The protocols in which an error ends the session.
    private static let ours: Set<ProtocolNumber> = [.deviceSession, .observations, .commands, .integrity]

    private enum State: Hashable {
        case greeting
        /// The router's welcome is here; what it has is being compared with what there is.
        case agreeing
        case open
        case draining
        case closed
    }

    private let identity: Identity
    private var description: DeviceDescription
    private var state = State.greeting
    private var silence: Duration = .zero
    private let greetingEnd: MonotonicTime
    private var lastHeard: MonotonicTime
    private var uplink: Uplink
    private var agreement: [StreamReception]?
    private var unnoted: [StreamReception] = []
    private var untrimmed: [StreamReception] = []
    private var trimAt: MonotonicTime?
    private var clash: StreamPosition?
    private var doubted: [StreamReception] = []
    private var pausedUntil: MonotonicTime?
    private var renewals = 0
    private var inquiries = 0
    /// What the watch over the files has said last.
    private var report: IntegrityReport?

    /// A session that begins.
    ///
    /// - Parameters:
    ///   - identity: Who the device is.
    ///   - description: What it is.
    ///   - backlogRate: How many observations that have waited go up in a second.
    ///   - now: The present.
    init(identity: Identity, description: DeviceDescription, backlogRate: Int, now: MonotonicTime) {
        self.identity = identity
        self.description = description
        uplink = Uplink(backlogRate: backlogRate, now: now)
        greetingEnd = now + Self.greetingTimeout
        lastHeard = now
    }

    /// When the router counts as gone, and ``Event/tick`` is due; nil: the session has ended.
    ///
    /// By talking alone it does not put off its welcome, nor what it owes.
    var end: MonotonicTime? {
        switch state {
        case .closed: nil
        case .greeting: greetingEnd
        case .agreeing, .open, .draining:
            [uplink.stallDeadline, lastHeard + silence].compactMap(\.self).min()
        }
    }

    /// When there may be work although nothing happened; nil: never.
    var workDeadline: MonotonicTime? {
        let next = [trimAt, pausedUntil, state == .open ? uplink.deadline : nil].compactMap(\.self).min()
        return next.map { max($0, pausedUntil ?? $0) }
    }

    /// Something happened.
    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        guard state != .closed else { return [] }
        switch event {
        case .received(let bytes): return receive(bytes, at: now)
        case .stored:
            uplink.stored()
            return []
        case .agreed(let outlooks):
            if state == .agreeing { state = .open }
            uplink.begin(outlooks)
            return drained()
        case .loaded(let load, let batch):
            let message = uplink.loaded(load, batch, boot: identity.boot, at: now)
            return (message.map { [.send(Envelope($0))] } ?? []) + drained()
        case .failed(let work):
            // It is no reason to hang up: commands still come this way.
            if case .trim(let reception) = work {
                // What can't be written may still be read, and sent.
                untrimmed.add(reception)
                trimAt = now + Self.storePause
                return []
            }
            pausedUntil = now + Self.storePause
            if case .agree(let receptions) = work { agreement = receptions }
            if case .load(let load) = work { uplink.failed(load) }
            return []
        case .renewed(let id, let outcome):
            renewals -= 1
            return [.send(Envelope(Renewed(id: id, outcome)))]
        case .answered(let answer):
            inquiries -= 1
            return [.send(Envelope(answer))]
        case .reported(let report):
            self.report = report
            return state == .open || state == .agreeing ? [.send(Envelope(report))] : []
        case .described(let description):
            self.description = description
            return state == .open || state == .agreeing ? [.send(Envelope(DescriptionMessage(description)))] : []
        case .drain:
            state = state == .open ? .draining : .closed
            return state == .closed ? [.close(nil)] : drained()
        case .tick:
            guard let end, end <= now else { return [] }
            return close(LinkProblem("the router \(fault(at: now))", isSilence: true))
        }
    }

    /// For what it is given up.
    private func fault(at now: MonotonicTime) -> String {
        if state == .greeting { return "did not greet this device in time" }
        return lastHeard + silence <= now
            ? "has been silent for too long" : "has not acknowledged anything for too long"
    }

    /// Whether all that was to be sent before the end is sent.
    private mutating func drained() -> [Action] {
        guard state == .draining, uplink.isDrained else { return [] }
        state = .closed
        return [.close(nil)]
    }

    private mutating func close(_ problem: LinkProblem) -> [Action] {
        state = .closed
        return [.close(problem)]
    }

    // MARK: Work

    /// What is to be done with the store next; nil: nothing, for now.
    mutating func nextWork(at now: MonotonicTime) -> Work? {
        if let pausedUntil, now < pausedUntil { return nil }
        pausedUntil = nil
        if let agreement, state == .agreeing {
            self.agreement = nil
            return .agree(agreement)
        }
        if let reception = unnoted.popLast() { return .note(reception) }  // before its trim, which forgets it
        if let trimAt, trimAt <= now, let reception = untrimmed.popLast() {
            if untrimmed.isEmpty { self.trimAt = nil }
            return .trim(reception)
        }
        guard state == .open || state == .draining else { return nil }
        return uplink.next(at: now, isDraining: state == .draining).map(Work.load)
    }

    /// What is left to be done with the store when the connection ends.
    mutating func finish() -> [Work] {
        state = .closed
        defer { (unnoted, untrimmed, clash, doubted) = ([], [], nil, []) }
        return untrimmed.map(Work.trim) + (clash.map { [.renumber($0)] } ?? [])
            + (doubted.isEmpty ? [] : [.doubt(doubted)])
    }

    // MARK: In

    private mutating func receive(_ bytes: [UInt8], at now: MonotonicTime) -> [Action] {
        lastHeard = now
        let envelope: Envelope
        do throws(WireError) {
            envelope = try Envelope(decoding: bytes)
        } catch {
            return [.send(Envelope(ControlError("what arrived is no message: \(error)")))]
        }
        do throws(WireError) {
            return try receive(envelope, at: now)
        } catch {
            return [.send(Envelope(ControlError("\(envelope.type): \(error)", about: envelope)))]
        }
    }

    private mutating func receive(_ envelope: Envelope, at now: MonotonicTime) throws(WireError) -> [Action] {
        switch envelope.kind {
        case Challenge.kind: return prove(try envelope.decode(Challenge.self), at: now)
        case Welcome.kind: return welcome(try envelope.decode(Welcome.self))
        case Heartbeat.kind: return [.send(Envelope(Heartbeat(monotonic: now)))]
        case Acknowledgement.kind: return acknowledge(try envelope.decode(Acknowledgement.self), at: now)
        case Call.kind:
            guard state == .open || state == .agreeing else { return [] }
            return [.submit(try envelope.decode(Call.self).command)]
        case Renew.kind:
            guard state == .open || state == .agreeing else { return [] }
            return renew(try envelope.decode(Renew.self))
        case IntegrityAsk.kind:
            guard state == .open || state == .agreeing else { return [] }
            return inquire(try envelope.decode(IntegrityAsk.self))
        case ControlError.kind:
            let error = try envelope.decode(ControlError.self)
            guard error.messageProto == UInt64(ObservationBatch.kind.proto.rawValue) else { return [] }
            // It would never be acknowledged, and nothing behind it either.
            if error.messageType == ObservationBatch.kind.type { doubted = uplink.inFlight }
            let what =
                error.messageType == ObservationBatch.kind.type ? "what this device observes" : "this device's words"
            return close(
                LinkProblem("the router can't read \(what): \(error.error); update the router or this program"))
        case _ where envelope.type == Failure.type && Self.ours.contains(envelope.proto):
            let failure = try Failure(in: envelope)
            // The router answers batches in their order: where it does not say which number it is, it is the next one's.
            if state == .open || state == .draining, failure.code == .conflict {
                clash = failure.position ?? uplink.oldestInFlight
            }
            return close(LinkProblem(failure))
        case _ where envelope.type == Failure.type: return []  // an answer to an error would be one too many
        default: return [.send(Envelope(ControlError.unknown(envelope)))]
        }
    }

    private mutating func prove(_ challenge: Challenge, at now: MonotonicTime) -> [Action] {
        guard state == .greeting else { return [] }
        guard challenge.versions.contains(ProtocolVersion.current) else {
            let versions = challenge.versions.map(String.init).joined(separator: ", ")
            return close(LinkProblem("the router speaks only version \(versions) of the protocol; update this program"))
        }
        let statement = SignedStatement(
            purpose: .prove, nonce: challenge.nonce, routerKeyHash: identity.routerKeyHash, boot: identity.boot,
            device: identity.device)
        let proof = Prove(
            device: identity.device, key: identity.publicKey, boot: identity.boot, monotonic: now,
            signature: identity.sign(statement.bytes), connects: identity.record.connects,
            auditHead: identity.record.auditHead, integrity: identity.integrity)
        return [.send(Envelope(proof))]
    }

    private mutating func welcome(_ welcome: Welcome) -> [Action] {
        guard state == .greeting else { return [] }
        state = .agreeing
        silence = welcome.heartbeat * 9 / 4
        agreement = welcome.streams
        // Whatever the disk does: from now on the owner can command.
        var opening = Opening(
            owner: welcome.owner, alarm: welcome.alarm, auditHead: welcome.auditHead, integrity: welcome.integrity)
        if let now = welcome.auditHead, let before = identity.record.auditHead {
            opening.isLogCut = now.entry < before.entry || now.entry == before.entry && now.hash != before.hash
        }
        return [.open(opening), .send(Envelope(DescriptionMessage(description)))]
            + (report.map { [.send(Envelope($0))] } ?? [])
    }

    private mutating func renew(_ message: Renew) -> [Action] {
        guard renewals < Self.renewalBound else {
            // Not `refused`, which would tell the holder that the lease is over.
            let tooMany = CommandOutcome(.failed, "too many renewals are being done; try again in a moment")
            return [.send(Envelope(Renewed(id: message.id, tooMany)))]
        }
        renewals += 1
        return [.renew(message.renewal, id: message.id)]
    }

    private mutating func inquire(_ ask: IntegrityAsk) -> [Action] {
        guard inquiries < Self.inquiryBound else {
            let tooMany = CommandOutcome(.failed, "too many questions about its files wait; try again in a moment")
            return [.send(Envelope(IntegrityAnswer(id: ask.id, tooMany)))]
        }
        inquiries += 1
        return [.inquire(ask)]
    }

    private mutating func acknowledge(_ message: Acknowledgement, at now: MonotonicTime) -> [Action] {
        guard state == .open || state == .draining else { return [] }
        guard let reception = uplink.acknowledged(message, at: now) else { return drained() }
        unnoted.add(reception)
        untrimmed.add(reception)
        trimAt = trimAt ?? now + Self.trimDelay
        return drained()
    }
}
