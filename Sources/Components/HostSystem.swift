public import ConfigurationSchema
public import DeviceModel
public import HAL

/// The machine itself: how warm, how busy and how full it is, and whether its supply is good.
public struct HostSystem: Component {
    /// The name of the model.
    public static let model = "system"
    /// One sentence about the model.
    public static let summary = "The machine itself: temperature, load, memory, disk, supply"

    /// The keys of its table.
    public static let keys: [any ConfigurationKey] = [interval]

    static let interval = Key.optional(
        "interval", .duration(.seconds(1)...(.seconds(86_400))), default: .seconds(60), shown: "\"60s\"",
        "From one look to the next.")

    let id: ComponentID
    let interval: Duration

    /// The machine as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        interval = configuration[Self.interval]
    }

    /// What it is.
    ///
    /// What a machine does not tell is described, but never reported.
    public var description: ComponentDescription {
        let stale = interval * 3
        return ComponentDescription(
            id: id, model: Self.model,
            properties: [
                PropertyDescription(
                    "processor_temperature", "Temperature of the processor", type: .number, quantity: .temperature,
                    range: 173.15...473.15, staleAfter: stale),
                PropertyDescription(
                    "load", "Share of the processors in use, averaged over a minute; more than 100 %: work waits",
                    type: .number, quantity: .ratio, range: 0...10_000, staleAfter: stale),
                PropertyDescription(
                    "memory_used", "Share of the memory in use", type: .number, quantity: .ratio, range: 0...1,
                    staleAfter: stale),
                PropertyDescription(
                    "disk_used", "Share of the disk in use", type: .number, quantity: .ratio, range: 0...1,
                    staleAfter: stale),
                PropertyDescription(
                    "under_voltage", "Whether the supply is too weak", type: .boolean, staleAfter: stale),
                PropertyDescription(
                    "throttled", "Whether the processor is slowed down", type: .boolean, staleAfter: stale),
            ])
    }

    /// Looks again and again.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        try await port.repeatedly(every: interval) {
            let readings = board.host.read()
            let values: [(String, Value?)] = [
                ("processor_temperature", readings.processorTemperature.map(Value.number)),
                ("load", readings.load.map(Value.number)),
                ("memory_used", readings.memoryUsed.map(Value.number)),
                ("disk_used", readings.diskUsed.map(Value.number)),
                ("under_voltage", readings.isUnderVoltage.map(Value.boolean)),
                ("throttled", readings.isThrottled.map(Value.boolean)),
            ]
            for (property, value) in values {
                if let value { port.report(property, value) }
            }
        }
    }
}
