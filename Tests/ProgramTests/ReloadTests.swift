import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: SIGHUP applies a changed configuration while everything else goes on, and what has not changed is not
    /// touched.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ReloadTests {
        /// Changes the configuration, and tells the agent to look.
        private func reload(
            _ house: Household, _ agent: Program, _ edits: [GreenhouseFile.Edit], isLinked: Bool = false
        ) async throws {
            try house.writeDevice((isLinked ? [] : [.noRouter]) + edits)
            agent.signal(SIGHUP)
            try await agent.errors.next(with: "changed configuration is applied")
        }

        /// A component as `m2m describe` has it.
        private func component(_ house: Household, _ name: String) async throws -> JSON? {
            let device = try #require(house.done(await house.m2m("describe", "--json")).json.first)
            return device["components"].list.first { $0["component"] == .text(name) }
        }

        @Test("A changed label is in the description, and a changed interval counts from now on")
        func sensor() async throws {
            try await Household.open { house in
                let slow = GreenhouseFile.Edit.busy.dropFirst() + [.init("interval = \"1s\"", "interval = \"12h\"")]
                try house.writeDevice([.noRouter] + slow)
                let agent = try await house.startAgent()
                try await house.untilReading("climate.temperature") { $0["quality"] == "good" }
                let watch = try house.start("m2m", ["watch", "/climate", "--json"])
                let label = GreenhouseFile.Edit("model = \"bmp280\"", "model = \"bmp280\"\nlabel = \"Under the roof\"")
                try await reload(house, agent, GreenhouseFile.Edit.busy + [label])
                for _ in 0..<3 { try await watch.output.nextJSON("reading") { $0["property"] == "temperature" } }
                #expect(try await component(house, "climate")?["label"] == "Under the roof")
            }
        }

        @Test("SIGHUP at the very beginning is no end of the agent, and is not forgotten: it looks as soon as it runs")
        func early() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try house.start("m2m-agent", ["run", "--config", house.configuration])
                try await agent.errors.next(with: "agent starts")
                try await reload(house, agent, [.pump])
                #expect(try await component(house, "pump")?["model"] == "relay")
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("However many SIGHUPs come at once, what the last one was about is applied") func many() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                for number in 1...20 {
                    try house.writeDevice([.noRouter, .init("interval = \"1s\"", "interval = \"\(number + 1)s\"")])
                    for _ in 0..<20 { agent.signal(SIGHUP) }
                }
                try house.writeDevice([.noRouter, .pump])
                agent.signal(SIGHUP)
                _ = try await house.m2m("describe", "--json") { $0.joined().contains("\"component\":\"pump\"") }
            }
        }

        @Test("A file that can't be read to its end holds up nothing, not even the agent's own end")
        func hangingFile() async throws {
            try await Household.open { house in
                let socket = try WatchdogSocket(house.folder.file("notify"))
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent(
                    variables: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "300000"])
                try await socket.next("READY=1")
                // A pipe into which nobody ever writes.
                try #require(unlink(house.configuration) == 0 && mkfifo(house.configuration, 0o600) == 0)
                agent.signal(SIGHUP)
                try await socket.next("RELOADING=1")
                for _ in 0..<3 { try await socket.next("WATCHDOG=1") }
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
                #expect(agent.errors.all.last?.contains("agent has stopped; outputs are safe") == true)
            }
        }

        @Test("A relay that has not changed has no edge, though all around it changes; one that has is made safe")
        func relays() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on", "--lease", "10m"))
                let on = try house.edges()
                let reason = try await house.value("heater.reason")
                // Its label is no concern of its line, and neither are the others.
                let label = GreenhouseFile.Edit("model = \"relay\"", "model = \"relay\"\nlabel = \"Frost guard\"")
                let interval = GreenhouseFile.Edit("interval = \"1s\"", "interval = \"2s\"")
                try await reload(house, agent, [.keeper, label, .pump, interval])
                #expect(try await component(house, "heater")?["label"] == "Frost guard")
                try house.done(await house.m2m("call", "pump", "on"))
                #expect(try house.edges(6) == ["request m2m-keeper pump", "level 1"])
                try await reload(house, agent, [.keeper])
                try await keeper.errors.next(with: "read the table again: 1 outputs")
                #expect(try house.edges(6).dropFirst(2) == ["level 0", "release"])
                #expect(try await house.value("heater.on") == true)
                #expect(try await house.value("heater.reason") == reason)
                #expect(try await house.value("heater.lease_ends") == 0)
                #expect(try house.edges() == on)

                try await reload(house, agent, [.keeper, .init("safe = \"off\"", "safe = \"off\"\nmax_on = \"30m\"")])
                try await house.settleHeater(isOn: false)
                #expect(try house.edges().prefix(on.count + 1) == on + ["level 1"])
                let limits = try #require(await component(house, "heater"))["limits"].list
                #expect(try limits.contains { try $0.text.hasPrefix("max_on: on for 30") }, "\(limits)")
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges().last == "level 0")
                #expect(!keeper.errors.all.contains { $0.contains("made safe") }, "\(keeper.errors.all)")
            }
        }

        @Test("A relay whose rule without the agent has changed is taken anew by the keeper, safe, and then works")
        func keepersRule() async throws {
            try await Household.open { house in
                let (agent, _) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on"))
                try await reload(house, agent, [.keeper, .holds])
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
                let edges = try house.edges()
                agent.signal(SIGKILL)
                try await agent.end()
                _ = try await house.startAgent()
                try await house.settleHeater(isOn: true)
                #expect(try house.edges() == edges)
            }
        }

        @Test("A button that was added works, and one that was removed is gone with its line and its binding")
        func components() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                let button = "[components.second]\nmodel = \"button\"\nline = \"GPIO22\"\nbias = \"pull-up\""
                let rest = "\nactive_low = true\non_pressed = \"heater on\""
                try await reload(house, agent, [.component(button + rest)])
                try house.done(await house.m2m("drive", "GPIO22", "active"))
                try await house.settleHeater(isOn: true)
                try house.done(await house.m2m("drive", "GPIO22", "inactive"))
                #expect(try await component(house, "second")?["model"] == "button")

                // What has gone: the button and its line, and the binding of the other one.
                try await reload(house, agent, [.init("on_pressed = \"heater toggle\"\n", "")])
                #expect(try await component(house, "second") == nil)
                let gone = try await house.m2m("read", "second")
                #expect(gone.status == 1)
                #expect(gone.errors.joined().contains("there is no component 'second' here"), "\(gone)")
                let probe = try house.done(await house.m2m("probe"))
                #expect(!probe.output.contains { $0.contains("m2m second") })
                let watch = try house.start("m2m", ["watch", "--json"])
                try await watch.output.nextJSON("reading") { $0["component"] == "climate" }
                try house.done(await house.m2m("drive", "GPIO17", "active"))
                try await watch.output.nextJSON("press") { $0["event"] == "pressed" }
                #expect(try await house.value("heater.on") == true)
            }
        }

        @Test("The router has the new description without a new connection, and what was added works from there")
        func router() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let label = GreenhouseFile.Edit("label = \"Gewächshaus Süd\"", "label = \"Gewächshaus Nord\"")
                try await reload(house, agent, [label, .pump], isLinked: true)
                let far = try await house.m2m("describe", "greenhouse", "--json") { lines in
                    try lines.contains { line in
                        try JSON(line)["components"].list.contains { $0["component"] == "pump" }
                    }
                }
                #expect(try far.json.first?["label"] == "Gewächshaus Nord")
                try house.done(await house.m2m("call", "greenhouse/pump", "on"))
                #expect(try await house.value("pump.on") == true)
                #expect(agent.errors.all.filter { $0.contains("connected to the router") }.count == 1)
            }
        }
    }
}
