import DeviceManager
import DeviceModel
import HAL
import HALSimulated
import HALTestKit
import TestSupport
import Testing

private let line = LineReference.name("GPIO5")

/// Promises what a relay does on a board: it is safe whenever nobody can answer for it, never clicks because a program
/// comes or goes, and is told as it is.
@Suite(.timeLimit(.minutes(1))) struct OutputServiceTests {
    private func heater(safe: String = "off", activeLow: Bool = false, _ more: String = "") throws -> ManagedDevice {
        try ManagedDevice(
            """
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "\(safe)"
            active_low = \(activeLow)
            \(more)
            """)
    }

    @Test("It switches as it is told, on the right level, and tells what it is")
    func switches() async throws {
        let device = try heater(activeLow: true)
        try await device.run { () async throws in
            #expect(try await device.reading("heater", "on").value == .boolean(false))
            #expect(try device.board.level(of: line))
            #expect(await device.perform("heater", "on").status == .done)
            #expect(try !device.board.level(of: line))
            #expect(try await device.reading("heater", "on").value == .boolean(true))
            #expect(await device.perform("heater", "toggle").status == .done)
            #expect(try device.board.level(of: line))
            #expect(await device.perform("heater", "toggle").status == .done)
            #expect(await device.perform("heater", "off").status == .done)
            #expect(try device.board.level(of: line))
        }
    }

    /// An active-low relay on a line that is high: neither taking the line nor giving it back may move it.
    @Test("An active-low relay does not click, neither when the agent starts nor when it stops")
    func doesNotClick() async throws {
        let device = try heater(activeLow: true)
        try device.board.drive(line, .active)  // nobody holds it: high
        let before = try device.board.switches(of: line)
        try await device.run { () async throws in _ = try await device.reading("heater", "on") }
        #expect(try device.board.switches(of: line) == before)
    }

    @Test(
        "It is safe at the start and, as the line and the readings say, at the end, whatever safe is",
        arguments: [("off", LineValue.inactive), ("on", .active)])
    func startAndEnd(safe: String, value: LineValue) async throws {
        let device = try heater(safe: safe)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            #expect(try device.board.look(at: line) == value)
            #expect(await device.perform("heater", "toggle").status == .done)
            #expect(try device.board.look(at: line) == value.toggled)
        }
        // Driven twice: by the command, and to safe before it was given back.
        #expect(try device.board.switches(of: line) == 2)
        let (isSafe, isAway) = (Value.boolean(value == .active), Value.boolean(value != .active))
        #expect(device.stored("heater", "on") == [isSafe, isAway, isSafe])
        #expect(device.stored("heater", "reason").last == .text("the agent stops"))
    }

    @Test("A pulse leaves safe, and ends by itself")
    func pulse() async throws {
        for (safe, away) in [("off", LineValue.active), ("on", .inactive)] {
            let device = try heater(safe: safe)
            try await device.run { () async throws in
                _ = try await device.reading("heater", "on")
                #expect(await device.perform("heater", "pulse", ["duration": .number(20)]).status == .done)
                #expect(try device.board.look(at: line) == away)
                device.pass(.seconds(20))
                try await device.reading("heater", "reason", .text("the pulse of root on the device is over"))
                try await device.reading("heater", "on", .boolean(away != .active))
                #expect(try device.board.look(at: line) == away.toggled)
            }
        }
    }

    @Test("A command ends a pulse: what it wanted is not undone when the pulse would have ended")
    func commandEndsPulse() async throws {
        let device = try heater()
        try await device.run { () async throws in
            #expect(try await device.reading("heater", "on").quality == .good)
            #expect(await device.perform("heater", "pulse", ["duration": .number(20)]).status == .done)
            #expect(await device.perform("heater", "on").status == .done)
            device.pass(.seconds(60))
            await device.settled()
            #expect(try device.board.look(at: line) == .active)
        }
    }

    @Test("A command that comes too late is not done")
    func late() async throws {
        let device = try heater()
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            let result = await device.perform("heater", "on", expiry: .zero)
            #expect(result.status == .expired)
            #expect(result.reason?.contains("too late") == true)
            #expect(try device.board.look(at: line) == .inactive)
        }
    }

    @Test("What is read of it says who wanted what, why it is so, and how often things happened")
    func properties() async throws {
        let device = try heater("min_off = \"1h\"")
        try await device.run { () async throws in
            try await device.reading("heater", "on", .boolean(false))
            #expect(await device.perform("heater", "on").status == .refused)
            await device.settled()
            #expect(
                device.values("heater") == [
                    "on": .boolean(false), "wanted": .boolean(false), "holder": .text(""), "until": .text(""),
                    "reason": .text("safe since the start"), "switches": .integer(0), "refusals": .integer(1),
                    "lease_ends": .integer(0), "keeper_interventions": .integer(0),
                ])
            device.pass(.seconds(3_600))
            let end = device.time.wall + .seconds(600)
            let lease = Lease(id: "l", duration: .seconds(600))
            #expect(await device.perform("heater", "on", by: "anna", lease: lease).status == .done)
            await device.settled()
            #expect(
                device.values("heater") == [
                    "on": .boolean(true), "wanted": .boolean(true), "holder": .text("anna on the device"),
                    "until": .text(end.rfc3339), "reason": .text("switched on by anna on the device"),
                    "switches": .integer(1), "refusals": .integer(1), "lease_ends": .integer(0),
                    "keeper_interventions": .integer(0),
                ])
            #expect(await device.perform("heater", "off").status == .done)
            await device.settled()
            let values = device.values("heater")
            #expect(values["holder"] == .text("") && values["until"] == .text(""))
            #expect(values["switches"] == .integer(2) && values["lease_ends"] == .integer(1))
        }
    }

    @Test("max_on makes it safe, and says so")
    func maxOn() async throws {
        let device = try heater("max_on = \"1m\"")
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            #expect(await device.perform("heater", "on").status == .done)
            device.pass(.seconds(60))
            try await device.reason("heater", "max_on: it was on for ")
            await device.settled()
            try await device.reading("heater", "on", .boolean(true))
            try await device.reading("heater", "on", .boolean(false))
            #expect(try device.board.look(at: line) == .inactive)
        }
    }

    @Test("Of two that exclude each other the second waits for the first, and is told for how long")
    func interlock() async throws {
        let device = try ManagedDevice(
            """
            [components.heater]
            model = "relay"
            line = "GPIO5"
            safe = "off"
            interlock = "cooler"
            interlock_delay = "20s"
            [components.cooler]
            model = "relay"
            line = "GPIO6"
            safe = "off"
            """)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("cooler", "on")
            device.pass(.seconds(20))  // what was before the start is not known
            #expect(await device.perform("heater", "on").status == .done)
            // The interlock stands in the other table, and holds here all the same.
            let refused = await device.perform("cooler", "on")
            #expect(refused.status == .refused)
            #expect(
                refused.reason
                    == "interlock: heater is on; possible as soon as it is off, and 20 s after that")
            #expect(try device.board.look(at: .name("GPIO6")) == .inactive)
            #expect(await device.perform("heater", "off").status == .done)
            let early = await device.perform("cooler", "on")
            #expect(early.status == .refused)
            #expect(early.reason?.hasPrefix("interlock: heater has been off for ") == true)
            device.pass(.seconds(20))
            #expect(await device.perform("cooler", "on").status == .done)
            #expect(await device.perform("heater", "on").status == .refused)
            #expect(try device.board.look(at: line) == .inactive)
        }
    }

    /// A heater that does not stay as the router switched it once that is gone for so long.
    private static func heater(safeAfter after: String) -> String {
        """
        [router]
        url = "wss://router.example"
        [components.heater]
        model = "relay"
        line = "GPIO5"
        safe = "off"
        on_link_lost = { after = "\(after)", do = "safe" }
        """
    }

    @Test("What the router switched is safe when the router is lost for too long; what people here switched stays")
    func linkLost() async throws {
        let device = try ManagedDevice(
            """
            \(Self.heater(safeAfter: "30s"))
            [components.lamp]
            model = "relay"
            line = "GPIO6"
            safe = "off"
            on_link_lost = { do = "hold" }
            """)
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            _ = try await device.reading("lamp", "on")
            device.manager.link.update(.connected)
            #expect(await device.performFromRouter("heater", "on").status == .done)
            #expect(await device.performFromRouter("lamp", "on").status == .done)
            device.pass(.seconds(600))
            await device.settled()
            #expect(try device.board.look(at: line) == .active)
            device.manager.link.update(.reconnecting, reason: "gone")
            await device.settled()
            device.pass(.seconds(30))
            try await device.reason("heater", "on_link_lost: no link to the router for 30")
            try await device.reading("heater", "switches", .integer(2))
            #expect(try device.board.look(at: line) == .inactive)
            #expect(try device.board.look(at: .name("GPIO6")) == .active)
            // A command that was given here does not depend on the router.
            #expect(await device.perform("heater", "on").status == .done)
            device.pass(.seconds(600))
            await device.settled()
            #expect(try device.board.look(at: line) == .active)
        }
    }

    @Test("A router that was never there counts as lost from the start")
    func neverConnected() async throws {
        let device = try ManagedDevice(Self.heater(safeAfter: "5m"))
        let start = device.time.now
        try await device.run { () async throws in
            _ = try await device.reading("heater", "on")
            #expect(await device.performFromRouter("heater", "on").status == .done)
            device.time.advance(by: .seconds(300) - (device.time.now - start) - .milliseconds(1))
            await device.settled()
            #expect(try device.board.look(at: line) == .active)
            device.pass(.milliseconds(1))
            try await device.reading("heater", "switches", .integer(2))
            #expect(try device.board.look(at: line) == .inactive)
        }
    }
}
