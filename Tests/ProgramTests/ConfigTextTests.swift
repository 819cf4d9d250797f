import TestSupport
import Testing

extension ProgramTests {
    /// Promise: `m2m-agent config-txt` prints for each output what has the firmware drive it safe, and says so where
    /// the firmware can't.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct ConfigTextTests {
        /// What it prints for a device with these components, below its first lines.
        private func configText(_ components: String) async throws -> [String] {
            var lines: [String] = []
            try await Household.open { house in
                let file = try house.folder.write("agent.toml", "[device]\nid = \"greenhouse\"\n\n\(components)")
                let printed = try house.done(await house.run("m2m-agent", ["config-txt", "--config", file]))
                #expect(printed.errors.isEmpty)
                let first = "# Outputs of \(file), safe from the firmware on; for /boot/firmware/config.txt"
                #expect(printed.output.first == first)
                lines = Array(printed.output.dropFirst())
                if lines.first == "[all]" { lines.removeFirst() }
            }
            return lines
        }

        private func heater(_ line: String, _ keys: String = "safe = \"off\"") -> String {
            "[components.heater]\nmodel = \"relay\"\nline = \(line)\n\(keys)\n"
        }

        @Test(
            "A line of the header is told to the firmware by its BCM number, whatever it is called",
            arguments: [
                "\"GPIO5\"", "\"pin 29\"", "{ chip = \"pinctrl-bcm2835\", offset = 5 }",
                "{ chip = \"pinctrl-bcm2711\", offset = 5 }", "{ chip = \"pinctrl-rp1\", offset = 5 }",
            ])
        func header(_ line: String) async throws {
            let printed = try await configText(heater(line))
            #expect(printed == ["# heater: safe is off, which is low", "gpio=5=op,dl,pd"])
        }

        @Test(
            "For a line elsewhere it says that the firmware does not reach it, and tells the firmware nothing",
            arguments: [
                ("{ chip = \"mcp23017\", offset = 5 }", "mcp23017 offset 5"), ("\"PUMP\"", "PUMP"),
            ])
        func elsewhere(_ line: String, _ name: String) async throws {
            let printed = try await configText(heater(line))
            #expect(
                printed == ["# heater is on \(name), which the firmware does not reach: wire a resistor there"])
        }

        @Test(
            "Level and resistor are those of safe, unless 'bias' says otherwise",
            arguments: [
                ("safe = \"off\"", "off, which is low", "dl,pd"), ("safe = \"on\"", "on, which is high", "dh,pu"),
                ("safe = \"off\"\nactive_low = true", "off, which is high", "dh,pu"),
                ("safe = \"on\"\nactive_low = true", "on, which is low", "dl,pd"),
                ("safe = \"off\"\nbias = \"pull-up\"", "off, which is low", "dl,pu"),
                ("safe = \"off\"\nbias = \"disabled\"", "off, which is low", "dl,pn"),
                ("safe = \"off\"\nbias = \"as-is\"", "off, which is low", "dl"),
            ])
        func level(_ keys: String, _ words: String, _ setting: String) async throws {
            let printed = try await configText(heater("\"GPIO6\"", keys))
            #expect(printed == ["# heater: safe is \(words)", "gpio=6=op,\(setting)"])
        }

        @Test("Lines hold on every model, whatever the lines before them are for") func everyModel() async throws {
            try await Household.open { house in
                let file = try house.folder.write(
                    "agent.toml", "[device]\nid = \"greenhouse\"\n\n\(heater("\"GPIO5\""))")
                let printed = try house.done(await house.run("m2m-agent", ["config-txt", "--config", file]))
                #expect(printed.output.dropFirst().first == "[all]")
            }
        }

        @Test("Outputs come in the order of the file, and nothing else does") func order() async throws {
            let pump = "[components.pump]\nmodel = \"relay\"\nline = \"GPIO6\"\nsafe = \"off\"\n"
            let button = "[components.switch]\nmodel = \"button\"\nline = \"GPIO17\"\n"
            let printed = try await configText([pump, button, heater("\"GPIO5\"")].joined(separator: "\n"))
            #expect(printed.filter { $0.hasPrefix("gpio=") } == ["gpio=6=op,dl,pd", "gpio=5=op,dl,pd"])
            #expect(try await configText(button) == ["# none of its components is an output"])
        }
    }
}
