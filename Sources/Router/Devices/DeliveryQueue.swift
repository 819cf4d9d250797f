import DeviceModel
import Synchronization
import Wire

/// What a device has sent that has to be stored, so that everything else goes past it.
///
/// Else are heartbeats, and answers to renewals. Events, and with them the results of commands, go past readings.
///
/// Eighteen deliveries are stored or wait for it: four batches of what is new and of what has waited, of each stream, and
/// the description twice. Whoever brings one more waits, and reads nothing else from the network meanwhile: the device has
/// to wait, too.
final class DeliveryQueue: Sendable {
    /// Something to be stored.
    enum Delivery: Sendable {
        case batch(ObservationBatch)
        case description(DeviceDescription)

        fileprivate var isBatch: Bool {
            if case .batch = self { true } else { false }
        }

        fileprivate var isUrgent: Bool {
            if case .batch(let batch) = self { batch.stream == .events } else { true }
        }
    }

    /// What is stored in one go.
    enum Portion: Sendable {
        case batches([ObservationBatch])
        case description(DeviceDescription)

        /// How many deliveries it is.
        var count: Int {
            if case .batches(let batches) = self { batches.count } else { 1 }
        }
    }

    /// How many deliveries there may be.
    static let bound = 18
    /// How many observations and gaps are stored in one go, unless one batch alone has more: other devices wait for it.
    static let portion = 2_000

    private let waiting = Mutex((urgent: [Delivery](), others: [Delivery]()))
    /// Tells that something waits: 1, which is as good as many.
    private let arrivals = Mailbox<Void>(bound: 1, policy: .refuseNewest)
    /// One for each delivery that there is room for.
    private let places = Mailbox<Void>(bound: bound, policy: .refuseNewest)

    init() {
        for _ in 0..<Self.bound { places.send(()) }
    }

    /// Whether nothing waits.
    var isEmpty: Bool { waiting.withLock { $0.urgent.isEmpty && $0.others.isEmpty } }

    /// Brings a delivery, as soon as there is room for it; one task does so.
    func put(_ delivery: Delivery) async {
        guard case .some = await places.next() else { return }
        waiting.withLock { waiting in
            if delivery.isUrgent { waiting.urgent.append(delivery) } else { waiting.others.append(delivery) }
        }
        arrivals.send(())
    }

    /// The next deliveries, for one task; nil when nothing will come any more.
    ///
    /// Their places are kept until they are ``stored(_:)``.
    func next() async -> Portion? {
        while true {
            if let portion = take() { return portion }
            guard case .some = await arrivals.next() else { return nil }
        }
    }

    private func take() -> Portion? {
        waiting.withLock { waiting in
            waiting.urgent.isEmpty ? Self.take(from: &waiting.others) : Self.take(from: &waiting.urgent)
        }
    }

    private static func take(from deliveries: inout [Delivery]) -> Portion? {
        if case .description(let description)? = deliveries.first {
            deliveries.removeFirst()
            return .description(description)
        }
        var (batches, size): ([ObservationBatch], Int) = ([], 0)
        for case .batch(let batch) in deliveries.prefix(while: \.isBatch) {
            size += batch.items.count + batch.gaps.count
            guard batches.isEmpty || size <= portion else { break }
            batches.append(batch)
        }
        deliveries.removeFirst(batches.count)
        return batches.isEmpty ? nil : .batches(batches)
    }

    /// What was taken last is stored.
    func stored(_ portion: Portion) {
        for _ in 0..<portion.count { places.send(()) }
    }

    /// Nothing will be brought any more: what is here can still be taken.
    func finish() { arrivals.finish() }
}
