import DeviceManager
import DeviceModel
import Wire

/// One session with the router, from its challenge to its end.
///
/// A plain value: what arrives and what time it is go in, what to do comes out.
struct LinkSession {
    /// Who the device is, on this connection.
    struct Identity {
        var device: DeviceID
        var boot: BootID
        var publicKey: [UInt8]
        var routerKeyHash: [UInt8]
        var sign: ([UInt8]) -> [UInt8]
    }

    /// What can happen.
    enum Event {
        /// A message arrived.
        case received([UInt8])
        /// Something was stored.
        case stored
        /// The store was compared with what the router has.
        case reconciled
        /// What ``Action/load(_:after:)`` asked for; nil: there is no more.
        case loaded(StreamName, OutboxBatch?)
        /// What ``Action/renew(_:id:)`` asked for has ended.
        case renewed(id: String, CommandOutcome)
        /// The device is another one now, by its configuration.
        case described(DeviceDescription)
        /// Time passed.
        case tick
    }

    /// What is to be done.
    enum Action: Hashable {
        case send(Envelope)
        /// The router has accepted the device: compare the store with what it has.
        case begin(owner: String, positions: [StreamPosition])
        /// Fetch the next batch of a stream.
        case load(StreamName, after: OutboxCursor?)
        /// The router has everything up to here.
        case trim(StreamPosition)
        case submit(Command)
        /// Let a lease go on, or end; nothing waits for it.
        case renew(LeaseRenewal, id: String)
        /// Give what was stored in this run new numbers: the router knows the old ones for something else.
        case beginEpochs
        /// End the connection: something is wrong.
        case close(LinkProblem)
    }

    /// How far the sending of one stream has come.
    private struct Sending {
        var cursor: OutboxCursor?
        var unacknowledged: [StreamPosition] = []
        var isLoading = false
        var hasMore = true
    }

    /// How many batches of a stream may be on their way.
    static let window = 4
    /// How many renewals of leases may be going on; one more is refused.
    static let renewalBound = 16
    /// How many observations go in a batch.
    static let batchSize = 100
    /// How long an acknowledgement may wait to be written down: each write costs the disk as much as a hundred.
    static let trimDelay: Duration = .seconds(10)
    /// How long the router may take for its challenge and its welcome.
    static let greetingTimeout: Duration = .seconds(15)

    /// The protocols in which an error ends the session.
    private static let ours: Set<ProtocolNumber> = [.deviceSession, .observations, .commands]

    private enum State {
        case greeting
        /// The router's welcome is here; what it has is being compared with what there is.
        case reconciling
        case open
        case closed
    }

    private let identity: Identity
    private var description: DeviceDescription
    private var state = State.greeting
    private var silence: Duration = .zero
    private let greetingEnd: MonotonicTime
    private var lastHeard: MonotonicTime
    private var sendings: [StreamName: Sending] = [:]
    private var untrimmed: [StreamName: StreamPosition] = [:]
    private var trimAt: MonotonicTime?
    private var renewals = 0

    init(identity: Identity, description: DeviceDescription, now: MonotonicTime) {
        self.identity = identity
        self.description = description
        greetingEnd = now + Self.greetingTimeout
        lastHeard = now
    }

    /// When ``Event/tick`` is due.
    var deadline: MonotonicTime { min(end, trimAt ?? end) }

    /// When the router counts as gone.
    ///
    /// By talking alone it does not put off its welcome.
    private var end: MonotonicTime { state == .greeting ? greetingEnd : lastHeard + silence }

