import ArgumentParser
import DeviceModel

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what is wrong with this device, why, and what cures it.",
        discussion: """
            Looks at the configuration, the agent and the keeper, the board and what is connected to it, the clock, the \
            way to the router, the disk, and the watch over files. Exit status: 0 when there is nothing to mend, 5 when \
            all works and something may do harm, 1 when something does not work.
            """)

    @Option(name: .customLong("config"), help: "The agent's configuration, where it is not that of the one that runs.")
    var configuration: String?

    @OptionGroup var format: Format

    func run() throws {
        let arguments = ["doctor"] + (configuration.map { ["--config", $0] } ?? []) + (format.json ? ["--json"] : [])
        try AgentProgram.run(
            arguments,
            or: "there is no m2m-agent here that could look: a doctor examines the device on which it runs")
    }
}
