import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a lease ends when it said it would, though everybody who knew of it is dead or hangs; and as long as it
    /// lasts, nobody else moves the output away from safe.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LeaseTests {
        /// How a lease loses its agent.
        enum Loss: String, CaseIterable, Sendable {
            case hangs, isKilled

            var signal: Int32 { self == .hangs ? SIGSTOP : SIGKILL }
        }

        @Test("A lease ends in time without its agent, whatever `on_agent_lost` says", arguments: Loss.allCases)
        func withoutAgent(_ loss: Loss) async throws {
            try await Household.open { house in
                var (agent, keeper) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on", "--lease", "3s"))
                agent.signal(loss.signal)
                try await keeper.errors.next(with: "heater was made safe (off): its deadline has passed")
                let edges = try house.edges()
                #expect(edges.suffix(2) == ["level 0", "level 1"])
                #expect(try await house.keeperStatus()["cause"] == "deadline")

                if loss == .hangs { agent.signal(SIGCONT) } else { agent = try await house.startAgent() }
                try await house.settleHeater(isOn: false)
                #expect(try await house.value("heater.lease_ends") == 1)
                #expect(try await house.value("heater.keeper_interventions") == 0)
                #expect(try await house.value("heater.holder") == "")
                #expect(try house.edges() == edges)
            }
        }

        @Test("A restart of the agent neither ends a lease nor makes it longer, and its end is no different")
        func restart() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on", "--lease", "6s"))
                let before = try await house.keeperStatus()["until"].number
                let holder = try await house.value("heater.holder")
                agent.signal(SIGKILL)
                try await agent.end()
                _ = try await house.startAgent()
                // The new agent has it at once; while it lasts, the deadline at the keeper is the same one.
                try await house.settleHeater(isOn: true)
                #expect(try await house.keeperStatus()["until"].number < before)
                #expect(try await house.value("heater.holder") == holder)
                try await house.settleHeater(isOn: false)
                #expect(try house.edges().suffix(2) == ["level 0", "level 1"])
                #expect(try await house.value("heater.lease_ends") == 1)
                #expect(!keeper.errors.all.contains { $0.contains("connection of its agent") })
            }
        }

        @Test("A hold is renewed again and again for as long as somebody holds it, and ends at once when they let go")
        func renewed() async throws {
            try await Household.open { house in
                _ = try await house.keep([.holds])
                let hold = try house.start("m2m", ["call", "heater", "on", "--hold"])
                try await hold.output.next(with: "held until Ctrl-C")
                // What is left of the lease shrinks until it is renewed: then it is longer than it was before.
                for _ in 0..<2 {
                    var last = try await house.keeperStatus()["until"].number
                    try await house.untilKeeper { status in
                        let left = try status["until"].number
                        #expect(left <= 10)
                        defer { last = left }
                        return left > last
                    }
                }
                hold.signal(SIGINT)
                let outcome = try await hold.outcome()
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.output.last == "heater on: let go; it is safe again")
                // Nobody waited for a deadline: it is an order of the agent's.
                let status = try await house.keeperStatus()
                #expect(status["value"] == "off")
                #expect(status["cause"] == "order")
            }
        }

        @Test("Who wants what somebody else holds is told who that is and for how long; anybody may make it safe")
        func refused() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on", "--lease", "10m"))
                let holder = try await house.value("heater.holder").text
                #expect(holder.contains("on the device"), "\(holder)")
                for arguments in [["on"], ["on", "--lease", "1m"], ["on", "--hold"], ["pulse", "duration=1s"]] {
                    let refused = try await house.run("m2m", ["call", "heater"] + arguments)
                    #expect(refused.status == 1)
                    #expect(refused.output.isEmpty)
                    let words = refused.errors.joined()
                    #expect(words.contains(": refused: held: heater is held on by \(holder) for another "), "\(words)")
                    #expect(words.contains("switching it off is always possible"))
                }
                #expect(try await house.value("heater.refusals") == 4)
                let off = try house.done(await house.m2m("call", "heater", "off"))
                #expect(off.output == ["heater off: done"])
                #expect(try await house.value("heater.holder") == "")
                try house.done(await house.m2m("call", "heater", "on"))
            }
        }
    }
}
