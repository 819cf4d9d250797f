import DeviceManager
import DeviceModel
import HALTestKit
import TestSupport

/// Things to store.
enum Sample {
    static let climate: ComponentID = "climate"
    static let heater: ComponentID = "heater"

    static func reading(
        _ value: Double, of property: String = "temperature", quality: Quality = .good, at time: any TimeSource
    ) -> Observation {
        let reading = Reading(component: climate, property: property, value: .number(value), quality: quality)
        return Observation(time: time.timestamp, content: .reading(reading))
    }

    static func readings(_ values: ClosedRange<Int>, at time: any TimeSource) -> [Observation] {
        values.map { reading(Double($0), at: time) }
    }

    static func event(_ name: String, at time: any TimeSource) -> Observation {
        Observation(time: time.timestamp, content: .event(Event(component: climate, name: name)))
    }

    static func command(_ id: String) -> Command {
        Command(
            id: CommandID(stringLiteral: id), component: heater, action: "on",
            deadline: MonotonicTime(nanoseconds: .max),
            origin: .router(account: "anna"))
    }

    static func result(_ id: String, _ status: CommandStatus, at time: any TimeSource) -> Observation {
        Observation(time: time.timestamp, content: .result(CommandResult(of: command(id), status)))
    }

    static func loss(
        _ count: Int, of stream: StreamName = .telemetry, _ reason: GapReason = .diskTooSlow,
        from since: WallTime = WallTime(nanoseconds: 5), to until: WallTime = WallTime(nanoseconds: 9)
    ) -> Loss {
        Loss(stream: stream, reason: reason, count: count, since: since, until: until)
    }
}

extension Observation {
    /// The number that was read, where that is what was observed.
    var number: Double? {
        guard case .reading(let reading) = content, case .number(let number)? = reading.value else { return nil }
        return number
    }
}

extension StreamReception {
    /// What a router says that has these numbers.
    init(_ stream: StreamName, _ epoch: UInt64, _ ranges: ClosedRange<UInt64>...) {
        self.init(stream: stream, epoch: epoch, received: SequenceRanges(ranges))
    }
}
