public import ConfigurationSchema
public import DeviceModel
public import HAL
import Logging

/// A relay, a valve, a lamp: something that is on or off, on a line.
public struct Relay: Component {
    /// The name of the model.
    public static let model = "relay"
    /// One sentence about the model.
    public static let summary = "A relay, a valve or a lamp: on or off"

    /// The keys of its table.
    public static let keys: [any ConfigurationKey] = [InputKeys.line, InputKeys.bias, InputKeys.activeLow, safe]

    static let safe = Key.required(
        "safe", .choice(["on": LineValue.active, "off": .inactive]),
        "What it is when the agent starts and after it stops: the value that does no harm, \"on\" or \"off\".")

    /// Its line.
    public static func resources(_ configuration: CheckedTable) -> [BoardResource] {
        InputKeys.resources(configuration)
    }

    let id: ComponentID
    let line: LineReference
    let bias: LineBias
    let isActiveLow: Bool
    let safe: LineValue

    /// A relay as it was configured.
    public init(id: ComponentID, configuration: CheckedTable) {
        self.id = id
        line = configuration[InputKeys.line]
        bias = configuration[InputKeys.bias]
        isActiveLow = configuration[InputKeys.activeLow]
        safe = configuration[Self.safe]
    }

    /// What it is and can do.
    public var description: ComponentDescription {
        let duration = ParameterDescription(
            "duration", "For how long", type: .number, quantity: .duration, range: 0.01...86_400)
        return ComponentDescription(
            id: id, model: Self.model,
            properties: [PropertyDescription("on", "Whether it is on", type: .boolean)],
            actions: [
                ActionDescription("on", "Switches it on"),
                ActionDescription("off", "Switches it off"),
                ActionDescription("toggle", "Switches it on when it is off, and off when it is on"),
                ActionDescription("pulse", "Switches it on for a time, then off", parameters: [duration]),
            ])
    }

    /// Does what it is told, and is safe again at the end.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        // The request itself carries the safe value, so that the relay does not click.
        let settings = OutputSettings(bias: bias, isActiveLow: isActiveLow, initial: .value(safe))
        let output = try board.requestOutput(line, settings, consumer: "m2m \(id)")
        defer { release(output, port) }
        var state = RelayState(isOn: safe == .active)
        port.report("on", .boolean(state.isOn))
        while true {
            switch await port.next(until: state.deadline) {
            case .element(let order):
                do throws(HALError) {
                    try apply(state.after(order.command, at: port.time.now), to: &state, output, port)
                    order.answer(.done)
                } catch {
                    order.answer(.failed, error.description)
                    throw error
                }
            case .deadline: try apply(state.after(tick: port.time.now), to: &state, output, port)
            case .finished: return
            }
        }
    }

    private func apply(
        _ new: RelayState, to state: inout RelayState, _ output: any OutputLine, _ port: ComponentPort
    ) throws(HALError) {
        if new.isOn != state.isOn {
            try output.drive(new.isOn ? .active : .inactive)
            port.report("on", .boolean(new.isOn))
        }
        state = new
    }

    /// Makes the line safe before it is given back: what it does afterwards is up to the kernel.
    private func release(_ output: any OutputLine, _ port: ComponentPort) {
        do throws(HALError) {
            try output.drive(safe)
            port.report("on", .boolean(safe == .active))
        } catch {
            port.logger.error("output could not be made safe", metadata: ["error": "\(error)"])
        }
        output.release()
    }
}

/// What a relay is, and until when.
///
/// A plain value.
struct RelayState: Hashable {
    /// Whether it is on.
    var isOn: Bool
    /// When a pulse ends; nil: there is none.
    var deadline: MonotonicTime?

    /// The state after a command that was checked against the description.
    func after(_ command: Command, at now: MonotonicTime) -> RelayState {
        switch command.action {
        case "on": RelayState(isOn: true)
        case "off": RelayState(isOn: false)
        case "toggle": RelayState(isOn: !isOn)
        default:
            RelayState(isOn: true, deadline: now + .seconds(command.parameters["duration"]?.numeric ?? 0))
        }
    }

    /// The state after time passed.
    func after(tick now: MonotonicTime) -> RelayState {
        guard let deadline, deadline <= now else { return self }
        return RelayState(isOn: false)
    }
}
