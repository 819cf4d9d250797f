import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: an agent without its keeper says so and promises nothing, everything else works, and with the next keeper
    /// its outputs are safe and can be switched.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeeperAwayTests {
        private func untilStatus(_ house: Household, _ words: String...) async throws {
            _ = try await house.m2m("status") { lines in
                words.allSatisfy { words in lines.contains { $0.contains(words) } }
            }
        }

        @Test("A keeper that is killed while a relay is on: the agent says so; the next one holds it safe, and works")
        func killed() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                keeper.signal(SIGKILL)
                try await keeper.end()
                try await untilStatus(
                    house, "heater (relay): failed", "what the output lines do now is up to the kernel")
                try await agent.errors.next(with: "the keeper does not answer")
                let call = try await house.m2m("call", "heater", "off")
                #expect(call.status == 1)
                #expect(call.errors.joined().contains("heater does not work: the keeper at"), "\(call)")
                let read = try house.done(await house.m2m("read", "heater.on", "--json"))
                #expect(try read.json.map { $0["quality"] } == ["failed"])

                let before = try house.edges()
                _ = try await house.startKeeper()
                try await house.settleHeater(isOn: false)
                #expect(try house.edges() == before + ["request m2m-keeper heater", "level 1"])
                // It could not be done then, but it was not forgotten either.
                #expect(try await house.value("heater.reason") == "switched off by root on the device")
                #expect(try await house.value("heater.keeper_interventions") == 0)
                let status = try house.done(await house.m2m("status"))
                #expect(!status.output.contains { $0.contains("up to the kernel") })
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges().last == "level 0")
            }
        }

        @Test("A keeper that is stopped in order makes its outputs safe, and says so")
        func stopped() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                keeper.signal(SIGTERM)
                #expect(try await keeper.end() == .exited(0))
                #expect(keeper.errors.all.last?.contains("made 1 of 1 outputs safe, and gave all lines back") == true)
                #expect(try house.edges().dropFirst(3).first == "level 1")
                try await agent.errors.next(with: "the keeper does not answer")
                _ = try await house.startKeeper()
                try await agent.errors.next(with: "the keeper answers again")
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
            }
        }

        @Test("Without a keeper from the beginning the agent runs, refuses to switch, says why, and ends in order")
        func never() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter, .keeper])
                let agent = try await house.startAgent()
                try await untilStatus(house, "heater (relay): failed", "is m2m-keeper running?")
                let call = try await house.m2m("call", "heater", "on")
                #expect(call.status == 1)
                #expect(call.errors.joined().contains("is m2m-keeper running?"), "\(call)")
                try await house.untilReading("climate.temperature") { $0["quality"] == "good" }
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("Without [keeper] the agent says in its status what it can't promise; with one it does not")
        func notes() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                try await untilStatus(house, "no keeper: this agent holds the output lines itself")
                agent.signal(SIGTERM)
                try await agent.end()
                _ = try await house.keep()
                let status = try house.done(await house.m2m("status"))
                #expect(!status.output.contains { $0.contains("no keeper") || $0.contains("kernel") }, "\(status)")
            }
        }
    }
}
