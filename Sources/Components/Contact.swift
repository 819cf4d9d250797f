public import ConfigurationSchema
public import DeviceModel
public import HAL

/// A contact on a line: a door, a window, a float switch.
public struct Contact: Component {
    /// The name of the model.
    public static let model = "contact"
    /// One sentence about the model.
    public static let summary = "A contact of a door, a window or a float: open or closed"

    /// The keys of its table.
    public static var keys: [any ConfigurationKey] { InputKeys.all }

    /// What can happen to it.
    public static let events = [
        EventDescription("opened", "It was opened"), EventDescription("closed", "It was closed"),
    ]

    /// Its line.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        InputKeys.resources(configuration)
    }

    let id: ComponentID
    let line: LineReference
    let settings: InputSettings

    /// A contact as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        line = configuration[InputKeys.line]
        settings = InputKeys.settings(configuration)
    }

    /// What it is.
    public var description: ComponentDescription {
        let closed = PropertyDescription("closed", "Whether it is closed", type: .boolean)
        return ComponentDescription(id: id, model: Self.model, properties: [closed], events: Self.events)
    }

    /// Reports openings and closings.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        let input = try board.requestInput(line, settings, consumer: "m2m \(id)")
        defer { input.release() }
        var isClosed = try input.value() == .active
        port.report("closed", .boolean(isClosed))
        while let event = await input.edges.next() {
            let (value, time) = try event.edge()
            guard (value == .active) != isClosed else { continue }  // an edge between was lost
            isClosed = value == .active
            port.report("closed", .boolean(isClosed))
            port.emit(isClosed ? "closed" : "opened", at: time)
        }
    }
}
