import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Let a device in no more; its history stays.",
        discussion: """
            For a device that was stolen or sold, or whose key was copied. It is cut off at once. `m2m claim DEVICE` makes \
            a code with which one of this name can be enrolled again. The security code is wanted, unless it was given \
            within the last five minutes.
            """)

    @Argument(help: "The device's name.")
    var device: DeviceName

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        let items = try await connection.ask(.revoke(device.id), code: Place.code)
        await connection.close()
        if format.json { format.show(items) } else { Output.line("\(device.id) is revoked, and cut off") }
    }
}
