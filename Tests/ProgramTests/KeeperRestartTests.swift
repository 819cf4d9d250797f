import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: under `hold` an agent may be killed and started as often as anybody likes, and no line has an edge; under
    /// `safe` each death of the agent makes its outputs safe.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeeperRestartTests {
        /// A line that the keeper has taken at its safe value, and that was switched on once: the heater is active low.
        private static let switchedOn = ["request m2m-keeper heater", "level 1", "level 0"]

        @Test("A relay that is on under `hold` has no edge while its agent is killed and started ten times")
        func killedUnderHold() async throws {
            try await Household.open { house in
                var (agent, _) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges() == Self.switchedOn)
                let reason = try await house.value("heater.reason")
                for _ in 0..<10 {
                    agent.signal(SIGKILL)
                    #expect(try await agent.end() == .killed(SIGKILL))
                    agent = try await house.startAgent()
                    try await house.settleHeater(isOn: true)
                }
                #expect(try house.edges() == Self.switchedOn)
                #expect(try await house.value("heater.reason") == reason)
                #expect(try await house.value("heater.keeper_interventions") == 0)
                // It is the agent's again, not only left alone.
                try house.done(await house.m2m("call", "heater", "off"))
                #expect(try house.edges() == Self.switchedOn + ["level 1"])
            }
        }

        @Test("Under `safe` each kill makes it safe, and the next agent says why and counts it")
        func killedUnderSafe() async throws {
            try await Household.open { house in
                var (agent, keeper) = try await house.keep()
                var expected = Array(Self.switchedOn.prefix(2))
                for round in 1...3 {
                    try house.done(await house.m2m("call", "heater", "on"))
                    agent.signal(SIGKILL)
                    try await keeper.errors.next(
                        with: "heater was made safe (off): the connection of its agent has ended")
                    expected += ["level 0", "level 1"]
                    #expect(try house.edges() == expected)
                    try await agent.end()
                    agent = try await house.startAgent()
                    try await house.settleHeater(isOn: false)
                    #expect(try await house.value("heater.reason") == "the keeper made it safe: the agent was gone")
                    #expect(try await house.value("heater.keeper_interventions") == .number(Double(round)))
                }
                #expect(try house.edges() == expected)
            }
        }

        @Test("A hold has an end: an agent that does not come back in time finds the output safe")
        func holdEnds() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep([.onAgentLost("{ hold = \"1s\" }")])
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGKILL)
                try await keeper.errors.next(with: "heater was made safe (off): the connection of its agent has ended")
                #expect(try house.edges() == Self.switchedOn + ["level 1"])
                #expect(try await house.keeperStatus()["cause"] == "agent-lost")
                _ = try await house.startAgent()
                try await house.settleHeater(isOn: false)
                #expect(try await house.value("heater.keeper_interventions") == 1)
            }
        }

        @Test("An agent that is stopped in order under `hold` says what stays on, and finds it so: no edge")
        func stoppedUnderHold() async throws {
            try await Household.open { house in
                var (agent, _) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                for _ in 0..<2 {
                    agent.signal(SIGTERM)
                    #expect(try await agent.end() == .exited(0))
                    let words = /agent has stopped; the keeper leaves heater on for 10 ?m(in)?, then makes it safe/
                    #expect(agent.errors.all.last?.contains(words) == true, "\(agent.errors.all)")
                    agent = try await house.startAgent()
                    try await house.settleHeater(isOn: true)
                }
                #expect(try house.edges() == Self.switchedOn)
            }
        }

        @Test("An agent that is stopped in order under `safe` has made its outputs safe before it ends")
        func stoppedUnderSafe() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
                #expect(agent.errors.all.last?.contains("agent has stopped; outputs are safe") == true)
                #expect(try house.edges() == Self.switchedOn + ["level 1"])
                // By an order, not because the keeper had to.
                let status = try await house.keeperStatus()
                #expect(status["cause"] == "order")
                #expect(status["interventions"] == 0)
                #expect(!keeper.errors.all.contains { $0.contains("made safe") })
            }
        }
    }
}
