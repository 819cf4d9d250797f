public import DeviceModel

/// Router to device: a command.
///
/// Its result comes up as an observation.
public struct Call: Message {
    /// How an envelope names it.
    public static let kind = MessageKind(.commands, "call")

    /// Unique for ever.
    public var id: CommandID
    /// The component that is to do it.
    public var component: ComponentID
    /// What it is to do.
    public var action: String
    /// The parameters, in SI units.
    public var parameters: [String: Value]
    /// The point of the device's own clock from which it must not be done any more.
    public var deadline: MonotonicTime
    /// The name of the account that gives it; empty where the router does not say.
    public var by: String
    /// The claim that it makes on the output; nil: none.
    public var lease: Lease?

    /// A command.
    public init(
        id: CommandID, component: ComponentID, action: String, parameters: [String: Value] = [:],
        deadline: MonotonicTime, by: String = "", lease: Lease? = nil
    ) {
        self.id = id
        self.component = component
        self.action = action
        self.parameters = parameters
        self.deadline = deadline
        self.by = by
        self.lease = lease
    }

    /// The command that it is.
    public var command: Command {
        Command(
            id: id, component: component, action: action, parameters: parameters, deadline: deadline,
            origin: .router(account: by), lease: lease)
    }

    /// Writes the body.
    public func encode(into writer: inout MessagePackWriter) {
        writer.writeMap { map in
            map.field("id", id.rawValue)
            map.field("component", component.rawValue)
            map.field("action", action)
            map.field("parameters", parameters)
            map.field("deadline", deadline.nanoseconds)
            if !by.isEmpty { map.field("by", by) }
            map.leaseFields(lease)
        }
    }

    /// Reads the body.
    public init(from reader: inout MessagePackReader) throws(WireError) {
        var id: CommandID?
        var component: ComponentID?
        var action: String?
        var parameters: [String: Value] = [:]
        var deadline: Int64?
        var by = ""
        var lease = LeaseFields()
        try reader.readMap { (key, reader) throws(WireError) in
            switch key {
            case "id": id = try reader.readText(key) { CommandID(rawValue: $0) }
            case "component": component = try reader.readComponentID()
            case "action": action = try reader.readString()
            case "parameters": parameters = try reader.readValues()
            case "deadline": deadline = try reader.readInt64()
            case "by": by = try reader.readString()
            case _ where LeaseFields.keys.contains(key): try lease.read(key, &reader)
            default: try reader.skip()
            }
        }
        self.init(
            id: try reader.require(id, "id"), component: try reader.require(component, "component"),
            action: try reader.require(action, "action"), parameters: parameters,
            deadline: MonotonicTime(nanoseconds: try reader.require(deadline, "deadline")), by: by,
            lease: try lease.lease(reader))
    }
}
