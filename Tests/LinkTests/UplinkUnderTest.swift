import DeviceManager
import DeviceModel
import Testing
import Wire

@testable import Link

/// An uplink with a clock that a test turns and a store that a test plays; in both streams something has waited.
final class UplinkUnderTest {
    static let start = MonotonicTime(nanoseconds: 1_000_000_000)
    /// The end of what has waited.
    static let end = OutboxCursor(row: 1_000_000, gap: 1_000)

    var uplink: Uplink
    var now = start
    /// What went up, in this order.
    private(set) var sent: [ObservationBatch] = []

    init(rate: Int = 1_000_000, older: Set<StreamName> = []) {
        uplink = Uplink(backlogRate: rate, now: now)
        var outlooks: [StreamName: OutboxOutlook] = [:]
        for stream in StreamName.allCases {
            outlooks[stream] = OutboxOutlook(end: Self.end, hasOlderEpochs: older.contains(stream))
        }
        uplink.begin(outlooks)
    }

    /// What is fetched now.
    func load() -> Uplink.Load? { uplink.next(at: now) }

    /// The store gives what was asked for, or nothing.
    ///
    /// - Returns: What goes up.
    @discardableResult
    func give(_ batch: OutboxBatch?, for load: Uplink.Load) -> ObservationBatch? {
        let message = uplink.loaded(load, batch, boot: SessionUnderTest.boot, at: now)
        if let message { sent.append(message) }
        return message
    }

    /// What would be fetched next; it is not.
    func next() -> Uplink.Load? {
        var copy = uplink
        return copy.next(at: now)
    }

    /// All that is fetched where there is nothing.
    func loads(isDraining: Bool = false) -> [Uplink.Load] {
        var loads: [Uplink.Load] = []
        while let load = uplink.next(at: now, isDraining: isDraining) {
            loads.append(load)
            give(nil, for: load)
        }
        return loads
    }

    /// Gives a batch for the next load of its stream and a lane, and nothing for those that come before.
    ///
    /// - Returns: Whether it was asked for that.
    @discardableResult
    func fetch(_ batch: OutboxBatch, _ lane: Uplink.Lane = .live) -> Bool {
        while let load = load() {
            guard load.stream == batch.stream, load.lane == lane else {
                give(nil, for: load)
                continue
            }
            give(batch, for: load)
            return true
        }
        return false
    }

    /// The router has stored a batch, and has these numbers now.
    ///
    /// - Parameters:
    ///   - numbers: The numbers.
    ///   - stream: Their stream.
    ///   - epoch: Their epoch.
    ///   - batch: Which batch it was; nil: it does not say.
    /// - Returns: Those of them that need not be kept any more.
    @discardableResult
    func acknowledge(
        _ numbers: ClosedRange<UInt64>..., of stream: StreamName = .telemetry, epoch: UInt64 = 5, batch: UInt64? = nil
    ) -> StreamReception? {
        let reception = StreamReception(stream: stream, epoch: epoch, received: SequenceRanges(numbers))
        return uplink.acknowledged(Acknowledgement(reception, batch: batch), at: now)
    }
}
