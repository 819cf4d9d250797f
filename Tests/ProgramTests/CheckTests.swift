import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: `m2m-agent check` lists every mistake of a configuration in one run, each where it is.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct CheckTests {
        /// Ten mistakes, and no eleventh.
        private static let wrong = """
            [device]
            id = "Green House"
            state_directory = ""

            [router]
            url = "http://router.example"

            [board]
            kind = "simulated"
            scenari = "greenhouse.scenario.toml"

            [components.climate]
            model = "bmp280"
            adress = 0x76
            interval = "1"

            [components.switch]
            model = "button"
            line = "GPIO17"
            on_pressed = "heater jump"

            [components.heater]
            model = "relay"
            line = "GPIO17"
            safe = "off"
            on_link_lost = { do = "hold" }

            [components.oven]
            model = "stove"

            [colour]
            walls = "green"
            """

        /// Where they are, and words that tell them apart.
        private static let mistakes: [(line: Int, column: Int, words: String)] = [
            (2, 6, "'id' must be 1 to 63 of a-z, 0-9 and -"),
            (3, 19, "'state_directory' must not be empty"),
            (6, 7, "'url' must be an address such as \"wss://"),
            (10, 1, "unknown key 'scenari' in [board]; did you mean 'scenario'?"),
            (14, 1, "unknown key 'adress' in [components.climate]; did you mean 'address'?"),
            (15, 12, "'interval' must be a duration such as"),
            (20, 14, "jump"),
            (22, 13, "[components.heater] and [components.switch] (line 17) both use line GPIO17"),
            (29, 9, "'model' must be one of bmp280, button, contact, relay, system"),
            (31, 2, "unknown key 'colour'"),
        ]

        @Test("A file with ten different mistakes gives ten lines, each with its line and column, and 1")
        func tenMistakes() async throws {
            try await Household.open { house in
                let file = try house.folder.write("agent.toml", Self.wrong)
                let check = try await house.run("m2m-agent", ["check", "--config", file])
                #expect(check.status == 1)
                #expect(check.errors.isEmpty)
                #expect(check.output.count == Self.mistakes.count, "\(check)")
                for (said, mistake) in zip(check.output, Self.mistakes) {
                    #expect(said.hasPrefix("\(file):\(mistake.line):\(mistake.column): error: "))
                    #expect(said.contains(mistake.words))
                }
            }
        }

        @Test("With --json each of the ten is an object on a line of its own")
        func json() async throws {
            try await Household.open { house in
                let file = try house.folder.write("agent.toml", Self.wrong)
                let check = try await house.run("m2m-agent", ["check", "--json", "--config", file])
                #expect(check.status == 1)
                let objects = try check.json
                #expect(objects.count == Self.mistakes.count)
                for (said, mistake) in zip(objects, Self.mistakes) {
                    #expect(said.keys == ["file", "line", "column", "severity", "message"])
                    #expect(said["file"] == .text(file))
                    #expect(said["line"] == .number(Double(mistake.line)))
                    #expect(said["column"] == .number(Double(mistake.column)))
                    #expect(said["severity"] == "error")
                    #expect(try said["message"].text.contains(mistake.words))
                }
            }
        }

        @Test(
            "The agent does not run with a mistake: it says the same, on standard error, and that nothing was started")
        func run() async throws {
            try await Household.open { house in
                let file = try house.folder.write("agent.toml", Self.wrong)
                let run = try await house.run("m2m-agent", ["run", "--config", file])
                #expect(run.status == 1)
                #expect(run.output.isEmpty)
                #expect(run.errors.count == Self.mistakes.count + 1)
                #expect(run.errors.last == "m2m-agent: nothing was started; mend the configuration and start again")
            }
        }

        @Test("A good file is all right, and 0") func good() async throws {
            try await Household.open { house in
                try house.writeDevice()
                let check = try await house.run("m2m-agent", ["check", "--config", house.configuration])
                #expect(check.status == 0)
                #expect(check.output == ["\(house.configuration): all right"])
                let json = try await house.run("m2m-agent", ["check", "--json", "--config=\(house.configuration)"])
                #expect(json.status == 0)
                #expect(json.output.isEmpty)
            }
        }

        @Test("A file that is missing, or no text, or a folder, is named, with what to do, and 1")
        func noFile() async throws {
            try await Household.open { house in
                let missing = house.folder.file("nowhere.toml")
                let check = try await house.run("m2m-agent", ["check", "--config", missing])
                #expect(check.status == 1)
                #expect(check.output == ["\(missing) does not exist; --config names another file"])
                let json = try await house.run("m2m-agent", ["check", "--json", "--config", missing])
                #expect(json.status == 1)
                #expect(try json.json.map { $0["file"] } == [.text(missing)])

                let noText = try house.folder.write("agent.toml", "\u{0}\u{1}")
                for path in [noText, house.folder.path] {
                    let check = try await house.run("m2m-agent", ["check", "--config", path])
                    #expect(check.status == 1)
                    #expect(check.output.count == 1)
                    #expect(check.output.joined().contains(path))
                }
            }
        }

        @Test("A mistake of the scenario is shown with the scenario's name, and a missing one where it is named")
        func scenario() async throws {
            try await Household.open { house in
                try house.writeDevice(scenario: "[[faults]]\nat = \"1s\"\naddress = 0x76\nkind = \"explodes\"\n")
                let scenario = house.folder.file("greenhouse/greenhouse.scenario.toml")
                let check = try await house.run("m2m-agent", ["check", "--config", house.configuration])
                #expect(check.status == 1)
                #expect(check.output.count == 1)
                #expect(check.output.joined().hasPrefix("\(scenario):4:8: error: 'kind' must be "))

                try house.writeDevice([.init("greenhouse.scenario.toml", "elsewhere.toml")])
                let missing = try await house.run("m2m-agent", ["check", "--config", house.configuration])
                #expect(missing.status == 1)
                #expect(missing.output.joined().contains("elsewhere.toml does not exist"))
                #expect(missing.output.joined().hasPrefix("\(house.configuration):17:12: error: "))
            }
        }

        @Test("The router's file is checked as well: all its mistakes, each where it is, and 1")
        func router() async throws {
            try await Household.open { house in
                let file = try house.folder.write(
                    "router.toml", "listn = 1\nlisten = \"nonsense\"\n[log]\nlevel = \"loud\"\n")
                let serve = try await house.run("m2m-router", ["serve", "--config", file])
                #expect(serve.status == 1)
                #expect(serve.errors.contains { $0.hasPrefix("\(file):1:1: error: unknown key 'listn'") })
                #expect(serve.errors.contains { $0.hasPrefix("\(file):2:10: error: 'listen' must be HOST:PORT") })
                #expect(serve.errors.contains { $0.hasPrefix("\(file):4:9: error: 'level' must be ") })
            }
        }

        @Test("--probe looks at the board of the configuration, without an agent that runs") func probe() async throws {
            try await Household.open { house in
                try house.writeDevice()
                let probe = ["check", "--probe", "--json", "--config", house.configuration]
                let check = try house.done(await house.run("m2m-agent", probe))
                #expect(try check.json.map { $0["board"] } == ["simulated board"])
                let lines = try check.json.flatMap { $0["chips"].list.flatMap { $0["lines"].list } }
                #expect(lines.count == 28)
                #expect(lines.allSatisfy { $0["consumer"] == .null })
            }
        }

        @Test(
            "`m2m probe` where no agent runs, or none any more, asks the agent's program beside it",
            arguments: [[], ["--json"]], [false, true])
        func probeByProgram(_ format: [String], _ wasKilled: Bool) async throws {
            try await Household.open { house in
                if wasKilled {  // its socket is still there
                    try house.writeDevice([.noRouter])
                    let agent = try await house.startAgent()
                    agent.signal(SIGKILL)
                    try await agent.end()
                }
                // The true one would look at the hardware of whoever runs the tests.
                let agent = try house.folder.write("m2m-agent", "#!/bin/sh\necho \"$@\"\nexit 7\n")
                chmod(agent, 0o700)
                // No symbolic link, which would be followed to the true one's folder.
                let (program, copy) = ("\(Household.programs)m2m", house.folder.file("m2m"))
                if link(program, copy) != 0 { try FileManager.default.copyItem(atPath: program, toPath: copy) }
                let probe = try await house.run(copy, ["probe"] + format)
                #expect(probe.output == [(["check", "--probe"] + format).joined(separator: " ")])
                #expect(probe.status == 7)
            }
        }
    }
}
