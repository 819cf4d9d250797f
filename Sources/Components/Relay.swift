public import ConfigurationSchema
public import DeviceModel
import HAL

/// A relay, a valve, a lamp: something that is on or off, on a line.
public struct Relay: Actuator {
    /// The name of the model.
    public static let model = "relay"
    /// One sentence about the model.
    public static let summary = "A relay, a valve or a lamp: on or off"

    /// The keys of its table.
    public static var keys: [any ConfigurationKey] { OutputKeys.all }

    /// Its line.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        InputKeys.resources(configuration)
    }

    /// Finds rules that contradict each other.
    public static func check(_ configuration: CheckedTable, _ findings: inout Findings) {
        OutputKeys.check(configuration, &findings)
    }

    let id: ComponentID
    /// The output and its rules.
    public let output: OutputPlan

    /// A relay as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        output = OutputKeys.plan(configuration)
    }

    /// What it is and can do.
    public var description: ComponentDescription {
        let duration = ParameterDescription(
            "duration", "For how long", type: .number, quantity: .duration, range: 0.01...86_400)
        let (away, safe) = (output.rules.safe.toggled.onOff, output.rules.safe.onOff)
        return ComponentDescription(
            id: id, model: Self.model, properties: Self.outputProperties("Whether it is on"),
            actions: [
                ActionDescription("on", "Switches it on"),
                ActionDescription("off", "Switches it off"),
                ActionDescription("toggle", "Switches it on when it is off, and off when it is on"),
                ActionDescription("pulse", "Switches it \(away) for a time, then \(safe)", parameters: [duration]),
            ])
    }

    /// What a command wants of the output.
    public func wish(for command: Command) -> OutputWish {
        switch command.action {
        case "on": .set(.active)
        case "off": .set(.inactive)
        case "toggle": .toggle
        default: .pulse(.seconds(command.parameters["duration"]?.numeric ?? 0))
        }
    }
}
