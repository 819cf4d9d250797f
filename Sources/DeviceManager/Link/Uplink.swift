import DeviceManager
import DeviceModel
import Wire

/// What goes up in a session, and in which order: what is new before what has waited, events before readings.
///
/// A plain value. What is stored when the session begins is the backlog; it goes at a limited rate, oldest first, so
/// that a device that was away for long neither floods the router nor keeps it from what is happening now. What is
/// stored later is live. Only what belongs to an epoch before the present one goes before what is live.
struct Uplink {
    /// Which end of a stream something comes from.
    enum Lane: Hashable, CaseIterable {
        case live
        case backlog
    }

    /// What is to be fetched from the outbox.
    struct Load: Hashable {
        var stream: StreamName
        var lane: Lane
        var span: OutboxSpan
    }

    /// A batch that is on its way.
    private struct Flight {
        var number: UInt64
        var lane: Lane
        var stream: StreamName
        var epoch: UInt64
        var numbers: SequenceRanges
        var isDoubted: Bool

        var reception: StreamReception { StreamReception(stream: stream, epoch: epoch, received: numbers) }
    }

    /// One lane of one stream, as far as it was fetched.
    private struct Road {
        var span: OutboxSpan
        var hasMore: Bool
    }

    /// How many batches of a lane may be on their way.
    static let window = 4
    /// How many observations go in a batch.
    static let batchSize = 100

    /// How long the router may take to acknowledge anything of what is on its way.
    static let patience: Duration = .seconds(120)

    private let backlogRate: Double
    private var roads: [StreamName: [Lane: Road]] = [:]
    /// Streams of which the end of an older epoch has to go first.
    private var held: Set<StreamName> = []
    private var flights: [Flight] = []
    /// When something was acknowledged last, or the first of what is on its way was sent.
    private var movedAt: MonotonicTime
    private var sent: UInt64 = 0
    /// What was answered, but is not covered by any acknowledgement yet.
    private var answered: [StreamReception] = []
    private var isLoading = false
    /// What is fetched again, and goes, when nothing else is on its way any more.
    private var alone: Load?
    /// How much of the backlog may go now; less than nothing after a batch that was bigger.
    private var allowance: Double
    private var allowedAt: MonotonicTime

    /// - Parameters:
    ///   - backlogRate: How many observations of the backlog go in a second.
    ///   - now: The present.
    init(backlogRate: Int, now: MonotonicTime) {
        self.backlogRate = Double(backlogRate)
        allowance = Double(backlogRate)
        (allowedAt, movedAt) = (now, now)
    }

    /// Device and router have agreed: this is what waits.
    mutating func begin(_ outlooks: [StreamName: OutboxOutlook]) {
        for (stream, outlook) in outlooks {
            roads[stream] = [
                .backlog: Road(span: OutboxSpan(after: .start, through: outlook.end), hasMore: true),
                .live: Road(span: OutboxSpan(after: outlook.end), hasMore: true),
            ]
            if outlook.hasOlderEpochs { held.insert(stream) }
        }
    }

    /// Something was stored.
    mutating func stored() {
        for stream in roads.keys { roads[stream]?[.live]?.hasMore = true }
    }

    // MARK: Fetching

    /// What is to be fetched next; nil: nothing, for now.
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - isDraining: Whether only what is live is to go.
    /// - Returns: What is then to be told by ``loaded(_:_:boot:at:)``; until that there is nothing more.
    mutating func next(at now: MonotonicTime, isDraining: Bool = false) -> Load? {
        guard !isLoading else { return nil }
        refill(at: now)
        if let load = alone {
            guard flights.isEmpty else { return nil }
            (alone, isLoading) = (nil, true)
            return load
        }
        for lane in isDraining ? [.live] : Lane.allCases {
            // Few and important before many.
            for stream in [StreamName.events, .telemetry] where isOpen(lane, of: stream) {
                guard lane == .live || allowance > 0, let road = roads[stream]?[lane] else { continue }
                isLoading = true
                roads[stream]?[lane]?.hasMore = false
                return Load(stream: stream, lane: lane, span: road.span)
            }
        }
        return nil
    }

    /// When something of the backlog may go again; nil: that is not what it waits for.
    var deadline: MonotonicTime? {
        guard allowance <= 0, StreamName.allCases.contains(where: { isOpen(.backlog, of: $0) }) else { return nil }
        return allowedAt + .nanoseconds(Int64((1 - allowance) / backlogRate * 1e9))
    }

