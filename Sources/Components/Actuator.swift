public import DeviceModel
public import HAL

/// A component that moves something by one output line.
///
/// It says what its actions mean for the line, and under which rules. Whether and when the line is driven is decided
/// below it, for all outputs together: see the device manager's `Outputs`.
public protocol Actuator: Component {
    /// The output and its rules.
    var output: OutputPlan { get }

    /// What a command wants of the output.
    ///
    /// - Parameter command: A command that was checked against the description.
    /// - Returns: The wish.
    func wish(for command: Command) -> OutputWish
}

/// What a command wants of an output.
public enum OutputWish: Hashable, Sendable {
    /// That it is on or off.
    case set(LineValue)
    /// That it becomes what it is not.
    case toggle
    /// That it leaves safe for so long.
    case pulse(Duration)
}

extension Actuator {
    /// Does nothing beside the output.
    ///
    /// A model that measures, too, does that here.
    public func run(on board: any Board, _ port: ComponentPort) async throws {
        try await port.untilStopped()
    }

    /// What can be read of every output.
    public static func outputProperties(_ title: String) -> [PropertyDescription] {
        [
            PropertyDescription("on", title, type: .boolean),
            PropertyDescription("wanted", "Whether it is to be on", type: .boolean),
            PropertyDescription("holder", "Who holds it; empty: nobody", type: .text),
            PropertyDescription("until", "When it will be safe again by command; empty: that is open", type: .text),
            PropertyDescription("reason", "Why it is as it is", type: .text),
            PropertyDescription("switches", "How often it was switched", type: .integer),
            PropertyDescription("refusals", "How many commands were refused", type: .integer),
            PropertyDescription("lease_ends", "How many leases and pulses came to their end", type: .integer),
            PropertyDescription(
                "keeper_interventions", "How often the keeper made it safe on its own", type: .integer),
        ]
    }
}
