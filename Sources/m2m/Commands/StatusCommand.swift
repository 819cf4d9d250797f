import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the agent on this device is doing.")

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.local()
        format.show(try await connection.ask(.status))
        await connection.close()
    }
}

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Show chips, lines and who holds them, and what answers on the buses.",
        discussion: "Asks the agent; where none runs, `m2m-agent check --probe` is run instead.")

    @OptionGroup var format: Format

    func run() async throws {
        guard var connection = try await Place.localIfThere() else {
            return try AgentProgram.run(
                ["check", "--probe"] + (format.json ? ["--json"] : []),
                or: "no agent answers at \(Place.socket), and there is no m2m-agent here that could look instead")
        }
        format.show(try await connection.ask(.probe))
        await connection.close()
    }
}

struct DriveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drive", abstract: "Drive a line from outside, like a finger: simulated board only.")

    @Argument(help: "The line, such as GPIO17 or \"pin 11\".")
    var line: String

    @Argument(help: "active or inactive, as whoever holds the line sees it.")
    var value: LineState

    enum LineState: String, ExpressibleByArgument, CaseIterable {
        case active, inactive
    }

    func run() async throws {
        var connection = try await Place.local()
        _ = try await connection.ask(.drive(line: line, isActive: value == .active))
        await connection.close()
    }
}
