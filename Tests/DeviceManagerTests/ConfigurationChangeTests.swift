import Components
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

@testable import DeviceManager

private let heaterLine = LineReference.name("GPIO5")
private let lampLine = LineReference.name("GPIO6")
private let switchLine = LineReference.name("GPIO17")

/// Promises that a changed configuration is applied while the agent runs, and that whatever is in it as before does not
/// notice: no output moves, no component restarts.
@Suite(.timeLimit(.minutes(1))) struct ConfigurationChangeTests {
    /// A heater, a lamp and a button, with further keys of their tables.
    private static func house(
        heater: String = "", lamp: String? = "", button: String = "on_pressed = \"heater toggle\"", rest: String = ""
    ) -> String {
        let lamp = lamp.map { "[components.lamp]\nmodel = \"relay\"\nline = \"GPIO6\"\nsafe = \"off\"\n\($0)" } ?? ""
        return """
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            \(heater)
            \(lamp)
            [components.switch]
            model = "button"
            line = "GPIO17"
            debounce = "0s"
            \(button)
            \(rest)
            """
    }

    private func start(_ device: ManagedDevice) async throws {
        for (component, property) in [("heater", "on"), ("lamp", "on"), ("switch", "pressed")] {
            try await device.reading(component, property, .boolean(false))
        }
        for output in ["heater", "lamp"] { try await untilTaken(device, output) }
    }

    /// Waits until the line of an output is taken, at the start or once more.
    private func untilTaken(_ device: ManagedDevice, _ output: String, anew: Bool = false) async throws {
        let since = anew ? "its configuration was changed" : "the start"
        try await device.reading(output, "reason", .text("safe since \(since)"))
    }

    @Test("An output that is as before is not touched; one that is not is made safe, given back and taken anew")
    func changedOutput() async throws {
        let holder = TestHolder()
        let device = try ManagedDevice(Self.house(), holder: holder)
        try await device.run { () async throws in
            try await start(device)
            let lease = Lease(id: "l", duration: .seconds(3_000))
            #expect(await device.perform("heater", "on", by: "anna", lease: lease).status == .done)
            #expect(await device.perform("lamp", "on").status == .done)
            await device.settled()
            let before = device.values("heater")
            holder.forgetDeeds()
            await device.manager.apply(try ManagedDevice.configuration(Self.house(lamp: "max_on = \"10m\"")))
            try await untilTaken(device, "lamp", anew: true)
            #expect(holder.deeds == [.drove("lamp", .inactive), .released("lamp"), .took("lamp")])
            #expect(device.values("heater") == before)
            #expect(device.values("lamp")["switches"] == .integer(2))
            #expect(await device.perform("heater", "on", by: "ben").status == .refused)
            #expect(await device.perform("lamp", "on").status == .done)
            device.pass(.seconds(600))
            try await device.reason("lamp", "max_on: it was on for 10")
        }
    }

    @Test("An output that leaves the file is made safe and given back, and is not known any more")
    func removedOutput() async throws {
        let holder = TestHolder()
        let device = try ManagedDevice(Self.house(), holder: holder)
        try await device.run { () async throws in
            try await start(device)
            #expect(await device.perform("lamp", "on").status == .done)
            holder.forgetDeeds()
            await device.manager.apply(try ManagedDevice.configuration(Self.house(lamp: nil)))
            #expect(holder.deeds == [.drove("lamp", .inactive), .released("lamp")])
            let refused = await device.perform("lamp", "on")
            #expect(refused.status == .refused)
            #expect(refused.reason == "greenhouse has no component 'lamp'; it has heater, switch")
            #expect(device.values("lamp").isEmpty)
            #expect(await device.manager.status().components.map(\.id) == ["heater", "switch"])
            #expect(await device.perform("heater", "on").status == .done)
        }
        // Nobody drives or gives back twice.
        #expect(holder.deeds.count { $0 == .released("lamp") } == 1)
    }

    @Test("Nothing is read of an output that was there before under the name of one whose line is not there yet")
    func sameName() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            #expect(await device.perform("lamp", "on").status == .done)
            await device.manager.apply(try ManagedDevice.configuration(Self.house(lamp: nil)))
            device.harsh.hang(lampLine, whenTaken: true)
            await device.manager.apply(try ManagedDevice.configuration(Self.house()))
            #expect(await device.harsh.hangs.next() == lampLine)
            #expect(device.values("lamp").isEmpty)
            device.harsh.letGo()
            try await device.reading("lamp", "on", .boolean(false))
        }
    }

    @Test("While a changed output is waited for, an interlock with another one that has left still holds")
    func interlockInChange() async throws {
        func motor(_ more: String) -> String {
            let relays = [
                ("up", 5, "interlock = [\"down\"]\ninterlock_delay = \"5s\"\n\(more)"), ("down", 6, ""),
                ("lamp", 13, more),
            ]
            return relays.map { name, line, keys in
                "[components.\(name)]\nmodel = \"relay\"\nline = \"GPIO\(line)\"\nsafe = \"off\"\n\(keys)\n"
            }.joined()
        }
        let device = try ManagedDevice(motor(""))
        let changed = try ManagedDevice.configuration(motor("max_on = \"10m\""))
        try await device.run { () async throws in
            for output in ["up", "down", "lamp"] { try await untilTaken(device, output) }
            device.pass(.seconds(5))
            for output in ["up", "lamp"] { #expect(await device.perform(output, "on").status == .done) }
            device.harsh.hang(.name("GPIO13"))
            async let change: Void = device.manager.apply(changed)
            #expect(await device.harsh.hangs.next() == .name("GPIO13"))
            while await device.manager.inventory().chips.first?.lines[5].consumer != nil {
                try Task.checkCancellation()
                await Task.yield()
            }
            for _ in 0..<50 {
                await Task.yield()
                await device.settled()
            }
            let refused = await device.perform("down", "on")
            #expect(refused.status == .refused)
            #expect(refused.reason?.contains("interlock: up") == true)
            #expect(try device.board.look(at: .name("GPIO6")) == .inactive)
            device.harsh.letGo()
            await change
            for output in ["up", "lamp"] { try await untilTaken(device, output, anew: true) }
            #expect(await device.perform("lamp", "on").status == .done)
        }
    }

    @Test("A line moves from a relay to a button and back, and is safe in between")
    func lineMoves() async throws {
        let device = try ManagedDevice(Self.house())
        let moved = Self.house().replacing("GPIO5", with: "GPIO22").replacing("GPIO17", with: "GPIO5")
        @Sendable func holders() async -> [String?] {
            let lines = await device.manager.inventory().chips.first?.lines ?? []
            return [5, 17, 22].map { lines[$0].consumer }
        }
        try await device.run { () async throws in
            try await start(device)
            #expect(await device.perform("heater", "on").status == .done)
            #expect(await holders() == ["m2m heater", "m2m switch", nil])
            await device.manager.apply(try ManagedDevice.configuration(moved))
            try await device.reading("switch", "pressed", .boolean(false))
            try await untilTaken(device, "heater", anew: true)
            #expect(await holders() == ["m2m switch", nil, "m2m heater"])
            #expect(try device.board.switches(of: heaterLine) == 2)
            try device.board.drive(heaterLine, .active)  // which is the button now
            #expect(try await device.result().action == "on")
            #expect(try await device.result().action == "toggle")
            #expect(try device.board.look(at: .name("GPIO22")) == .active)
            try device.board.drive(heaterLine, nil)
            for isPressed in [true, false] { try await device.reading("switch", "pressed", .boolean(isPressed)) }
            await device.manager.apply(try ManagedDevice.configuration(Self.house()))
            try await device.reading("switch", "pressed", .boolean(false))
            try await untilTaken(device, "heater", anew: true)
            #expect(await holders() == ["m2m heater", "m2m switch", nil])
            #expect(try device.board.look(at: .name("GPIO22")) == .inactive)
            #expect(await device.perform("heater", "on").status == .done)
            #expect(try device.board.look(at: heaterLine) == .active)
        }
    }

    @Test("A label changes without anything being touched")
    func label() async throws {
        let holder = TestHolder()
        let device = try ManagedDevice(Self.house(), holder: holder)
        try await device.run { () async throws in
            try await start(device)
            #expect(await device.perform("heater", "on").status == .done)
            holder.forgetDeeds()
            let changes = device.manager.watchDescription()
            let labelled = Self.house(heater: "label = \"Heizung\"", button: "label = \"Taster\"")
            await device.manager.apply(try ManagedDevice.configuration(labelled))
            let told = try #require(await changes.arrivals.next())
            changes.end()
            #expect(told == device.manager.description)
            #expect(told.components.map(\.label) == ["Heizung", nil, "Taster"])
            await device.settled()
            #expect(holder.deeds == [])
            #expect(device.harsh.taken(switchLine) == 1)
            #expect(device.values("heater")["on"] == .boolean(true))
        }
    }

    @Test("A binding changes without the button or the relays being touched")
    func binding() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            try device.board.drive(switchLine, .active)
            #expect(try await device.result().component == "heater")
            try device.board.drive(switchLine, nil)
            await device.manager.apply(
                try ManagedDevice.configuration(Self.house(button: "on_pressed = \"lamp toggle\"")))
            try device.board.drive(switchLine, .active)
            #expect(try await device.result().component == "lamp")
            #expect(try device.board.look(at: heaterLine) == .active)
            #expect(try device.board.look(at: .name("GPIO6")) == .active)
            for line in ["GPIO5", "GPIO6", "GPIO17"] { #expect(device.harsh.taken(.name(line)) == 1) }
        }
    }

    @Test("What goes up of a component's readings changes without a restart")
    func report() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            await device.manager.apply(
                try ManagedDevice.configuration(Self.house(button: "report = { at_least = \"10m\" }")))
            #expect(device.harsh.taken(switchLine) == 1)
            try device.board.drive(switchLine, .active)
            try await device.reading("switch", "pressed", .boolean(true))
            device.pass(.seconds(600))
            try await device.reading("switch", "pressed", .boolean(true))
            #expect(device.harsh.taken(switchLine) == 1)
        }
    }

    @Test("A component that has changed is started anew, and the others go on")
    func changedComponent() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            #expect(await device.perform("heater", "on").status == .done)
            await device.manager.apply(
                try ManagedDevice.configuration(
                    Self.house(button: "long_press = \"2s\"", rest: "[components.door]\nmodel = \"contact\"\nline = 4")
                        .replacing("line = 4", with: "line = \"GPIO4\"")))
            try await device.reading("switch", "pressed", .boolean(false))
            try await device.reading("door", "closed", .boolean(false))
            #expect(device.harsh.taken(switchLine) == 2)
            #expect(device.harsh.taken(heaterLine) == 1)
            #expect(device.harsh.taken(.name("GPIO4")) == 1)
            #expect(try device.board.look(at: heaterLine) == .active)
        }
    }

    @Test("What is read of a changed output is there as soon as the change is applied")
    func readingsOfChanged() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            for round in 1...20 {
                let changed = Self.house(lamp: "max_on = \"\(round)m\"")
                await device.manager.apply(try ManagedDevice.configuration(changed))
                while await device.perform("lamp", "off").status != .done { try Task.checkCancellation() }
                await device.settled()
                #expect(device.values("lamp").count == 9, "round \(round)")
            }
        }
    }

    @Test("A component of the same name and another model has a health of its own")
    func health() async throws {
        let device = try ManagedDevice(Self.house())
        device.harsh.breaks(heaterLine)
        try await device.run { () async throws in
            #expect(try await device.reading("heater", "on").quality == .failed)
            #expect(await device.manager.status().components.first?.problem?.contains("GPIO5") == true)
            let contact = "[components.heater]\nmodel = \"contact\"\nline = \"GPIO22\"\n"
            await device.manager.apply(try ManagedDevice.configuration(contact))
            // The tries to take the broken line may have used up the time that passes by itself.
            try await device.time.passing(by: .seconds(1)) {
                try await device.reading("heater", "closed", .boolean(false))
            }
            let status = await device.manager.status().components
            #expect(status.map(\.model) == ["contact"])
            #expect(status.first?.problem == nil)
            #expect(status.first?.failures == 0)
        }
    }

    @Test("An output that was left behind on another line, and answers at last, does not touch the one of its name")
    func leftBehind() async throws {
        let device = try ManagedDevice(Self.house())
        let moved = LineReference.name("GPIO13")
        try await device.run { () async throws in
            try await start(device)
            device.harsh.hang(heaterLine)
            device.manager.commands.submit(device.command("heater", "on", id: "stuck"))
            #expect(await device.harsh.hangs.next() == heaterLine)
            let changed = try ManagedDevice.configuration(
                Self.house().replacing("line = \"GPIO5\"", with: "line = \"GPIO13\""))
            async let applied: Void = device.manager.apply(changed)
            while await device.perform("heater", "on").status != .done {
                try Task.checkCancellation()
                device.pass(.seconds(1))
            }
            await applied
            // Nobody waits for ever for what was left behind.
            let stuck = try await device.result { $0.id == "stuck" }
            #expect(stuck.status == .unknown)
            #expect(stuck.reason?.hasSuffix("its line did not answer, and was left behind") == true)
            device.harsh.letGo()
            while (try? device.board.occupy(heaterLine, by: "somebody")) == nil {  // safe: it is not given back yet
                try Task.checkCancellation()
                await Task.yield()
            }
            await device.settled()
            #expect(try device.board.look(at: moved) == .active)
            #expect(try device.board.switches(of: moved) == 1)
            #expect(device.harsh.taken(moved) == 1)
        }
    }

    @Test("A line that hangs keeps no change from being applied; its output is taken anew when it answers at last")
    func hangingOutput() async throws {
        let device = try ManagedDevice(Self.house())
        try await device.run { () async throws in
            try await start(device)
            device.harsh.hang(heaterLine)
            device.manager.commands.submit(device.command("heater", "on", id: "stuck"))
            #expect(await device.harsh.hangs.next() == heaterLine)
            let changed = try ManagedDevice.configuration(Self.house(heater: "max_on = \"10m\"", lamp: nil))
            async let applied: Void = device.manager.apply(changed)
            while await device.perform("lamp", "on").reason?.contains("has no component") != true {
                device.pass(.seconds(1))
            }
            await applied
            #expect(await device.perform("heater", "on").status == .failed)
            device.harsh.letGo()
            try await device.time.passing(by: .seconds(1)) {
                try await device.reading("heater", "on", .boolean(false))
            }
            // Its late drive was undone.
            #expect(try device.board.look(at: heaterLine) == .inactive)
            #expect(try device.board.switches(of: heaterLine) == 2)
            // That it is off may be known before it is taken anew.
            while await device.perform("heater", "on").status != .done {
                try Task.checkCancellation()
                device.pass(.seconds(1))
            }
            await device.settled()
            // Whoever drove it before does not give away what was taken since.
            #expect(await device.manager.inventory().chips.first?.lines[5].consumer == "m2m heater")
        }
    }
}
