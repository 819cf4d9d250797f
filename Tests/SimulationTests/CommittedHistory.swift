import DeviceModel
import Wire

/// What a simulated device has observed, committed and sent: what is true, whatever its disk says later.
final class CommittedHistory {
    /// One observation, by the number that it carries inside.
    struct Fact {
        /// When it was made, by a clock that is right.
        var madeAt: WallTime
        var boot: BootID
        /// Under which number it was committed or sent last; nil: it was not committed.
        var position: StreamPosition?
        var content: Observation.Content?
        /// When it was committed, in the order of all that happened.
        var commit: Int?
        /// Whether the clock was right by the time when it was committed or later in the same boot.
        var isSynchronised = false
    }

    private(set) var facts: [UInt64: Fact] = [:]
    /// When images of the device's disk were put back: what was committed in between is gone.
    private(set) var restores: [(from: Int, to: Int)] = []
    /// Whether an image of the router's disk was put back.
    var routerWasRestored = false
    private(set) var step = 0

    /// Something was observed.
    func made(_ serial: UInt64, at wall: WallTime, boot: BootID) {
        facts[serial] = Fact(madeAt: wall, boot: boot)
    }

    /// Something was reported as committed.
    func committed(_ record: RecordedObservation) {
        step += 1
        guard let serial = record.observation.content.serial else { return }
        facts[serial]?.position = record.position
        facts[serial]?.content = record.observation.content
        facts[serial]?.commit = step
    }

    /// Something was sent: by now it may have another number.
    func sent(_ batch: ObservationBatch) {
        for item in batch.items {
            guard let serial = item.observation.content.serial else { continue }
            facts[serial]?.position = StreamPosition(
                stream: batch.stream, epoch: batch.epoch, sequence: item.sequence)
        }
    }

    /// An image of the device's disk that was made at a step was put back.
    func restored(to image: Int) {
        restores.append((from: image, to: step))
    }

    /// Whether something was committed after an image was made that was put back later.
    func wasForgotten(_ fact: Fact) -> Bool {
        guard let commit = fact.commit else { return false }
        return restores.contains { $0.from < commit && commit <= $0.to }
    }
}

extension Observation.Content {
    /// The number that an observation of the simulation carries inside, unique for ever.
    var serial: UInt64? {
        switch self {
        case .reading(let reading):
            if case .integer(let number)? = reading.value { UInt64(number) } else { nil }
        case .event(let event): event.name.split(separator: "-").last.flatMap { UInt64($0) }
        case .result: nil
        }
    }
}
