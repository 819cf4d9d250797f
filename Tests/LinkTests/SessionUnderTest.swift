import DeviceManager
import DeviceModel
import TestSupport
import Wire

@testable import Link

/// A session with a clock that a test turns, a router that a test plays, and a store that does what a test says.
struct SessionUnderTest {
    static let device: DeviceID = "greenhouse"
    static let boot: BootID = 7
    static let routerKeyHash = [UInt8](repeating: 9, count: 32)
    static let publicKey = [UInt8](repeating: 3, count: 32)
    static let nonce = (0..<32).map { UInt8($0) }
    static let description = DeviceDescription(id: device, label: nil, software: "test", components: [])
    /// Nothing has waited for the router.
    static let nothingWaits: [StreamName: OutboxOutlook] = [
        .telemetry: OutboxOutlook(end: .start), .events: OutboxOutlook(end: .start),
    ]

    var session: LinkSession
    var now = MonotonicTime(nanoseconds: 1_000_000_000)

    init(backlogRate: Int = 1_000, record: LinkRecord = LinkRecord()) {
        let identity = LinkSession.Identity(
            device: Self.device, boot: Self.boot, publicKey: Self.publicKey, routerKeyHash: Self.routerKeyHash,
            sign: Self.sign, record: record)
        session = LinkSession(
            identity: identity, description: Self.description, backlogRate: backlogRate, now: now)
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

    // MARK: The store

    /// What is to be done with the store next.
    mutating func work() -> LinkSession.Work? {
        session.nextWork(at: now)
    }

    /// What is to be fetched next; nil: something else, or nothing.
    ///
    /// What the store only takes note of goes before.
    mutating func load() -> Uplink.Load? {
        switch work() {
        case .load(let load): load
        case .note: load()
        default: nil
        }
    }

    /// All that there is to do with the store, where it has nothing that would go up.
    mutating func allWork() -> [LinkSession.Work] {
        var all: [LinkSession.Work] = []
        while let work = work() {
            all.append(work)
            if case .load(let load) = work { _ = handle(.loaded(load, nil)) }
        }
        return all
    }

    /// What is to be fetched next, which has to be something.
    mutating func nextLoad() throws -> Uplink.Load {
        guard let load = load() else { throw HarnessError(description: "nothing is to be fetched") }
        return load
    }

    /// The store gives a batch for the next load of a stream and a lane, and nothing for those that come before.
    ///
    /// - Returns: What is to be done then.
    @discardableResult
    mutating func fetch(_ batch: OutboxBatch, _ lane: Uplink.Lane = .live) throws -> [LinkSession.Action] {
        while true {
            let load = try nextLoad()
            if load.stream == batch.stream, load.lane == lane { return handle(.loaded(load, batch)) }
            _ = handle(.loaded(load, nil))
        }
    }

    /// A batch with these numbers is stored and goes up, and the router acknowledges it.
    ///
    /// - Returns: What is to be done with the acknowledgement.
    @discardableResult
    mutating func deliver(
        _ numbers: ClosedRange<UInt64>, of stream: StreamName = .telemetry, epoch: UInt64 = 5
    ) throws -> [LinkSession.Action] {
        _ = handle(.stored)
        try fetch(Self.batch(stream, from: numbers.lowerBound, count: UInt64(numbers.count), epoch: epoch))
        return hear(Acknowledgement(Self.reception(numbers, of: stream, epoch: epoch)))
    }

    // MARK: Made

    /// A session that the router has welcomed and that has agreed with it on what waits.
    static func open(
        heartbeat: Duration = .seconds(20), outlooks: [StreamName: OutboxOutlook] = nothingWaits,
        backlogRate: Int = 1_000
    ) -> SessionUnderTest {
        var test = SessionUnderTest(backlogRate: backlogRate)
        _ = test.hear(Challenge(nonce: nonce))
        _ = test.hear(Welcome(owner: "anna", heartbeat: heartbeat, streams: []))
        _ = test.work()
        _ = test.handle(.agreed(outlooks))
        return test
    }

    /// A batch as the outbox gives it: so many observations, the first of this number.
    static func batch(
        _ stream: StreamName = .telemetry, from first: UInt64, count: UInt64 = 2, epoch: UInt64 = 5, gaps: [Gap] = [],
        isOfNewestEpoch: Bool = true
    ) -> OutboxBatch {
        let observations = (first..<first + count).map { sequence in
            RecordedObservation(
                position: position(sequence, stream, epoch: epoch),
                observation: Observation(
                    time: Timestamp(
                        boot: 4, monotonic: MonotonicTime(nanoseconds: Int64(sequence)),
                        wall: WallTime(nanoseconds: 1), isSynchronised: true),
                    content: .event(Event(component: "switch", name: "pressed"))))
        }
        return OutboxBatch(
            stream: stream, epoch: epoch, observations: observations, gaps: gaps, isOfNewestEpoch: isOfNewestEpoch,
            end: OutboxCursor(row: Int64(first + count - 1), gap: Int64(gaps.count)))
    }

    static func position(_ sequence: UInt64, _ stream: StreamName = .telemetry, epoch: UInt64 = 5) -> StreamPosition {
        StreamPosition(stream: stream, epoch: epoch, sequence: sequence)
    }

    /// What a router has of an epoch: some ranges.
    static func reception(
        _ numbers: ClosedRange<UInt64>..., of stream: StreamName = .telemetry, epoch: UInt64 = 5
    ) -> StreamReception {
        StreamReception(stream: stream, epoch: epoch, received: SequenceRanges(numbers))
    }
}

extension Acknowledgement {
    /// Everything of an epoch up to a number is stored.
    init(through position: StreamPosition) {
        self.init(
            StreamReception(
                stream: position.stream, epoch: position.epoch, received: SequenceRanges(through: position.sequence)))
    }
}

extension [LinkSession.Action] {
    /// The only thing that is sent, as a message of a type.
    func sent<M: Message>(_ type: M.Type) throws -> M? {
        let envelopes = compactMap { action in if case .send(let envelope) = action { envelope } else { nil } }
        guard let envelope = envelopes.first, envelopes.count == 1, envelope.kind == M.kind else { return nil }
        return try envelope.decode(M.self)
    }

    /// Why the session is closed; nil: it is not, or nothing was left to send.
    var problem: LinkProblem? {
        compactMap { action in if case .close(let problem) = action { problem } else { nil } }.first
    }
}
