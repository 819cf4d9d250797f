import DeviceModel

extension MessagePackWriter {
    /// The fields of what was observed: `property`, `event` or `action` tells which of the three it is.
    mutating func contentFields(_ content: Observation.Content) {
        switch content {
        case .reading(let reading):
            field("component", reading.component.rawValue)
            field("property", reading.property)
            field("value", reading.value)
            field("quality", reading.quality.rawValue)
            field("reason", reading.reason)
        case .event(let event):
            field("component", event.component.rawValue)
            field("event", event.name)
            field("detail", event.detail)
        case .result(let result):
            field("component", result.component.rawValue)
            field("action", result.action)
            field("id", result.id.rawValue)
            field("status", result.status.rawValue)
            field("reason", result.reason)
            field("by", result.author)
        }
    }
}

/// The fields of what was observed, as far as they were read.
struct ContentFields {
    private var component: ComponentID?
    private var property: String?
    private var value: Value?
    private var quality: Quality?
    private var event: String?
    private var detail: String?
    private var action: String?
    private var id: CommandID?
    private var status: CommandStatus?
    private(set) var reason: String?
    private var author: String?

    mutating func read(_ name: String, _ reader: inout MessagePackReader) throws(WireError) {
        switch name {
        case "component": component = try reader.readComponentID()
        case "property": property = try reader.readString()
        case "value": value = try reader.readOptional { (reader) throws(WireError) in try reader.readValue() }
        case "quality": quality = try reader.readChoice(Quality.self, name)
        case "event": event = try reader.readString()
        case "detail": detail = try reader.readString()
        case "action": action = try reader.readString()
        case "id": id = try reader.readText(name) { CommandID(rawValue: $0) }
        case "status": status = try reader.readChoice(CommandStatus.self, name)
        case "reason": reason = try reader.readString()
        case "by": author = try reader.readString()
        default: try reader.skip()
        }
    }

    /// What was observed.
    func content(_ reader: MessagePackReader) throws(WireError) -> Observation.Content {
        let component = try reader.require(component, "component")
        guard [property, event, action].count(where: { $0 != nil }) == 1 else {
            throw WireError(
                .invalidValue, at: reader.offset, "an item has 'property', 'event' or 'action', and one of them")
        }
        if let property {
            let quality = quality ?? .good
            guard value != nil || quality != .good else { throw WireError(.missingField, at: reader.offset, "value") }
            // A number that is none could be neither stored nor compared.
            guard value?.numeric?.isFinite ?? true else { throw WireError(.invalidValue, at: reader.offset, "value") }
            return .reading(
                Reading(component: component, property: property, value: value, quality: quality, reason: reason))
        }
        if let event { return .event(Event(component: component, name: event, detail: detail)) }
        return .result(
            CommandResult(
                id: try reader.require(id, "id"), component: component, action: try reader.require(action, "action"),
                status: try reader.require(status, "status"), reason: reason, author: author))
    }
}