    /// Whether all that was stored since the beginning of the session is at the router, so far as is known.
    var isDrained: Bool {
        !isLoading && alone == nil && flights.isEmpty
            && !roads.contains { stream, lanes in !held.contains(stream) && lanes[.live]?.hasMore ?? false }
    }

    /// Whether there is something in a lane, and room for it on the way.
    private func isOpen(_ lane: Lane, of stream: StreamName) -> Bool {
        guard alone == nil, !flights.contains(where: \.isDoubted), let road = roads[stream]?[lane], road.hasMore
        else { return false }
        if lane == .live, held.contains(stream) { return false }
        return flights.count { $0.lane == lane && $0.stream == stream } < Self.window
    }

    private mutating func refill(at now: MonotonicTime) {
        allowance = min(backlogRate, allowance + (now - allowedAt).seconds * backlogRate)
        allowedAt = now
    }

    /// What was fetched.
    ///
    /// - Parameters:
    ///   - load: What was asked for.
    ///   - batch: What there was; nil: nothing more.
    ///   - boot: The device's present boot, for a batch that has no observation.
    ///   - now: The present.
    /// - Returns: What is to be sent; nil: nothing.
    mutating func loaded(
        _ load: Load, _ batch: OutboxBatch?, boot: BootID, at now: MonotonicTime
    ) -> ObservationBatch? {
        isLoading = false
        if load.lane == .backlog, batch?.isOfNewestEpoch ?? true { held.remove(load.stream) }
        guard let batch else { return nil }
        if batch.isDoubted, !flights.isEmpty {
            alone = load
            return nil
        }
        roads[load.stream]?[load.lane]?.span.start = batch.end
        roads[load.stream]?[load.lane]?.hasMore = true
        if flights.isEmpty { movedAt = now }
        sent += 1
        flights.append(
            Flight(
                number: sent, lane: load.lane, stream: load.stream, epoch: batch.epoch, numbers: batch.numbers,
                isDoubted: batch.isDoubted))
        if load.lane == .backlog { allowance -= Double(batch.observations.count + batch.gaps.count) }
        let items = batch.observations.map {
            ObservationBatch.Item(sequence: $0.position.sequence, observation: $0.observation)
        }
        return ObservationBatch(
            stream: load.stream, epoch: batch.epoch, boot: batch.observations.first?.observation.time.boot ?? boot,
            items: items, gaps: batch.gaps, number: sent, clockOffset: batch.clockOffset)
    }

    /// It could not be fetched: it is asked for again.
    mutating func failed(_ load: Load) {
        isLoading = false
        roads[load.stream]?[load.lane]?.hasMore = true
    }

    // MARK: Arriving

    /// The router has stored a batch.
    ///
    /// - Returns: The numbers that need not be kept any more: those that were sent in this session and answered. The
    ///   router has compared what they are. What else it has under numbers of ours may be something else, where an older
    ///   store was restored.
    mutating func acknowledged(_ message: Acknowledgement, at now: MonotonicTime) -> StreamReception? {
        let said = message.reception
        let index = flights.firstIndex { flight in
            // A router that does not say which batch it was answers them in their order.
            message.batch.map { $0 == flight.number } ?? flight.reception.isSameEpoch(as: said)
        }
        if let index {
            movedAt = now
            answered.add(flights.remove(at: index).reception)
        }
        guard let known = answered.firstIndex(where: { $0.isSameEpoch(as: said) }) else { return nil }
        let arrived = answered[known].received.intersection(said.received)
        guard !arrived.isEmpty else { return nil }
        let reception = StreamReception(stream: said.stream, epoch: said.epoch, received: arrived)
        answered.remove(reception)
        return reception
    }

    /// When it is too long that nothing was acknowledged; nil: nothing is on its way.
    var stallDeadline: MonotonicTime? { flights.isEmpty ? nil : movedAt + Self.patience }

    /// What is on its way, batch by batch.
    var inFlight: [StreamReception] { flights.map(\.reception) }

    /// The first number of the batch that the router answers next.
    var oldestInFlight: StreamPosition? {
        flights.first.flatMap { flight in
            flight.numbers.ranges.first.map {
                StreamPosition(stream: flight.stream, epoch: flight.epoch, sequence: $0.lowerBound)
            }
        }
    }
}
