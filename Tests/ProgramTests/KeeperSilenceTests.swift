import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: an agent that hangs is as good as dead to the keeper, and one that wakes up again knows what happened;
    /// a keeper that hangs stops nobody, and nobody says that something was done when that is not known.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeeperSilenceTests {
        @Test("The outputs of an agent that hangs are made safe; when it wakes up it says why, counts it, and works")
        func silentAgent() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGSTOP)
                try await keeper.errors.next(with: "heater was made safe (off): its agent gave no sign of life")
                let before = try house.edges()
                #expect(before.suffix(2) == ["level 0", "level 1"])
                #expect(try await house.keeperStatus()["cause"] == "agent-silent")

                agent.signal(SIGCONT)
                try await house.settleHeater(isOn: false)
                #expect(try await house.value("heater.reason") == "the keeper made it safe: the agent did not answer")
                #expect(try await house.value("heater.keeper_interventions") == 1)
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges() == before + ["level 0"])
            }
        }

        @Test("Under `hold` an agent that wakes up in time finds the output as it was: no edge")
        func silentUnderHold() async throws {
            try await Household.open { house in
                let (agent, _) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                let edges = try house.edges()
                agent.signal(SIGSTOP)
                // The keeper has noticed: it says when it will make the heater safe.
                try await house.untilKeeper { $0["until"] != .null }
                agent.signal(SIGCONT)
                try await house.untilKeeper { $0["until"] == .null }
                try await house.settleHeater(isOn: true)
                #expect(try house.edges() == edges)
                #expect(try await house.value("heater.keeper_interventions") == 0)
            }
        }

        @Test("A keeper that hangs: whoever commands is told that nobody knows, and everything else works")
        func silentKeeper() async throws {
            try await Household.open { house in
                let (_, keeper) = try await house.keep()
                keeper.signal(SIGSTOP)
                let call = try await house.m2m("call", "heater", "on", "--json")
                #expect(call.status == 1)
                #expect(try call.json.first?["status"] == "unknown")
                #expect(call.errors.joined().contains(/has not answered for 2 ?s; it may have been done/), "\(call)")
                let status = try house.done(await house.m2m("status"))
                #expect(status.output.contains { $0.contains("heater (relay): failed") }, "\(status)")
                let next = try await house.m2m("call", "heater", "on")
                #expect(next.status == 1)
                #expect(next.errors.joined().contains("heater does not work"), "\(next)")
                #expect(try house.done(await house.m2m("read", "climate.temperature")).output.count == 2)

                keeper.signal(SIGCONT)
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges().last == "level 0")
            }
        }

        @Test("A command that a crash interrupted is told of as interrupted, once, and the output is safe")
        func interrupted() async throws {
            try await Household.open { house in
                let quick = GreenhouseFile.Edit("[local]", "[store]\ncommit_interval = \"100ms\"\n\n[local]")
                let (agent, keeper) = try await house.keep([quick])
                let watch = try house.start("m2m", ["watch", "--json"])
                try await watch.output.nextJSON("reading") { $0["component"] == "climate" }
                keeper.signal(SIGSTOP)
                let call = try house.start("m2m", ["call", "heater", "on"])
                // The command was written down, and is being done.
                try await watch.output.nextJSON("wish") { $0["property"] == "wanted" && $0["value"] == true }
                agent.signal(SIGKILL)
                #expect(try await call.end() == .exited(1))
                #expect(try await call.errors.next("what became of it") { $0.contains("it may have been done") } != "")
                keeper.signal(SIGCONT)
                try await agent.end()

                _ = try await house.startAgent()
                try await house.settleHeater(isOn: false)
                let history = try await house.m2m("history", "heater", "--json") { lines in
                    try lines.contains { try JSON($0)["action"] == "on" }
                }
                #expect(try history.json.filter { $0["action"] == "on" }.map { $0["status"] } == ["interrupted"])
                #expect(try house.edges().last == "level 1")
            }
        }
    }
}
