public import DeviceModel

/// Device to router, at the beginning of every session: what the device is and can do.
public struct DescriptionMessage: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.observations, "description")

    /// What the device is.
    public var description: DeviceDescription

    /// What a device is.
    public init(_ description: DeviceDescription) {
        self.description = description
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        description.encode(into: &writer)
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        description = try DeviceDescription(from: &reader)
    }
}

extension DeviceDescription {
    /// Writes the description as a map.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("device", id.rawValue)
            map.field("label", label)
            map.field("software", software)
            map.field("components", components) { $1.encode(into: &$0) }
        }
    }

    /// Reads a description from a map.
    ///
    /// - Throws: ``WireError``.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var id: DeviceID?
        var label: String?
        var software = ""
        var components: [ComponentDescription] = []
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "device": id = try reader.readDeviceID()
            case "label": label = try reader.readString()
            case "software": software = try reader.readString()
            case "components":
                components = try reader.readArray { (reader) throws(WireError) in
                    try ComponentDescription(from: &reader)
                }
            default: try reader.skip()
            }
        }
        self.init(id: try reader.require(id, "device"), label: label, software: software, components: components)
    }
}

extension ComponentDescription {
    fileprivate func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("component", id.rawValue)
            map.field("model", model)
            map.field("label", label)
            map.field("properties", properties) { $1.encode(into: &$0) }
            map.field("actions", actions) { $1.encode(into: &$0) }
            map.field("events", events) { writer, event in
                writer.writeMap { map in
                    map.field("name", event.name)
                    map.field("title", event.title)
                }
            }
            if !limits.isEmpty { map.field("limits", limits) { $0.write($1) } }
        }
    }

    fileprivate init(from reader: inout MessagePackReader) throws(WireError) {
        var id: ComponentID?
        var model: String?
        var label: String?
        var properties: [PropertyDescription?] = []
        var actions: [ActionDescription] = []
        var events: [EventDescription] = []
        var limits: [String] = []
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "component": id = try reader.readComponentID()
            case "model": model = try reader.readString()
            case "label": label = try reader.readString()
            case "properties":
                properties = try reader.readArray { (reader) throws(WireError) in
                    PropertyDescription(try MemberFields(from: &reader))
                }
            case "actions":
                actions = try reader.readArray { (reader) throws(WireError) in
                    ActionDescription(try MemberFields(from: &reader))
                }
            case "events":
                events = try reader.readArray { (reader) throws(WireError) in
                    let fields = try MemberFields(from: &reader)
                    return EventDescription(fields.name, fields.title)
                }
            case "limits":
                limits = try reader.readArray { (reader) throws(WireError) in try reader.readString() }
            default: try reader.skip()
            }
        }
        self.init(
            id: try reader.require(id, "component"), model: try reader.require(model, "model"), label: label,
            properties: properties.compactMap(\.self), actions: actions, events: events, limits: limits)
    }
}

extension PropertyDescription {
    fileprivate func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("name", name)
            map.field("title", title)
            map.field("type", type.rawValue)
            map.field("quantity", quantity?.rawValue)
            map.field("minimum", minimum)
            map.field("maximum", maximum)
            map.field("stale_after_ms", staleAfter?.milliseconds)
        }
    }

    fileprivate init?(_ fields: MemberFields) {
        guard let type = fields.type else { return nil }  // a type that only a later version knows
        self.init(fields.name, fields.title, type: type, quantity: fields.quantity, staleAfter: fields.staleAfter)
        (minimum, maximum) = (fields.minimum, fields.maximum)
    }
}

extension ActionDescription {
    fileprivate func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("name", name)
            map.field("title", title)
            map.field("parameters", parameters) { writer, parameter in
                writer.writeMap { map in
                    map.field("name", parameter.name)
                    map.field("title", parameter.title)
                    map.field("type", parameter.type.rawValue)
                    map.field("quantity", parameter.quantity?.rawValue)
                    map.field("minimum", parameter.minimum)
                    map.field("maximum", parameter.maximum)
                    map.field("required", parameter.isRequired)
                }
            }
        }
    }

    fileprivate init(_ fields: MemberFields) {
        let parameters = fields.parameters.compactMap { fields -> ParameterDescription? in
            guard let type = fields.type else { return nil }
            var parameter = ParameterDescription(
                fields.name, fields.title, type: type, quantity: fields.quantity, isRequired: fields.isRequired)
            (parameter.minimum, parameter.maximum) = (fields.minimum, fields.maximum)
            return parameter
        }
        self.init(fields.name, fields.title, parameters: parameters)
    }
}

/// The fields that properties, actions, parameters and events are described with.
private struct MemberFields {
    var name = ""
    var title = ""
    var type: ValueType?
    var quantity: Quantity?
    var minimum: Double?
    var maximum: Double?
    var staleAfter: Duration?
    var isRequired = true
    var parameters: [MemberFields] = []

    init(from reader: inout MessagePackReader) throws(WireError) {
        var name: String?
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "name": name = try reader.readString()
            case "title": title = try reader.readString()
            case "type": type = ValueType(rawValue: try reader.readString())
            case "quantity": quantity = Quantity(rawValue: try reader.readString())
            case "minimum": minimum = try reader.readDouble()
            case "maximum": maximum = try reader.readDouble()
            case "stale_after_ms":
                staleAfter = .milliseconds(max(0, min(try reader.readInt64(), 1_000_000_000_000)))
            case "required": isRequired = try reader.readBool()
            case "parameters":
                parameters = try reader.readArray { (reader) throws(WireError) in try MemberFields(from: &reader) }
            default: try reader.skip()
            }
        }
        self.name = try reader.require(name, "name")
    }
}
