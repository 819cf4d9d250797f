import ArgumentParser
import DeviceModel
import Terminal
import Wire

/// `[DEVICE/]COMPONENT[.PROPERTY]`.
struct ComponentAddress: ExpressibleByArgument {
    let address: Address

    init?(argument: String) {
        guard let address = Address(argument) else { return nil }
        self.address = address
    }
}

/// `DEVICE[/COMPONENT]`, or `/COMPONENT` for this device.
struct DeviceAddress: ExpressibleByArgument {
    let address: Address

    init?(argument: String) {
        guard let address = Address.ofDevice(argument) else { return nil }
        self.address = address
    }
}

/// A length of time, such as `30s` or `1h`.
struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = Duration(text: argument), duration >= .zero else { return nil }
        self.duration = duration
    }
}

/// The name of a device.
struct DeviceName: ExpressibleByArgument {
    let id: DeviceID

    init?(argument: String) {
        guard let id = DeviceID(rawValue: argument) else { return nil }
        self.id = id
    }
}

/// How answers are shown.
struct Format: ParsableArguments {
    @Flag(help: "One JSON object a line, times in UTC.")
    var json = false

    func show(_ items: [Item]) {
        if json { items.forEach { Output.line($0.json.text) } } else { Tables.lines(items).forEach(Output.line) }
    }
}
