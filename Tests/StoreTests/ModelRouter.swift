import DeviceManager
import DeviceModel

@testable import Store

/// A router as a model: it keeps what it gets, each number once, and says what it has.
struct ModelRouter {
    /// One epoch of a stream.
    struct Epoch {
        let stream: StreamName
        let number: UInt64
        var observations: [UInt64: Observation] = [:]
        /// For each number that is missing the gap that has named it.
        var gaps: [UInt64: Gap] = [:]

        /// What it has, or knows to be missing.
        var received: SequenceRanges {
            SequenceRanges((Array(observations.keys) + gaps.keys).map { $0...$0 })
        }

        /// The lowest number of a batch that stands for something else here; nil: there is none.
        func clash(with batch: OutboxBatch) -> UInt64? {
            let changed = batch.observations.filter { record in
                let number = record.position.sequence
                if let known = observations[number] { return known != record.observation }
                return gaps[number].map { !$0.isOfObservations } ?? false
            }
            let misnamed = batch.gaps.filter { gap in
                guard !gap.isOfObservations else { return false }
                return gap.numbers.contains { number in
                    observations[number] != nil || gap.count == nil && gaps[number].map { $0 != gap } ?? false
                }
            }
            return (changed.map(\.position.sequence) + misnamed.map(\.first)).min()
        }
    }

    /// A number came again with another content.
    struct Conflict: Error {
        let position: StreamPosition
    }

    /// In the order in which they were heard of.
    private(set) var epochs: [Epoch] = []

    /// What it says at the beginning of a session.
    var receptions: [StreamReception] {
        epochs.map { StreamReception(stream: $0.stream, epoch: $0.number, received: $0.received) }
    }

    /// All observations of a stream, with where they are.
    func observations(of stream: StreamName = .telemetry) -> [(position: StreamPosition, observation: Observation)] {
        epochs.filter { $0.stream == stream }.flatMap { epoch in
            epoch.observations.sorted { $0.key < $1.key }.map { sequence, observation in
                (StreamPosition(stream: stream, epoch: epoch.number, sequence: sequence), observation)
            }
        }
    }

    /// What was read, in the order in which it is there.
    func values(of stream: StreamName = .telemetry) -> [Double?] { observations(of: stream).map(\.observation.number) }

    /// The gaps of a stream, as far as their numbers are missing.
    func gaps(of stream: StreamName = .telemetry) -> Set<Gap> {
        Set(epochs.filter { $0.stream == stream }.flatMap(\.gaps.values))
    }

    /// Whether a number is there, or known to be missing.
    func knows(_ position: StreamPosition) -> Bool {
        epochs.contains {
            $0.stream == position.stream && $0.number == position.epoch
                && ($0.observations[position.sequence] != nil || $0.gaps[position.sequence] != nil)
        }
    }

    /// What there is under a number.
    func observation(_ position: StreamPosition) -> Observation? {
        epochs.first { $0.stream == position.stream && $0.number == position.epoch }?.observations[position.sequence]
    }

    /// Takes a batch wholly, or not at all.
    ///
    /// - Returns: Everything up to a number, and the ranges beyond it that the batch touches.
    mutating func take(_ batch: OutboxBatch) throws(Conflict) -> StreamReception {
        let index = epochs.firstIndex { $0.stream == batch.stream && $0.number == batch.epoch }
        var epoch = index.map { epochs[$0] } ?? Epoch(stream: batch.stream, number: batch.epoch)
        if let clash = epoch.clash(with: batch) {
            throw Conflict(position: StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: clash))
        }
        for record in batch.observations {
            let number = record.position.sequence
            epoch.observations[number] = record.observation
            epoch.gaps[number] = nil
        }
        for gap in batch.gaps {
            for number in gap.numbers where epoch.observations[number] == nil && epoch.gaps[number] == nil {
                epoch.gaps[number] = gap
            }
        }
        if let index { epochs[index] = epoch } else { epochs.append(epoch) }
        var told = epoch.received.touching(batch.numbers)
        if epoch.received.through > 0 { told.insert(1...epoch.received.through) }
        return StreamReception(stream: batch.stream, epoch: batch.epoch, received: told)
    }
}

/// A session between a store and a router, as the device has it: what is new goes before what has waited, except where
/// that is of an older epoch.
struct ModelSession {
    /// How many observations go in a batch.
    var batchSize = 100
    /// After so many batches the connection is cut; nil: never.
    var cutAfter: Int?
    /// Whether the acknowledgements of the last batches before the cut are lost.
    var losesAcknowledgements = false
    /// What happens between two batches.
    var meanwhile: (ModelRouter) async throws -> Void = { _ in }

    /// Lives through it.
    ///
    /// - Returns: Whether all that waited is at the router.
    func run(_ store: Store, _ router: inout ModelRouter) async throws -> Bool {
        var sent: [StreamPosition: SequenceRanges] = [:]
        var acknowledged: [StreamReception] = []
        var clash: StreamPosition?
        var count = 0
        var lanes = try await store.agree(with: router.receptions).sorted { $0.key.rawValue < $1.key.rawValue }
            .map { Lanes($0.key, $0.value) }
        sending: while let index = lanes.firstIndex(where: { !$0.isEmpty }) {
            guard let batch = try await lanes[index].next(store, limit: batchSize) else { continue }
            if count == cutAfter {
                if losesAcknowledgements { acknowledged.removeAll() }
                break
            }
            count += 1
            do {
                let key = StreamPosition(stream: batch.stream, epoch: batch.epoch, sequence: 0)
                sent[key, default: SequenceRanges()].formUnion(batch.numbers)
                var reception = try router.take(batch)
                // What else the router has under numbers of ours may be from another life of the store.
                reception.received = reception.received.intersection(sent[key] ?? SequenceRanges())
                acknowledged.append(reception)
            } catch {
                clash = error.position
                break sending
            }
            try await meanwhile(router)
            for index in lanes.indices { lanes[index].live.hasMore = true }
        }
        for reception in acknowledged { try await store.acknowledge(reception) }
        if let clash { try await store.renumber(from: clash) }
        return clash == nil && lanes.allSatisfy(\.isEmpty)
    }

    /// The two ends of a stream.
    private struct Lanes {
        struct Lane {
            var span: OutboxSpan
            var hasMore = true
        }

        let stream: StreamName
        var live: Lane
        var backlog: Lane
        /// Whether what is live waits for the end of an older epoch.
        var isHeld: Bool

        init(_ stream: StreamName, _ outlook: OutboxOutlook) {
            self.stream = stream
            live = Lane(span: OutboxSpan(after: outlook.end))
            backlog = Lane(span: OutboxSpan(after: .start, through: outlook.end))
            isHeld = outlook.hasOlderEpochs
        }

        var isEmpty: Bool { !live.hasMore && !backlog.hasMore }

        mutating func next(_ store: Store, limit: Int) async throws -> OutboxBatch? {
            if !isHeld, live.hasMore {
                if let batch = try await store.batch(of: stream, in: live.span, limit: limit) {
                    live.span.start = batch.end
                    return batch
                }
                live.hasMore = false
            }
            guard backlog.hasMore else { return nil }
            let batch = try await store.batch(of: stream, in: backlog.span, limit: limit)
            if batch?.isOfNewestEpoch ?? true { isHeld = false }
            backlog.hasMore = batch != nil
            backlog.span.start = batch?.end ?? backlog.span.start
            return batch
        }
    }
}
