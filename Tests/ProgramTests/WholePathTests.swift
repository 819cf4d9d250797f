import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who follows the README sees a device's readings arrive, its button pressed, and switches its relay: through
    /// the router, over TLS.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct WholePathTests {
        @Test("Readings, a press and a switched relay go through the router, and are in its history afterwards")
        func wholePath() async throws {
            try await Household.open { house in
                try await house.addUser()
                try await house.startRouter()
                let login = try house.done(await house.login())
                #expect(login.output == ["logged in to \(house.url) as anna"])
                try house.writeDevice()
                try await house.enroll()
                let agent = try await house.startAgent()
                try await agent.errors.hold("connected to the router")
                let watch = try house.start("m2m", ["watch", "greenhouse", "--json"])
                let seen = try await watch.output.nextJSON("temperature") { $0["property"] == "temperature" }

                try house.done(await house.m2m("drive", "GPIO17", "active"))
                let press = try await watch.output.nextJSON("press") { $0["event"] == "pressed" }
                try house.done(await house.m2m("drive", "GPIO17", "inactive"))
                try await watch.output.nextJSON("release") { $0["event"] == "released" }

                // The press has switched the heater on, by its binding; now somebody far away does.
                try house.done(await house.m2m("call", "greenhouse/heater", "off"))
                #expect(try await Self.heaterLine(house) == false)
                let call = try house.done(await house.m2m("call", "greenhouse/heater", "on"))
                #expect(call.output == ["greenhouse/heater on: done"])
                #expect(try await Self.heaterLine(house) == true)
                let result = try await watch.output.nextJSON("result") { $0["action"] == "on" }

                let climate = try house.done(await house.m2m("history", "greenhouse/climate.temperature", "--json"))
                #expect(try climate.json.filter { $0 == seen }.count == 1)
                let presses = try house.done(await house.m2m("history", "greenhouse/switch", "--json"))
                #expect(try presses.json.filter { $0 == press }.count == 1)
                let calls = try house.done(await house.m2m("history", "greenhouse/heater", "--json"))
                #expect(try calls.json.filter { $0 == result }.count == 1)
            }
        }

        /// Whether the simulated line of the heater is active, as `m2m probe` on the device shows it.
        private static func heaterLine(_ house: Household) async throws -> JSON {
            let probe = try house.done(await house.m2m("probe", "--json"))
            let lines = try probe.json.flatMap { $0["chips"].list.flatMap { $0["lines"].list } }
            let line = try #require(lines.first { $0["name"] == "GPIO5" })
            #expect(line["consumer"] == "m2m heater")
            #expect(line["direction"] == "output")
            return line["active"]
        }

        @Test("What is read from the router is what was read on the device, and stale once the device is gone")
        func read() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let isThere = try await house.m2m("read", "greenhouse/heater.on", "--json") { !$0.isEmpty }
                let local = try house.done(await house.m2m("read", "heater.on", "--json"))
                #expect(try isThere.json.map { $0["value"] } == [false])
                #expect(try local.json.map { $0["value"] } == [false])
                #expect(try isThere.json.map { $0["sequence"] } == local.json.map { $0["sequence"] })
                #expect(try isThere.json.map { $0["quality"] } == ["good"])

                agent.signal(15)
                try await agent.end()
                let gone = try await house.m2m("read", "greenhouse/heater.on", "--json") { lines in
                    try lines.map { try JSON($0)["quality"] } == ["stale"]
                }
                #expect(try gone.json.map { $0["value"] } == [false])
                #expect(try gone.json.map { $0["reason"] } == ["the device is not connected"])
                let devices = try house.done(await house.m2m("devices", "--json"))
                #expect(try devices.json.map { $0["state"] } == ["offline"])
            }
        }

        @Test("A call that can't be is refused, says why, and exits with 1; one of an offline device with 3")
        func refusals() async throws {
            try await Household.open { house in
                let (_, agent) = try await house.settle()
                let unknown = try await house.m2m("call", "greenhouse/heater", "dance")
                #expect(unknown.status == 1)
                #expect(unknown.errors.joined().contains("dance"))
                let nowhere = try await house.m2m("call", "greenhouse/oven", "on")
                #expect(nowhere.status == 1)
                #expect(nowhere.errors.joined().contains("oven"))
                let stranger = try await house.m2m("call", "cottage/heater", "on")
                #expect(stranger.status == 1)
                #expect(
                    stranger.errors == ["m2m: there is no device 'cottage' in your space; `m2m devices` lists them"])

                agent.signal(15)
                try await agent.end()
                let gone = try await house.m2m("call", "greenhouse/heater", "on", "--json")
                #expect(gone.status == 3)
                #expect(try gone.json.map { $0["status"] } == ["unreachable"])
                #expect(gone.errors.joined().contains("unreachable"))
            }
        }
    }
}