    /// Something happened.
    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        guard state != .closed else { return [] }
        switch event {
        case .received(let bytes): return receive(bytes, at: now)
        case .stored: return StreamName.allCases.flatMap { wake($0) }
        case .reconciled:
            state = .open
            let hello = Action.send(Envelope(DescriptionMessage(description)))
            return [hello] + StreamName.allCases.flatMap { wake($0) }
        case .loaded(let stream, let batch): return send(stream, batch)
        case .renewed(let id, let outcome):
            renewals -= 1
            return [.send(Envelope(Renewed(id: id, outcome)))]
        case .described(let description):
            self.description = description
            return state == .open ? [.send(Envelope(DescriptionMessage(description)))] : []
        case .tick: return tick(at: now)
        }
    }

    /// What is left to write down when the connection ends.
    mutating func finish() -> [Action] {
        state = .closed
        defer { untrimmed = [:] }
        return untrimmed.values.map(Action.trim)
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
        case Welcome.kind: return open(try envelope.decode(Welcome.self))
        case Heartbeat.kind: return [.send(Envelope(Heartbeat(monotonic: now)))]
        case Acknowledgement.kind: return acknowledge(try envelope.decode(Acknowledgement.self), at: now)
        case Call.kind:
            guard state == .open || state == .reconciling else { return [] }
            return [.submit(try envelope.decode(Call.self).command)]
        case Renew.kind:
            guard state == .open || state == .reconciling else { return [] }
            return renew(try envelope.decode(Renew.self))
        case _ where envelope.type == Failure.type && Self.ours.contains(envelope.proto):
            let failure = try Failure(in: envelope)
            // Numbers that the router knows for something else: an older store was restored.
            let clashes = state == .open && failure.code == .conflict
            return finish() + (clashes ? [.beginEpochs] : []) + [.close(LinkProblem(failure))]
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
            signature: identity.sign(statement.bytes))
        return [.send(Envelope(proof))]
    }

    private mutating func open(_ welcome: Welcome) -> [Action] {
        guard state == .greeting else { return [] }
        state = .reconciling
        silence = welcome.heartbeat * 9 / 4
        return [.begin(owner: welcome.owner, positions: welcome.streams)]
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

    private mutating func acknowledge(_ message: Acknowledgement, at now: MonotonicTime) -> [Action] {
        guard state == .open else { return [] }
        let position = message.through
        sendings[position.stream]?.unacknowledged.removeAll {
            $0.epoch == position.epoch && $0.sequence <= position.sequence
        }
        var actions: [Action] = []
        if let before = untrimmed[position.stream], before.epoch != position.epoch { actions.append(.trim(before)) }
        untrimmed[position.stream] = position
        trimAt = trimAt ?? now + Self.trimDelay
        return actions + load(position.stream)
    }

    // MARK: Out

    /// There may be more of a stream.
    private mutating func wake(_ stream: StreamName) -> [Action] {
        guard state == .open else { return [] }
        sendings[stream, default: Sending()].hasMore = true
        return load(stream)
    }

    private mutating func load(_ stream: StreamName) -> [Action] {
        guard var sending = sendings[stream], sending.hasMore, !sending.isLoading,
            sending.unacknowledged.count < Self.window
        else { return [] }
        sending.isLoading = true
        sending.hasMore = false
        sendings[stream] = sending
        return [.load(stream, after: sending.cursor)]
    }

    private mutating func send(_ stream: StreamName, _ batch: OutboxBatch?) -> [Action] {
        sendings[stream]?.isLoading = false
        guard let batch else { return load(stream) }
        sendings[stream]?.cursor = batch.end
        sendings[stream]?.hasMore = true
        sendings[stream]?.unacknowledged.append(
            StreamPosition(stream: stream, epoch: batch.epoch, sequence: batch.last))
        let boot = batch.observations.first?.observation.time.boot ?? identity.boot
        let items = batch.observations.map {
            ObservationBatch.Item(sequence: $0.position.sequence, observation: $0.observation)
        }
        let message = ObservationBatch(stream: stream, epoch: batch.epoch, boot: boot, items: items, gaps: batch.gaps)
        return [.send(Envelope(message))] + load(stream)
    }

    private mutating func tick(at now: MonotonicTime) -> [Action] {
        if end <= now {
            let cause = state == .greeting ? "did not greet this device in time" : "has been silent for too long"
            return close(LinkProblem("the router \(cause)"))
        }
        guard let trimAt, trimAt <= now else { return [] }
        self.trimAt = nil
        defer { untrimmed = [:] }
        return untrimmed.values.map(Action.trim)
    }

    private mutating func close(_ problem: LinkProblem) -> [Action] {
        finish() + [.close(problem)]
    }
}

/// Why a session ended, and when to try again.
struct LinkProblem: ExplainedError, Hashable {
    let code: ErrorCode
    let description: String
    /// How long the router wants to be left alone.
    let retryAfter: Duration?

    var resource: String { "" }

    init(_ words: String) {
        (code, description, retryAfter) = (.unreachable, words, nil)
    }

    init(_ failure: Failure) {
        code = failure.code
        description = "the router says: \(failure.message)"
        retryAfter = failure.retryAfter
    }
}
