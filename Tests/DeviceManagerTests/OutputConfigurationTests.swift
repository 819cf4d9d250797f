import Components
import ConfigurationSchema
import DeviceManager
import DeviceModel
import TOMLFile
import TestSupport
import Testing

/// What is wrong between the rules of several outputs, or between them and the rest of the file, is found by the check
/// and not at three in the morning; and whoever holds the lines is found where the file says.
@Suite struct OutputConfigurationTests {
    private func read(_ text: String) -> (AgentConfiguration?, [String]) {
        var findings = Findings(file: "agent.toml")
        let table = TOMLFile.parse("[device]\nid = \"greenhouse\"\n\(text)", &findings)
        return (AgentConfiguration.read(table, &findings), findings.lines)
    }

    private func relay(_ id: String, line: Int, safe: String = "off", _ more: String = "") -> String {
        "[components.\(id)]\nmodel = \"relay\"\nline = \"GPIO\(line)\"\nsafe = \"\(safe)\"\n\(more)\n"
    }

    private let router = "[router]\nurl = \"wss://router.example\"\n"

    // MARK: Interlocks

    @Test("An interlock of two outputs that are safe off is right, whichever of them names the other")
    func rightInterlock() throws {
        let (configuration, lines) = read(
            relay("heater", line: 5, "interlock = \"cooler\"\ninterlock_delay = \"200ms\"") + relay("cooler", line: 6))
        #expect(lines.isEmpty)
        #expect(configuration?.components.first?.output?.rules.interlock == ["cooler"])
    }

    @Test(
        "An interlock that could not be kept is a mistake, told where the table begins that has it",
        arguments: [
            ("interlock = \"heater\"", "off", "[components.heater] has an interlock with itself"),
            ("interlock = \"coler\"", "off", "with 'coler', which does not exist; did you mean 'cooler'?"),
            ("interlock = \"heate\"", "off", "with 'heate', which does not exist"),
            ("interlock = \"window\"", "off", "with 'window', which is no output"),
            ("interlock = [\"cooler\"]", "on", "with 'cooler', and one of them is safe \"on\""),
        ])
    func wrongInterlock(key: String, safe: String, words: String) {
        let (configuration, lines) = read(
            relay("heater", line: 5, key) + relay("cooler", line: 6, safe: safe)
                + "[components.window]\nmodel = \"contact\"\nline = \"GPIO17\"\n")
        #expect(configuration == nil)
        #expect(lines.count == 1, "\(lines)")
        #expect(lines.first?.hasPrefix("agent.toml:3:13: error: [components.heater] has an interlock ") == true)
        #expect(lines.first?.hasSuffix(words) == true || lines.first?.contains("\(words): ") == true, "\(lines)")
    }

    @Test("Two outputs that are both safe on can't be kept apart, and both tables are named")
    func bothSafeOn() {
        let (_, lines) = read(
            relay("heater", line: 5, safe: "on", "interlock = \"cooler\"")
                + relay("cooler", line: 6, safe: "on", "interlock = \"heater\""))
        #expect(lines.count == 2)
        for (line, names) in zip(lines, [("heater", "cooler"), ("cooler", "heater")]) {
            #expect(
                line.contains("[components.\(names.0)] has an interlock with '\(names.1)', and both are safe \"on\""))
        }
    }

    @Test("Of an output whose own table is wrong, nothing else is held against the one that names it")
    func brokenPartner() {
        let (_, lines) = read(
            relay("heater", line: 5, "interlock = \"cooler\"") + relay("cooler", line: 6, safe: "cold"))
        #expect(lines.count == 1)
        #expect(lines.first?.contains("'safe' must be") == true)
    }

    // MARK: Without the router

    @Test("Where there is a router, every output says what it does without it; where there is none, nobody asks")
    func linkRule() {
        let outputs = relay("heater", line: 5) + relay("cooler", line: 6, "on_link_lost = { do = \"hold\" }")
        #expect(read(outputs).1.isEmpty)
        let (configuration, lines) = read(router + outputs)
        #expect(configuration == nil)
        #expect(
            lines == [
                "agent.toml:5:13: error: 'on_link_lost' is missing in [components.heater], and there is a [router]: "
                    + "{ after = \"30s\", do = \"safe\" } or { do = \"hold\" }"
            ])
    }

    @Test("That it is missing is told with all other mistakes of the table, and once")
    func linkRuleBesideOtherMistakes() {
        let (_, lines) = read(router + relay("heater", line: 5, safe: "cold", "max_on = 5"))
        #expect(lines.count == 3, "\(lines)")
        #expect(lines.count { $0.contains("'on_link_lost' is missing") } == 1)
    }

    @Test("A wrong one is not called missing")
    func wrongLinkRule() {
        let (_, lines) = read(router + relay("heater", line: 5, "on_link_lost = { do = \"safe\" }"))
        #expect(lines.count == 1, "\(lines)")
        #expect(lines.first?.contains("'on_link_lost' needs after = \"…\" with do = \"safe\"") == true)
    }

    // MARK: The keeper

    @Test("An empty [keeper] means the keeper where its unit puts it")
    func keeperDefaults() throws {
        let keeper = try #require(read("[keeper]\n").0?.keeper)
        #expect(keeper.socket == "/run/m2m-keeper/keeper.sock")
        #expect(keeper.table == "/var/lib/m2m-keeper/outputs.table")
        #expect(keeper.journal == "/run/m2m-agent/outputs.journal")
    }

    @Test("Wrong keys of [keeper] are told with their places")
    func keeperMistakes() {
        let (configuration, lines) = read("[keeper]\nsockte = \"/run/k.sock\"\ntable = \"\"\njournal = 3\n")
        #expect(configuration == nil)
        let expected = [
            "agent.toml:4:1: error: unknown key 'sockte' in [keeper]; did you mean 'socket'?",
            "agent.toml:5:9: error: 'table' must not be empty",
            "agent.toml:6:11: error: 'journal' must be a text in quotes, not the number 3",
        ]
        #expect(lines == expected)
    }
}
