public import ConfigurationSchema
public import DeviceModel
public import HAL

/// A push button on a line.
public struct Button: Component {
    /// The name of the model.
    public static let model = "button"
    /// One sentence about the model.
    public static let summary = "A push button: pressed, released, clicked, double-clicked, long-pressed"

    /// The keys of its table.
    public static var keys: [any ConfigurationKey] { InputKeys.all + [longPress, doubleClick] }

    static let longPress = Key.optional(
        "long_press", .duration(.milliseconds(100)...(.seconds(60))), default: .milliseconds(800), shown: "\"800ms\"",
        "Held for so long it is a long press.")
    static let doubleClick = Key.optional(
        "double_click", .duration(.zero...(.seconds(5))), default: .milliseconds(300), shown: "\"300ms\"",
        "A second press within this time makes a double click; \"0s\": never, and clicks are told at once.")

    /// What can happen to it.
    public static let events = [
        EventDescription("pressed", "It was pressed"),
        EventDescription("released", "It was released"),
        EventDescription("clicked", "It was pressed and released, once"),
        EventDescription("double-clicked", "It was pressed and released twice in a short time"),
        EventDescription("long-pressed", "It has been held for long"),
    ]

    /// Its line.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        InputKeys.resources(configuration)
    }

    let id: ComponentID
    let line: LineReference
    let settings: InputSettings
    let longPress: Duration
    let doubleClick: Duration

    /// A button as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        line = configuration[InputKeys.line]
        settings = InputKeys.settings(configuration)
        longPress = configuration[Self.longPress]
        doubleClick = configuration[Self.doubleClick]
    }

    /// What it is.
    public var description: ComponentDescription {
        let pressed = PropertyDescription("pressed", "Whether it is pressed", type: .boolean)
        return ComponentDescription(id: id, model: Self.model, properties: [pressed], events: Self.events)
    }

    /// Reports presses.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        let input = try board.requestInput(line, settings, consumer: "m2m \(id)")
        defer { input.release() }
        let isPressed = try input.value() == .active
        port.report("pressed", .boolean(isPressed))
        var clicks = ClickDetector(longPress: longPress, doubleClick: doubleClick, isPressed: isPressed)
        while true {
            let detected: [ClickDetector.Detected]
            switch await input.edges.next(until: clicks.deadline, on: port.time) {
            case .element(let event):
                let (value, time) = try event.edge()
                detected = clicks.edge(isPressed: value == .active, at: time)
                port.report("pressed", .boolean(value == .active))
            case .deadline: detected = clicks.tick(at: port.time.now)
            case .finished: return
            }
            for click in detected { port.emit(click.event, at: click.time) }
        }
    }
}
