import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List your devices, and whether they are connected.")

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        let items = try await connection.ask(.devices)
        await connection.close()
        if items.isEmpty, !format.json {
            return Output.line("no devices yet; `m2m claim NAME` makes a code for one")
        }
        format.show(items)
    }
}

struct ClaimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claim", abstract: "Make a code with which a new device can join your space.")

    @Argument(help: "The device's name, as its agent.toml has it.")
    var device: DeviceName

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        let items = try await connection.ask(.claim(device.id), code: Place.code)
        await connection.close()
        format.show(items)
    }
}

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Let a device in that waits, once you have compared its fingerprint.")

    @Argument(help: "The device's name.")
    var device: DeviceName

    @Option(help: "The fingerprint that the device shows; without it you are asked.")
    var fingerprint: String?

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        var compared = fingerprint ?? ""
        if fingerprint == nil { compared = try await compare(&connection) }
        let items = try await connection.ask(.accept(device.id, fingerprint: compared), code: Place.code)
        await connection.close()
        if format.json { format.show(items) } else { Output.line("\(device.id) is yours; it connects by itself") }
    }

    private func compare(_ connection: inout ClientConnection) async throws -> String {
        for case .pending(let pending) in try await connection.ask(.accept(device.id, fingerprint: nil)) {
            Output.error("\(device.id) waits since \(LocalTime.text(pending.since)), with the fingerprint")
            Output.error("    \(pending.fingerprint)")
            let answer = SecretReader.answer("Does the device itself show the same? [y/N]").lowercased()
            if answer == "y" || answer == "yes" { return pending.fingerprint }
        }
        Output.error("nobody was let in")
        throw ProgramExit(.failed)
    }
}
