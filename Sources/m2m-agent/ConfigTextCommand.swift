import DeviceManager
import DeviceModel

/// `m2m-agent config-txt`: the lines of a Raspberry Pi's `config.txt` that make the outputs safe before any program runs
/// (Raspberry Pi documentation, "GPIO control (gpio)": the firmware sets them, some seconds before the kernel starts).
struct ConfigTextCommand {
    let configurationFile: String

    func run() throws -> ExitStatus {
        let plans = try LoadedConfiguration.load(configurationFile).agent.components
        let outputs = plans.compactMap { plan in plan.output.map { (plan.id, $0) } }
        print("# Outputs of \(configurationFile), safe from the firmware on; for /boot/firmware/config.txt")
        if !outputs.isEmpty { print("[all]") }  // whatever models the lines before are for
        for (id, output) in outputs { BootValue(id, output).lines.forEach { print($0) } }
        if outputs.isEmpty { print("# none of its components is an output") }
        return .done
    }
}
