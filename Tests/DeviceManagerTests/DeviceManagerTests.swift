import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

private let switchAndHeater = """
    [components.switch]
    model = "button"
    line = "GPIO17"
    debounce = "0s"
    on_pressed = "heater toggle"
    [components.heater]
    model = "relay"
    line = "GPIO5"
    safe = "off"
    """

/// Promises that components, bindings, commands and observations find each other, and that what fails stops nothing
/// else.
@Suite(.timeLimit(.minutes(1))) struct DeviceManagerTests {
    @Test func aButtonTogglesARelayThroughTheCommandRouter() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("switch", "pressed")
            try device.board.drive(.name("GPIO17"), .active)
            let result = try await device.result()
            #expect(result.status == .done)
            #expect(result.action == "toggle")
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
            try device.board.drive(.name("GPIO17"), nil)
            try device.board.drive(.name("GPIO17"), .active)
            #expect(try await device.result().status == .done)
            #expect(try device.board.look(at: .name("GPIO5")) == .inactive)
        }
    }

    @Test func aButtonWorksWhileTheDiskIsFull() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("switch", "pressed")
            device.store.isFailing = true
            // A person's command too: what can't be written down is still done.
            let result = await device.manager.commands.perform(device.command("heater", "on", id: "a"))
            #expect(result.status == .done)
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
            let again = await device.manager.commands.perform(device.command("heater", "on", id: "a"))
            #expect(again.status == .refused)
            device.store.isFailing = false
            device.time.allow(until: device.time.now + .seconds(60))
            // What happened meanwhile is stored when the disk is back.
            #expect(try await device.result().id.rawValue == "a")
        }
    }

    @Test func commandsAreCheckedAndAnswered() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            let commands = device.manager.commands
            #expect(await commands.perform(device.command("heater", "on", id: "1")).status == .done)
            let cases: [(Command, CommandStatus, String)] = [
                (device.command("heater", "on", id: "1"), .refused, "was given before"),
                (device.command("heater", "explode", id: "2"), .refused, "has no action 'explode'"),
                (device.command("cellar", "on", id: "3"), .refused, "has no component 'cellar'; it has switch, heater"),
                (device.command("switch", "on", id: "4"), .refused, "takes no commands"),
                (device.command("heater", "on", id: "5", expiry: .zero), .expired, "too late"),
            ]
            for (command, status, words) in cases {
                let result = await commands.perform(command)
                #expect(result.status == status)
                #expect(result.reason?.contains(words) == true, "\(result)")
            }
            // Every result goes up like everything else.
            for _ in 0..<6 { _ = try await device.result() }
        }
    }

    @Test func outputsAreSafeAndToldSoAtTheEnd() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = await device.manager.commands.perform(device.command("heater", "on", id: "1"))
            #expect(try device.board.look(at: .name("GPIO5")) == .active)
        }
        #expect(try device.board.look(at: .name("GPIO5")) == .inactive)
        #expect(device.stored("heater", "on") == [.boolean(false), .boolean(true), .boolean(false)])
        #expect(device.stored("heater", "reason").last == .text("the agent stops"))
        #expect(device.manager.farewell == "outputs are safe")
    }

    @Test func aSensorThatFailsIsReportedOnceAndHealsByItself() async throws {
        let device = try ManagedDevice("[components.climate]\nmodel = \"bmp280\"\n\(switchAndHeater)")
        let sensor = I2CAddress(0x76)
        device.board.buses[1]?.unplug(sensor)
        try await device.run { () async throws in
            let failed = try await device.reading("climate", "temperature")
            #expect(failed.quality == .failed)
            #expect(failed.reason?.contains("nothing answers at 0x76") == true)
            let status = await device.manager.status()
            #expect(status.components.first?.problem?.contains("0x76") == true)
            // Nothing else is stopped by it.
            try await device.reading("heater", "on", .boolean(false))
            #expect(await device.manager.commands.perform(device.command("heater", "on", id: "1")).status == .done)
            device.board.buses[1]?.replug(sensor)
            let healed = try await device.time.passing(by: .milliseconds(500)) {
                try await device.reading("climate", "temperature")
            }
            #expect(healed.quality == .good)
            #expect(await device.manager.status().components.first?.problem == nil)
            #expect(await device.manager.status().components.first?.failures ?? 0 >= 1)
        }
    }

    @Test func anActuatorThatDoesNotWorkAnswersAtOnce() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try device.board.occupy(.name("GPIO5"), by: "another program")
        try await device.run { () async throws in
            let failed = try await device.reading("heater", "on")
            #expect(failed.quality == .failed)
            let result = await device.manager.commands.perform(device.command("heater", "on", id: "1"))
            #expect(result.status == .failed)
            #expect(result.reason?.contains("held by \"another program\"") == true)
        }
    }

    @Test func commandsThatACrashInterruptedAreTold() async throws {
        let device = try ManagedDevice(switchAndHeater)
        device.store.setInterrupted([CommandResult(of: device.command("heater", "on", id: "old"), .interrupted)])
        try await device.run { () async throws in
            let result = try await device.result()
            #expect(result.id.rawValue == "old")
            #expect(result.status == .interrupted)
        }
    }

    @Test func statusSaysWhatThereIs() async throws {
        let device = try ManagedDevice(switchAndHeater)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            let status = await device.manager.status()
            #expect(status.device.rawValue == "greenhouse")
            #expect(status.link == nil)
            #expect(status.notes.first?.hasPrefix("no keeper:") == true)
            #expect(status.components.map(\.model) == ["button", "relay"])
            let inventory = await device.manager.inventory()
            #expect(inventory.chips.first?.lines[17].consumer == "m2m switch")
        }
    }
}
