import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a changed configuration that is wrong, or that needs a restart, is refused whole and with words, and the
    /// agent goes on with the one that it had.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ReloadRefusalTests {
        private static let goesOn = "the agent goes on with the configuration that it had"

        /// Tells the agent to look, and checks that it refuses.
        ///
        /// - Returns: The reasons that it logged.
        private func refused(_ agent: Program) async throws -> [String] {
            let before = agent.errors.all.count
            agent.signal(SIGHUP)
            try await agent.errors.next(with: Self.goesOn)
            return agent.errors.all.dropFirst(before).filter { $0.contains("changed configuration is refused") }
        }

        @Test("Every mistake is logged, nothing of the rest is applied, and no line is touched")
        func mistakes() async throws {
            try await Household.open { house in
                let (agent, _) = try await house.keep()
                try house.done(await house.m2m("call", "heater", "on"))
                let edges = try house.edges()
                let description = try house.done(await house.m2m("describe", "--json")).output
                try house.writeDevice([
                    .noRouter, .keeper, .init("safe = \"off\"", "safe = \"so\""), .pump,
                    .init("debounce = \"20ms\"", "debounce = \"20\""),
                    .init("altitude = \"212 m\"", "altitude = \"5 m\""),
                ])
                let reasons = try await refused(agent)
                #expect(reasons.count == 2, "\(reasons)")
                #expect(reasons.contains { $0.contains("agent.toml:") && $0.contains("'safe'") }, "\(reasons)")
                #expect(reasons.contains { $0.contains("agent.toml:") && $0.contains("'debounce'") }, "\(reasons)")
                #expect(try house.done(await house.m2m("describe", "--json")).output == description)
                #expect(try house.edges() == edges)
                #expect(try await house.m2m("call", "pump", "on").status == 1)

                // A mistake that is mended is forgotten.
                try house.writeDevice([.noRouter, .keeper, .pump])
                agent.signal(SIGHUP)
                try await agent.errors.next(with: "changed configuration is applied")
                #expect(try house.edges() == edges)
                try house.done(await house.m2m("call", "pump", "on"))
            }
        }

        @Test("A file that is no TOML, or is gone, is refused as well", arguments: ["[device", nil])
        func unreadable(_ text: String?) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                unlink(house.configuration)
                if let text { try house.folder.write("greenhouse/agent.toml", text) }
                #expect(try await !refused(agent).isEmpty)
                try await house.settleHeater(isOn: false)
                try house.done(await house.m2m("call", "heater", "on"))
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test(
            "What the agent makes of a table at its start only is named, and not changed halfway",
            arguments: [
                ("[router]", GreenhouseFile.Edit("[local]", "[router]\nurl = \"wss://127.0.0.1:1\"\n\n[local]")),
                ("[device]", .init("id = \"greenhouse\"", "id = \"cottage\"")),
                ("[device]", .init("state_directory = \"state\"", "state_directory = \"other\"")),
                ("[local]", .init("socket = \"agent.sock\"", "socket = \"other.sock\"")),
                ("[board]", .init("scenario = \"greenhouse.scenario.toml\"", "")),
                ("[keeper]", .keeper),
                ("[store]", .init("[local]", "[store]\nkeep = \"2d\"\n\n[local]")),
                ("[log]", .init("[local]", "[log]\nlevel = \"debug\"\n\n[local]")),
            ])
        func fixed(_ table: String, _ edit: GreenhouseFile.Edit) async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                try house.writeDevice([.noRouter, .pump, edit])
                let reasons = try await refused(agent)
                #expect(reasons.count == 1, "\(reasons)")
                let words = "what has changed in \(table) needs a restart of the agent"
                #expect(reasons.first?.contains(words) == true, "\(reasons)")
                #expect(try await house.m2m("read", "pump").status == 1)
                #expect(try house.done(await house.m2m("status", "--json")).json.first?["device"] == "greenhouse")
            }
        }
    }
}
