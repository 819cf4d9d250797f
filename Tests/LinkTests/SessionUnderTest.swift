import DeviceManager
import DeviceModel
import TestSupport
import Wire

@testable import Link

/// A session with a clock that a test turns, and a router that a test plays.
struct SessionUnderTest {
    static let device: DeviceID = "greenhouse"
    static let boot: BootID = 7
    static let routerKeyHash = [UInt8](repeating: 9, count: 32)
    static let publicKey = [UInt8](repeating: 3, count: 32)
    static let nonce = (0..<32).map { UInt8($0) }
    static let description = DeviceDescription(id: device, label: nil, software: "test", components: [])

    var session: LinkSession
    var now = MonotonicTime(nanoseconds: 1_000_000_000)

    init() {
        let identity = LinkSession.Identity(
            device: Self.device, boot: Self.boot, publicKey: Self.publicKey, routerKeyHash: Self.routerKeyHash,
            sign: Self.sign)
        session = LinkSession(identity: identity, description: Self.description, now: now)
    }

    /// Stands for a signature: 64 bytes that depend on all of the message.
    static func sign(_ message: [UInt8]) -> [UInt8] {
        Fingerprint.sha256(message) + Fingerprint.sha256(message.reversed())
    }

    mutating func handle(_ event: LinkSession.Event) -> [LinkSession.Action] {
        session.handle(event, at: now)
    }

    /// The router says something.
    mutating func hear(_ message: some Message) -> [LinkSession.Action] {
        handle(.received(Envelope(message).encoded))
    }

    mutating func hear(_ envelope: Envelope) -> [LinkSession.Action] {
        handle(.received(envelope.encoded))
    }

    /// Time passes, and the clock ticks.
    mutating func wait(_ duration: Duration) -> [LinkSession.Action] {
        now = now + duration
        return handle(.tick)
    }

    /// A session that the router has welcomed and that has been compared with the store: both streams are being loaded.
    static func open(heartbeat: Duration = .seconds(20), streams: [StreamPosition] = []) -> SessionUnderTest {
        var test = SessionUnderTest()
        _ = test.hear(Challenge(nonce: nonce))
        _ = test.hear(Welcome(owner: "anna", heartbeat: heartbeat, streams: streams))
        _ = test.handle(.reconciled)
        return test
    }

    /// A batch as the outbox gives it: so many observations, the first of this number.
    static func batch(
        _ stream: StreamName = .telemetry, from first: UInt64, count: UInt64 = 2, epoch: UInt64 = 5, gaps: [Gap] = []
    ) -> OutboxBatch {
        let observations = (first..<first + count).map { sequence in
            RecordedObservation(
                position: StreamPosition(stream: stream, epoch: epoch, sequence: sequence),
                observation: Observation(
                    time: Timestamp(
                        boot: 4, monotonic: MonotonicTime(nanoseconds: Int64(sequence)),
                        wall: WallTime(nanoseconds: 1), isSynchronised: true),
                    content: .event(Event(component: "switch", name: "pressed"))))
        }
        return OutboxBatch(
            stream: stream, epoch: epoch, observations: observations, gaps: gaps,
            end: OutboxCursor(row: Int64(first + count - 1), gap: 0))
    }

    static func position(_ sequence: UInt64, _ stream: StreamName = .telemetry, epoch: UInt64 = 5) -> StreamPosition {
        StreamPosition(stream: stream, epoch: epoch, sequence: sequence)
    }
}

extension [LinkSession.Action] {
    /// The only thing that is sent, as a message of a type.
    func sent<M: Message>(_ type: M.Type) throws -> M? {
        let envelopes = compactMap { action in if case .send(let envelope) = action { envelope } else { nil } }
        guard let envelope = envelopes.first, envelopes.count == 1, envelope.kind == M.kind else { return nil }
        return try envelope.decode(M.self)
    }

    /// Why the session is closed; nil: it is not.
    var problem: LinkProblem? {
        compactMap { action in if case .close(let problem) = action { problem } else { nil } }.first
    }

    /// What is loaded next.
    var loads: [LinkSession.Action] {
        filter { if case .load = $0 { true } else { false } }
    }
}
