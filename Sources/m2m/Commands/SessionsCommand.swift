import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "List where you are logged in, or end one of these sessions.")

    @Option(help: "End this session at once.")
    var end: String?

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        if let end {
            _ = try await connection.ask(.endSession(end))
            Output.line("session \(end) has ended")
        } else {
            format.show(try await connection.ask(.sessions))
        }
        await connection.close()
    }
}
