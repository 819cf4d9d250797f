import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct EnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Trust a device again whose commands are withheld.",
        discussion: """
            Commands are withheld when another machine seems to have the device's key. If you know why (you moved its disk \
            to another machine, or restored a backup), trust it again. If you don't, `m2m revoke DEVICE` and enrol it \
            anew. The security code is wanted, unless it was given within the last five minutes.
            """)

    @Argument(help: "The device's name.")
    var device: DeviceName

    @OptionGroup var format: Format

    func run() async throws {
        var connection = try await Place.router()
        let items = try await connection.ask(.enable(device.id), code: Place.code)
        await connection.close()
        guard !format.json else { return format.show(items) }
        Output.line("\(device.id) is trusted")
        for case .device(let summary) in items where summary.disabledBecause != nil {
            Output.line("it stays disabled by its files, which `m2m integrity \(device.id) enable` ends")
        }
    }
}
