import ArgumentParser
import Client
import DeviceModel
import Terminal
import Wire

struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show what a device and its components are and can do.")

    @Argument(help: "DEVICE or DEVICE/COMPONENT; nothing or /COMPONENT for this device.")
    var address: DeviceAddress?

    @OptionGroup var format: Format

    func run() async throws {
        let address = address?.address ?? Address()
        var connection = try await Place.of(address)
        let items = try await connection.ask(.describe(address))
        if format.json {
            format.show(items)
        } else {
            let values = CurrentValues(try await connection.ask(.read(address)))
            for case .description(let device) in items { device.lines(values).forEach(Output.line) }
        }
        await connection.close()
    }
}

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Show the newest readings, and how good they are.")

    @Argument(help: "[DEVICE/]COMPONENT[.PROPERTY]; DEVICE/ for all of a device; nothing for all of this one.")
    var address: ComponentAddress?

    @OptionGroup var format: Format

    func run() async throws {
        let address = address?.address ?? Address()
        var connection = try await Place.of(address)
        let items = try await connection.ask(.read(address))
        let described =
            format.json
            ? [] : try await connection.ask(.describe(Address(device: address.device, component: address.component)))
        await connection.close()
        if items.isEmpty, !format.json { return Output.line("nothing was read yet") }
        format.show(items)
        for case .description(let device) in described { device.limitLines.forEach(Output.line) }
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show everything as it happens, until Ctrl-C.")

    @Argument(help: "DEVICE or DEVICE/COMPONENT; nothing or /COMPONENT for this device.")
    var address: DeviceAddress?

    @OptionGroup var format: Format

    func run() async throws {
        let address = address?.address ?? Address()
        var connection = try await Place.of(address)
        try await connection.ask(.watch(address), within: nil) { items in
            for item in items { Output.line(format.json ? item.json.text : item.line) }
        }
        await connection.close()
    }
}

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "Show readings of the past.")

    @Argument(help: "[DEVICE/]COMPONENT[.PROPERTY]")
    var address: ComponentAddress

    @Option(help: "How far back, such as 1h or 7d. (default: everything)")
    var since: TimeSpan?

    @Option(help: "At most so many, the newest of them.")
    var limit: Int?

    @Flag(help: "Comma-separated values with a header, times in UTC.")
    var csv = false

    @OptionGroup var format: Format

    func validate() throws {
        if csv, format.json { throw ValidationError("--csv and --json don't go together") }
        if let limit, limit < 0 { throw ValidationError("--limit can't be negative") }
    }

    func run() async throws {
        let since = try since.map { try SystemTime().wall - $0.duration }
        var connection = try await Place.of(address.address)
        if csv { Output.line(CSV.header) }
        var count = 0
        let query = HistoryQuery(address.address, since: since, limit: limit)
        try await connection.ask(.history(query)) { items in
            count += items.count
            for item in items { Output.line(csv ? CSV.line(item) : format.json ? item.json.text : item.line) }
        }
        await connection.close()
        if count == 0, !csv, !format.json { Output.line("nothing is stored for that time") }
    }
}
