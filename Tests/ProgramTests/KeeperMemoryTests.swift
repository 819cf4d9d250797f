import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: what is on is left on only where it is known why; and a keeper holds only what a whole table says.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct KeeperMemoryTests {
        /// What may become of the journal while the agent is away.
        enum Loss: String, CaseIterable, Sendable {
            case deleted, damaged, empty, ofAnotherBoot
        }

        private func lose(_ house: Household, _ loss: Loss) throws {
            let text = try house.read(house.journal)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines.contains { $0.hasPrefix("output heater wanted=active") }, "\(text)")
            switch loss {
            case .deleted: unlink(house.journal)
            case .damaged: try house.folder.write("greenhouse/outputs.journal", String(text.dropLast(5)))
            case .empty: try house.folder.write("greenhouse/outputs.journal", "")
            case .ofAnotherBoot:
                let boot = String(repeating: "0", count: 32)
                let body = lines.dropLast(2).map { ($0.hasPrefix("boot ") ? "boot \(boot)" : $0) + "\n" }.joined()
                // FNV-1a, so that it is whole.
                let checksum = body.utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
                    ($0 ^ UInt64($1)) &* 1_099_511_628_211
                }
                let digits = String(checksum, radix: 16)
                let end = String(repeating: "0", count: 16 - digits.count) + digits
                try house.folder.write("greenhouse/outputs.journal", "\(body)end \(end)\n")
            }
        }

        @Test("What is on is made safe by an agent that does not know why it is", arguments: Loss.allCases)
        func journal(_ loss: Loss) async throws {
            try await Household.open { house in
                var (agent, _) = try await house.keep([.holds])
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGKILL)
                try await agent.end()
                try lose(house, loss)
                let before = try house.edges()
                agent = try await house.startAgent()
                try await house.settleHeater(isOn: false)
                #expect(try house.edges() == before + ["level 1"])
                let reason = try await house.value("heater.reason")
                #expect(reason == "found away from safe, and nobody knows why: made safe")
                let isSaid = agent.errors.all.contains { $0.contains("journal of the outputs is damaged") }
                #expect(isSaid == (loss == .damaged || loss == .empty), "\(agent.errors.all)")
                try house.done(await house.m2m("call", "heater", "on"))
            }
        }

        @Test(
            "A table that is missing or damaged: the keeper holds nothing, says why, and ends with 78; the agent writes it anew",
            arguments: ["", "missing", "m2m-keeper table 1\n", "cut", "flipped"])
        func table(_ damage: String) async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep()
                for program in [agent, keeper] {
                    program.signal(SIGTERM)
                    try await program.end()
                }
                let good = try house.read(house.keeperTable)
                switch damage {
                case "missing": unlink(house.keeperTable)
                case "cut": try house.folder.write("greenhouse/outputs.table", String(good.dropLast(10)))
                case "flipped":
                    try house.folder.write("greenhouse/outputs.table", good.replacing("safe 0", with: "safe 1"))
                default: try house.folder.write("greenhouse/outputs.table", damage)
                }
                let before = try house.edges()
                let refused = try house.startKeeperOnly()
                #expect(try await refused.end() == .exited(78))
                #expect(refused.errors.all.first?.contains("outputs.table") == true, "\(refused.errors.all)")
                #expect(refused.errors.all.last?.contains("the table is written by m2m-agent, so start that") == true)
                #expect(try house.edges() == before)

                let again = try await house.startAgent()
                try await again.errors.hold("the keeper does not answer")
                #expect(try house.read(house.keeperTable) == good)
                _ = try await house.startKeeper()
                try await house.settleHeater(isOn: false)
            }
        }

        @Test("The keeper comes first at boot: outputs are safe before there is an agent, which then takes them over")
        func boot() async throws {
            try await Household.open { house in
                let (agent, keeper) = try await house.keep()
                for program in [agent, keeper] {
                    program.signal(SIGKILL)
                    try await program.end()
                }
                let before = try house.edges()
                _ = try await house.startKeeper()
                #expect(try house.edges() == before + ["request m2m-keeper heater", "level 1"])
                _ = try await house.startAgent()
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
                #expect(try house.edges() == before + ["request m2m-keeper heater", "level 1", "level 0"])
            }
        }
    }
}
