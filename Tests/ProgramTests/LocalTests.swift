import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a device without any router reads, switches and remembers, and `m2m` on it says so by the local names.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LocalTests {
        /// Runs a test on a device without a router, and without anybody who is logged in anywhere.
        private func onDevice(
            _ edits: [GreenhouseFile.Edit] = [], scenario: String? = nil,
            _ test: (Household, Program) async throws -> Void
        ) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter] + edits, scenario: scenario)
                try await test(house, house.startAgent())
            }
        }

        @Test("A reading is read, watched and in the history; a call is done, and the line shows it")
        func wholePath() async throws {
            try await onDevice { house, _ in
                let watch = try house.start("m2m", ["watch", "--json"])
                let reading = try await watch.output.nextJSON("reading") { $0["property"] == "temperature" }
                let read = try house.done(await house.m2m("read", "climate.temperature"))
                #expect(read.output.count == 2)
                #expect(read.output.last?.contains("°C") == true)
                let history = try house.done(await house.m2m("history", "climate.temperature", "--json"))
                #expect(try history.json.filter { $0 == reading }.count == 1)

                try house.done(await house.m2m("drive", "GPIO17", "active"))
                try await watch.output.nextJSON("press") { $0["event"] == "pressed" }
                try await watch.output.nextJSON("binding") { $0["action"] == "toggle" && $0["status"] == "done" }
                let probe = try house.done(await house.m2m("probe"))
                #expect(probe.output.contains { $0.contains("GPIO5 ") && $0.contains("output  active") })
                let call = try house.done(await house.m2m("call", "heater", "off"))
                #expect(call.output == ["heater off: done"])
                let after = try house.done(await house.m2m("probe"))
                #expect(after.output.contains { $0.contains("GPIO5 ") && $0.contains("output  inactive") })
            }
        }

        @Test("A watch of one component shows nothing of the others")
        func watchOne() async throws {
            try await onDevice { house, _ in
                let all = try house.start("m2m", ["watch", "--json"])
                let one = try house.start("m2m", ["watch", "/climate", "--json"])
                for watch in [all, one] { try await watch.output.nextJSON("reading") { $0["component"] == "climate" } }
                try house.done(await house.m2m("call", "heater", "on"))
                try await all.output.nextJSON("result") { $0["action"] == "on" }
                for watch in [all, one] { try await watch.output.nextJSON("reading") { $0["component"] == "climate" } }
                #expect(try one.output.all.allSatisfy { try JSON($0)["component"] == "climate" })
            }
        }

        @Test(
            "In words an output has its value, what is wanted, who holds it until when, why, its counters and its limits",
            arguments: [false, true])
        func output(_ isFar: Bool) async throws {
            let rules = "on_agent_lost = { hold = \"5s\" }\nmax_on = \"30m\"\nmin_off = \"1ms\"\n"
            let edits = [GreenhouseFile.Edit("safe = \"off\"\n", "safe = \"off\"\n\(rules)")]
            try await Household.open { house in
                if isFar {
                    _ = try await house.settle(edits)
                } else {
                    try house.writeDevice([.noRouter] + edits)
                    _ = try await house.startAgent()
                }
                try await house.settleHeater(isOn: false)
                let place = isFar ? "greenhouse/heater" : "heater"
                try house.done(await house.m2m("call", place, "on", "--lease", "300ms"))
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", place, "on", "--lease", "10m"))
                for _ in 0..<2 { #expect(try await house.m2m("call", place, "on").status == 1) }
                // The last that has changed: what has changed before it is there, too.
                try await house.untilReading("\(place).refusals") { $0["value"] == 2 }

                let holder = isFar ? "anna through the router" : try await house.value("heater.holder").text
                let until = try await house.value("\(place).until").text
                #expect(!holder.isEmpty && until.hasSuffix("Z"))
                let values = [
                    ("on", "true"), ("wanted", "true"), ("holder", holder), ("until", until),
                    ("reason", "switched on by \(holder)"), ("switches", "3"), ("refusals", "2"), ("lease_ends", "1"),
                    ("keeper_interventions", "0"),
                ]
                let there = isFar ? place : "/heater"
                let described = try house.done(await house.m2m("describe", there, "--json")).json.first
                let limits = try #require(described)["components"].list.flatMap(\.["limits"].list).map { try $0.text }
                let names = ["safe", "on_agent_lost:", "on_link_lost:", "max_on:", "min_off:"]
                #expect(limits.map { $0.prefix { $0 != " " } }.map(String.init) == names)

                let read = try house.done(await house.m2m("read", place)).output
                for (name, value) in values {
                    let row = try #require(read.first { $0.hasPrefix("heater.\(name) ") }, "\(name) in \(read)")
                    let cells = row.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
                    #expect(cells.dropFirst().prefix(2) == [value, "good"], "\(row)")
                }
                #expect(read.suffix(limits.count + 2) == ["", "heater:"] + limits.map { "  \($0)" })

                let words = try house.done(await house.m2m("describe", there)).output
                for (name, value) in values {
                    let row = try #require(words.first { $0.hasPrefix("  \(name) ") }, "\(name) in \(words)")
                    #expect(row.hasSuffix("): \(value)"), "\(row)")
                }
                #expect(words.suffix(limits.count + 1) == ["  limits:"] + limits.map { "    \($0)" })
            }
        }

        @Test(
            "What is not there is named, with what there is, and exits with 1",
            arguments: [
                ("read oven", "there is no component 'oven' here; there is climate, switch, tank, heater, host"),
                ("watch /oven", "there is no component 'oven' here; there is climate, switch, tank, heater, host"),
                ("history climate.colour", "climate has no property 'colour'; it has temperature, pressure"),
                ("call heater dance", "heater has no action 'dance'; it has on, off, toggle, pulse"),
                ("call heater pulse", "heater pulse needs duration=…"),
                ("drive GPIO99 active", "line GPIO99 does not exist"),
                ("drive GPIO5 active", "line GPIO5 is in use"),
                ("read cottage/climate", "you are not logged in; `m2m login URL --user NAME` does that"),
            ])
        func missing(_ command: String, _ words: String) async throws {
            try await onDevice { house, _ in
                let outcome = try await house.run("m2m", command.split(separator: " ").map(String.init))
                #expect(outcome.status == (command.contains("cottage") ? 4 : 1))
                #expect(outcome.output.isEmpty)
                #expect(outcome.errors.count == 1)
                #expect(outcome.errors.joined().contains(words), "\(outcome)")
            }
        }

        @Test("A sensor that is unplugged is shown as failed, with the reason, and heals by itself")
        func unplugged() async throws {
            let scenario = """
                [[chips]]
                address = 0x76
                temperature = "20 °C"

                [[faults]]
                kind = "unplugged"
                address = 0x76
                at = "1s"
                for = "1s"
                """
            try await onDevice(GreenhouseFile.Edit.busy, scenario: scenario) { house, agent in
                let history = try await house.m2m("history", "climate.temperature", "--json") { lines in
                    let qualities = try lines.map { try JSON($0)["quality"] }
                    guard let failure = qualities.firstIndex(of: "failed") else { return false }
                    return qualities[failure...].contains("good")
                }
                let failure = try #require(try history.json.first { $0["quality"] == "failed" })
                #expect(failure["value"] == .null)
                #expect(try failure["reason"].text.contains("0x76"))
                #expect(try history.json.filter { $0["quality"] == "good" }.allSatisfy { try $0["value"].number == 20 })

                try await agent.errors.next("warning") {
                    $0.contains("warning") && $0.contains("component.id=climate") && $0.contains("0x76")
                }
                try await agent.errors.next(with: "component works again")
                let status = try house.done(await house.m2m("status", "--json"))
                let climate = try #require(status.json.first?["components"].list.first { $0["component"] == "climate" })
                #expect(climate["state"] == "works")
                #expect(try climate["failures"].number >= 1)
                #expect(agent.errors.all.filter { $0.contains("component does not work") }.count == 1)
            }
        }

        @Test("A sensor that was never there is failed from the beginning, and nothing else suffers")
        func missingSensor() async throws {
            try await onDevice(scenario: "") { house, _ in
                let read = try await house.m2m("read", "climate", "--json") { !$0.isEmpty }
                #expect(try read.json.allSatisfy { $0["quality"] == "failed" && $0["value"] == .null })
                let reasons = try read.json.map { try $0["reason"].text }
                #expect(reasons.allSatisfy { $0.contains("0x76") })
                let status = try house.done(await house.m2m("status"))
                #expect(status.output.contains { $0.contains("climate (bmp280): failed: ") })
                #expect(status.output.contains { $0.contains("heater (relay): works") })
                #expect(try await house.m2m("call", "heater", "on").status == 0)
            }
        }
    }
}
