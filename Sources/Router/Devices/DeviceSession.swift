import DeviceModel
import Wire

/// The router's side of a device's session.
///
/// A plain value: what arrives and what time it is go in, what to do comes out.
struct DeviceSession {
    /// What can happen.
    enum Event {
        /// The connection is there.
        case begin
        /// A message arrived.
        case received([UInt8])
        /// The device has proved who it is; this is what there is of its streams.
        case proved(Welcome)
        /// The device has a new key.
        case rotated
        /// The device has to wait for its owner.
        case waiting(fingerprint: String)
        /// The device is let in.
        case enrolled(owner: String)
        /// The device is not let in, or may not go on.
        case rejected(Failure)
        /// A batch is stored; this is what there is now.
        case stored(StreamReception, batch: UInt64? = nil)
        /// The owner commands.
        case call(Call)
        /// The owner lets a lease go on, or end.
        case renew(Renew)
        /// The owner wants something of the watch over its files.
        case inquire(IntegrityAsk)
        /// Somebody wants to know whether the device is there.
        case ask
        /// Time passed.
        case tick
    }

    /// What is to be done.
    enum Action: Hashable {
        case send(Envelope)
        case enroll(Enroll)
        case prove(Prove)
        case rotate(Rotate)
        case describe(DeviceDescription)
        case ingest(ObservationBatch)
        /// The device said what its clock says.
        case hear(MonotonicTime?)
        /// The device said what became of a renewal.
        case renewed(Renewed)
        /// The device said what became of a command, whose result it can't store now; that follows as an observation if
        /// it ever can.
        case called(Called)
        /// The device has answered a question about its files.
        case answered(IntegrityAnswer)
        /// The watch over the device's files has found something.
        case reported(IntegrityReport)
        /// The connection ends in order.
        case close
        /// The connection ends at once: whoever has said nothing is not waited for.
        case hangUp
    }

    private enum State {
        /// The challenge is out.
        case greeting
        /// The answer is being checked.
        case checking
        /// The owner has to accept the device.
        case waiting
        case open
        case closed
    }

    /// How long a device may take to answer the challenge.
    static let greetingTimeout: Duration = .seconds(10)

    let nonce: [UInt8]
    private let heartbeat: Duration
    private var state = State.greeting
    private let greetingEnd: MonotonicTime
    private var lastHeard: MonotonicTime
    private var nextHeartbeat: MonotonicTime

    /// - Parameters:
    ///   - nonce: Random, for this session alone.
    ///   - heartbeat: How often the device is asked whether it is there.
    ///   - now: The present.
    init(nonce: [UInt8], heartbeat: Duration, now: MonotonicTime) {
        self.nonce = nonce
        self.heartbeat = heartbeat
        greetingEnd = now + Self.greetingTimeout
        lastHeard = now
        nextHeartbeat = now + heartbeat
    }

    /// When ``Event/tick`` is due.
    var deadline: MonotonicTime { min(end, state == .greeting ? end : nextHeartbeat) }

    /// When the device counts as gone.
    ///
    /// Who has not proved anything yet does not stay by talking.
    private var end: MonotonicTime { state == .greeting ? greetingEnd : lastHeard + heartbeat * 9 / 4 }

    /// Something happened.
    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        guard state != .closed else { return [] }
        switch event {
        case .begin: return [.send(Envelope(Challenge(nonce: nonce)))]
        case .received(let bytes): return receive(bytes, at: now)
        case .proved(let welcome):
            state = .open
            return [.send(Envelope(welcome))]
        case .rotated:
            state = .closed
            return [.send(Envelope(Rotated())), .close]
        case .waiting(let fingerprint):
            state = .waiting
            return [.send(Envelope(EnrolmentPending(fingerprint: fingerprint)))]
        case .enrolled(let owner):
            state = .closed
            return [.send(Envelope(Enrolled(owner: owner))), .close]
        case .rejected(let failure):
            state = .closed
            return [.send(failure.envelope(.deviceSession)), .close]
        case .stored(let reception, let batch): return [.send(Envelope(Acknowledgement(reception, batch: batch)))]
        case .call(let call): return state == .open ? [.send(Envelope(call))] : []
        case .renew(let renew): return state == .open ? [.send(Envelope(renew))] : []
        case .inquire(let ask): return state == .open ? [.send(Envelope(ask))] : []
        case .ask: return state == .open ? [.send(Envelope(Heartbeat()))] : []
        case .tick: return tick(at: now)
        }
    }

    private mutating func receive(_ bytes: [UInt8], at now: MonotonicTime) -> [Action] {
        lastHeard = now
        let envelope: Envelope
        do throws(WireError) {
            envelope = try Envelope(decoding: bytes)
        } catch {
            return [.send(Envelope(ControlError("what arrived is no message: \(error)")))]
        }
        do throws(WireError) {
            return try receive(envelope)
        } catch {
            return [.send(Envelope(ControlError("\(envelope.type): \(error)", about: envelope)))]
        }
    }

    private mutating func receive(_ envelope: Envelope) throws(WireError) -> [Action] {
        switch (envelope.kind, state) {
        case (Enroll.kind, .greeting):
            let message = try envelope.decode(Enroll.self)
            state = .checking
            return check(version: message.version) ?? [.enroll(message)]
        case (Prove.kind, .greeting):
            let message = try envelope.decode(Prove.self)
            state = .checking
            return check(version: message.version) ?? [.prove(message)]
        case (Rotate.kind, .greeting):
            let message = try envelope.decode(Rotate.self)
            state = .checking
            return check(version: message.version) ?? [.rotate(message)]
        case (Heartbeat.kind, .open): return [.hear(try envelope.decode(Heartbeat.self).monotonic)]
        case (Heartbeat.kind, _): return []
        case (DescriptionMessage.kind, .open):
            return [.describe(try envelope.decode(DescriptionMessage.self).description)]
        case (ObservationBatch.kind, .open): return [.ingest(try envelope.decode(ObservationBatch.self))]
        case (Renewed.kind, .open): return [.renewed(try envelope.decode(Renewed.self))]
        case (Called.kind, .open): return [.called(try envelope.decode(Called.self))]
        case (IntegrityAnswer.kind, .open): return [.answered(try envelope.decode(IntegrityAnswer.self))]
        case (IntegrityReport.kind, .open): return [.reported(try envelope.decode(IntegrityReport.self))]
        case (ControlError.kind, _): return []  // an answer to an error would be one too many
        case (Enroll.kind, _), (Prove.kind, _), (Rotate.kind, _), (DescriptionMessage.kind, _),
            (ObservationBatch.kind, _), (Renewed.kind, _), (Called.kind, _), (IntegrityAnswer.kind, _),
            (IntegrityReport.kind, _):
            let error = "'\(envelope.type)' makes no sense at this point of the session"
            return [.send(Envelope(ControlError(error, about: envelope)))]
        default: return [.send(Envelope(ControlError.unknown(envelope)))]
        }
    }

    private mutating func check(version: Int) -> [Action]? {
        guard version != ProtocolVersion.current else { return nil }
        state = .closed
        let failure = Failure(
            .unsupported, "this router speaks version \(ProtocolVersion.current) of the protocol, not \(version)")
        return [.send(failure.envelope(.deviceSession)), .close]
    }

    private mutating func tick(at now: MonotonicTime) -> [Action] {
        if end <= now {
            let isUnknown = state == .greeting
            state = .closed
            return [isUnknown ? .hangUp : .close]
        }
        guard nextHeartbeat <= now, state != .greeting else { return [] }
        nextHeartbeat = now + heartbeat
        return [.send(Envelope(Heartbeat()))]
    }
}
