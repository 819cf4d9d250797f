import Components
import DeviceManager
import DeviceModel
import HAL

/// `m2m-agent config-txt`: the lines of a Raspberry Pi's `config.txt` that make the outputs safe before any program runs
/// (Raspberry Pi documentation, "GPIO control (gpio)": the firmware sets them, some seconds before the kernel starts).
struct ConfigTextCommand {
    let configurationFile: String

    func run() throws -> ExitStatus {
        let plans = try LoadedConfiguration.load(configurationFile).agent.components
        let outputs = plans.compactMap { plan in plan.output.map { (plan.id, $0) } }
        print("# Outputs of \(configurationFile), safe from the firmware on; for /boot/firmware/config.txt")
        for (id, output) in outputs { print(Self.lines(id, output)) }
        if outputs.isEmpty { print("# none of its components is an output") }
        return .done
    }

    /// What the firmware has to be told of an output.
    static func lines(_ id: ComponentID, _ output: OutputPlan) -> String {
        let safe = output.rules.safe
        guard let number = output.line.gpio else {
            return "# \(id) is on \(output.line), which the firmware does not reach: wire a resistor there"
        }
        let isHigh = (safe == .active) != output.isActiveLow
        let pull =
            switch output.bias {
            case .pullUp: ",pu"
            case .pullDown: ",pd"
            case .disabled: ",pn"
            case .asIs: ""
            }
        return "# \(id): safe is \(safe.onOff), which is \(isHigh ? "high" : "low")\n"
            + "gpio=\(number)=op,\(isHigh ? "dh" : "dl")\(pull)"
    }
}
