import DeviceModel

/// The newest reading of every property.
///
/// A plain value.
struct CurrentReadings: Sendable {
    /// One property's newest reading.
    struct Entry: Sendable {
        var reading: Reading
        var time: Timestamp
        var position: StreamPosition?
    }

    private var entries: [ComponentID: [String: Entry]] = [:]

    /// A reading was made.
    ///
    /// A failed one keeps the last value that there was, so that people see how old it is.
    mutating func update(_ reading: Reading, at time: Timestamp) {
        var reading = reading
        let last = entries[reading.component]?[reading.property]
        if reading.value == nil { reading.value = last?.reading.value }
        entries[reading.component, default: [:]][reading.property] =
            Entry(reading: reading, time: time, position: nil)
    }

    /// A reading was stored under a number; by then a newer one may have been made, which has none yet.
    mutating func number(_ reading: Reading, at time: Timestamp, _ position: StreamPosition) {
        guard entries[reading.component]?[reading.property]?.time.monotonic == time.monotonic else { return }
        entries[reading.component]?[reading.property]?.position = position
    }

    /// A component is gone, or another one.
    mutating func forget(_ component: ComponentID) {
        entries[component] = nil
    }

    /// The newest reading of a property.
    func reading(_ component: ComponentID, _ property: String) -> Reading? {
        entries[component]?[property]?.reading
    }

    /// The newest readings, in the order of the description.
    ///
    /// - Parameters:
    ///   - device: The device, with its components.
    ///   - address: What is meant; nothing: all of it.
    ///   - now: The present, to tell what is stale.
    /// - Returns: The readings that there are; nothing for properties that were never read.
    func report(_ device: DeviceDescription, _ address: Address, at now: MonotonicTime) -> [ReportedObservation] {
        let components = device.components.filter { address.component == nil || $0.id == address.component }
        return components.flatMap { component in
            component.properties.compactMap { property -> ReportedObservation? in
                guard address.property == nil || property.name == address.property,
                    let entry = entries[component.id]?[property.name]
                else { return nil }
                var reading = entry.reading
                if let limit = property.staleAfter, reading.quality == .good, now - entry.time.monotonic > limit {
                    (reading.quality, reading.reason) = (
                        .stale, "not measured for \((now - entry.time.monotonic).rounded.text)"
                    )
                }
                return ReportedObservation(
                    device: device.id, time: entry.time.wall, content: .reading(reading), quantity: property.quantity,
                    position: entry.position, isDated: entry.time.isSynchronised)
            }
        }
    }
}

extension Duration {
    /// In whole seconds.
    fileprivate var rounded: Duration { .seconds(components.seconds) }
}
