import ArgumentParser
import DeviceModel
import Glibc
import Terminal

/// The router: where devices and their owners meet.
@main
enum M2MRouter {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)  // what it keeps is for its own user: readings, hashes, keys
        await CommandLineProgram.main(RootCommand.self, name: "m2m-router")
    }
}

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "m2m-router", abstract: "The router: where devices and their owners meet.",
        version: "m2m-router \(Version.current)", subcommands: [ServeCommand.self, UserCommand.self, AuditCommand.self])
}
