import DeviceModel
import Glibc
import Logging

/// The device-side agent.
///
/// Its few commands are parsed by hand: this program links no Foundation.
@main
struct M2MAgent {
    static let software = "m2m-agent \(Version.current)"

    static func main() async {
        signal(SIGPIPE, SIG_IGN)  // a connection that goes away is an error of that connection
        let status: ExitStatus
        do {
            status = try await run(Arguments(CommandLine.arguments.dropFirst()))
        } catch let error as UsageError {
            printError("m2m-agent: \(error.words)\n\(Arguments.usage)")
            status = .usage
        } catch {
            printError("m2m-agent: \(error.explanation)")
            status = (error as? any ExplainedError)?.code.exitStatus ?? .failed
        }
        exit(status.rawValue)
    }

    private static func run(_ arguments: Arguments) async throws -> ExitStatus {
        switch arguments.command {
        case .run: return try await RunCommand(configurationFile: arguments.configuration).run()
        case .check(let probe, let json):
            return await CheckCommand(configurationFile: arguments.configuration, probe: probe, json: json).run()
        case .enroll(let claim, let account):
            return try await EnrollCommand(
                configurationFile: arguments.configuration, claim: claim, account: account
            ).run()
        case .rotate: return try await RotateCommand(configurationFile: arguments.configuration).run()
        case .configText: return try ConfigTextCommand(configurationFile: arguments.configuration).run()
        case .doctor(let json):
            return try await DoctorCommand(configurationFile: arguments.namedConfiguration, json: json).run()
        case .version: print(software)
        case .help: print(Arguments.usage)
        }
        return .done
    }
}

/// Prints a line on standard error.
func printError(_ text: String) {
    var line = "\(text)\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
