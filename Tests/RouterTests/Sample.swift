import DeviceModel
import GRDB
import TestSupport
import Testing
import Wire

@testable import Router

/// Things to put into a router.
enum Sample {
    static let climate: ComponentID = "climate"
    static let heater: ComponentID = "heater"
    static let epoch: UInt64 = 7
    /// A root over files.
    static let root = SHA256Hash { $0.pointee = 7 }
    /// What the devices' wall clocks say just before the number 1; each number comes a second after the one before.
    static let start = WallTime(nanoseconds: 1_790_000_000_000_000_000)

    /// What is kept of a secret, without the work that hashing is.
    static func secret(_ byte: UInt8) -> SecretHasher.Hash {
        SecretHasher.Hash(
            salt: [UInt8](repeating: byte, count: SecretHasher.Hash.saltSize),
            digest: [UInt8](repeating: byte, count: SecretHasher.Hash.size))
    }

    static func key(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

    static func wall(_ number: UInt64) -> WallTime { start + .seconds(Int64(number)) }

    /// By how much the wall clock is ahead of the devices' own, while it is right.
    static let offset: Duration = start - WallTime(nanoseconds: 0)

    static func item(
        _ number: UInt64, _ content: Observation.Content, wall: WallTime? = nil, isSynchronised: Bool = true,
        boot: BootID = 1
    ) -> ObservationBatch.Item {
        let monotonic = MonotonicTime(nanoseconds: Int64(number) * 1_000_000_000)
        let time = Timestamp(
            boot: boot, monotonic: monotonic, wall: wall ?? self.wall(number), isSynchronised: isSynchronised)
        return ObservationBatch.Item(sequence: number, observation: Observation(time: time, content: content))
    }

    static func reading(
        _ number: UInt64, _ value: Value? = nil, of property: String = "temperature", wall: WallTime? = nil
    ) -> ObservationBatch.Item {
        let value = value ?? .number(Double(number))
        return item(
            number, .reading(Reading(component: climate, property: property, value: value)), wall: wall)
    }

    static func readings(_ numbers: ClosedRange<UInt64>) -> [ObservationBatch.Item] { numbers.map { reading($0) } }

    /// A reading of a device that does not know what time it is: it takes it for the beginning of 1970.
    static func undatedReading(_ number: UInt64, boot: BootID = 1) -> ObservationBatch.Item {
        let reading = Reading(component: climate, property: "temperature", value: .number(Double(number)))
        let wall = WallTime(nanoseconds: Int64(number) * 1_000_000_000)
        return item(number, .reading(reading), wall: wall, isSynchronised: false, boot: boot)
    }

    static func event(_ number: UInt64, wall: WallTime? = nil) -> ObservationBatch.Item {
        item(number, .event(Event(component: climate, name: "pressed")), wall: wall)
    }

    static func result(_ number: UInt64, _ id: CommandID, _ status: CommandStatus = .done) -> ObservationBatch.Item {
        item(number, .result(CommandResult(id: id, component: heater, action: "on", status: status, reason: nil)))
    }

    static func batch(
        _ items: [ObservationBatch.Item], stream: StreamName = .telemetry, epoch: UInt64 = Self.epoch,
        gaps: [ClosedRange<UInt64>] = [], boot: BootID = 1, offset: Duration? = nil
    ) -> ObservationBatch {
        ObservationBatch(
            stream: stream, epoch: epoch, boot: boot, items: items,
            gaps: gaps.map { Gap($0, of: stream, epoch: epoch, reason: .storeFull) }, clockOffset: offset)
    }

    /// A batch of readings, with gaps that are not all alike.
    static func batch(gaps: [Gap], observed numbers: [UInt64] = []) -> ObservationBatch {
        var batch = batch(numbers.map { reading($0) })
        batch.gaps = gaps
        return batch
    }

    /// A gap of which nobody knows how much it is.
    static func unknownGap(
        _ numbers: ClosedRange<UInt64>, of stream: StreamName = .telemetry, epoch: UInt64 = Self.epoch,
        reason: GapReason = .uncleanStop, since: WallTime? = nil, until: WallTime? = nil
    ) -> Gap {
        Gap(
            stream: stream, epoch: epoch, first: numbers.lowerBound, last: numbers.upperBound, count: nil,
            reason: reason, since: since, until: until)
    }

    /// What a router has that has everything up to a number, and these ranges.
    static func reception(
        _ stream: StreamName = .telemetry, epoch: UInt64 = Self.epoch, through: UInt64,
        _ ranges: [ClosedRange<UInt64>] = []
    ) -> StreamReception {
        var received = SequenceRanges(ranges)
        received.formUnion(SequenceRanges(through: through))
        return StreamReception(stream: stream, epoch: epoch, received: received)
    }

    /// A device with a sensor and a relay.
    static func description(_ id: DeviceID, label: String? = nil) -> DeviceDescription {
        DeviceDescription(
            id: id, label: label, software: "test",
            components: [
                ComponentDescription(
                    id: climate, model: "bmp280",
                    properties: [
                        PropertyDescription("temperature", "Temperature.", type: .number, quantity: .temperature),
                        PropertyDescription("pressure", "Pressure.", type: .number, quantity: .pressure),
                    ]),
                ComponentDescription(
                    id: heater, model: "relay", properties: [PropertyDescription("on", "On.", type: .boolean)],
                    actions: [ActionDescription("on", "Switches on.")]),
            ])
    }
}

extension HistoryEntry {
    /// What was observed; nil: it is a gap.
    var record: RecordedObservation? {
        if case .observation(let record) = self { record } else { nil }
    }
}

/// The problem that something ends with.
///
/// - Returns: nil when it ends well, or with something else.
func problem(_ body: () async throws -> Void) async -> RouterProblem? {
    do {
        try await body()
        return nil
    } catch {
        return error as? RouterProblem
    }
}

/// The failure that something ends with.
///
/// - Returns: nil when it ends well, or with something else.
func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}
