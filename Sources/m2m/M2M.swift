import ArgumentParser
import DeviceModel
import Terminal

/// The command line that a person types, on a laptop or on the device.
@main
enum M2M {
    static func main() async {
        await CommandLineProgram.main(RootCommand.self, name: "m2m")
    }
}

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "m2m",
        abstract: "See and steer devices: this one, or those of your router.",
        discussion: """
            A component is named as COMPONENT on the device itself, and as DEVICE/COMPONENT through the router.
            """,
        version: "m2m \(Version.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "The router:",
                subcommands: [
                    LoginCommand.self, LogoutCommand.self, WhoamiCommand.self, DevicesCommand.self, ClaimCommand.self,
                    AcceptCommand.self, RevokeCommand.self, EnableCommand.self, SessionsCommand.self, AuditCommand.self,
                ]),
            CommandGroup(
                name: "Devices:",
                subcommands: [
                    DescribeCommand.self, ReadCommand.self, WatchCommand.self, CallCommand.self, HistoryCommand.self,
                    IntegrityCommand.self,
                ]),
            CommandGroup(
                name: "This device:",
                subcommands: [
                    StatusCommand.self, DoctorCommand.self, DiagCommand.self, ProbeCommand.self, DriveCommand.self,
                ]),
        ])
}
