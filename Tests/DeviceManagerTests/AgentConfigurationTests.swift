import ConfigurationSchema
import DeviceManager
import DeviceModel
import Logging
import TOMLFile
import TestSupport
import Testing

@Suite struct AgentConfigurationTests {
    private func read(_ text: String) -> (AgentConfiguration?, [String]) {
        var findings = Findings(file: "agent.toml")
        let table = TOMLFile.parse(text, &findings)
        return (AgentConfiguration.read(table, &findings), findings.lines)
    }

    private let minimum = "[device]\nid = \"greenhouse\"\n"

    @Test func theLeastThatWorks() throws {
        let (configuration, lines) = read(minimum)
        #expect(lines.isEmpty)
        let agent = try #require(configuration)
        #expect(agent.id.rawValue == "greenhouse")
        #expect(agent.router == nil)
        #expect(agent.keeper == nil)
        #expect(agent.local.socket == "/run/m2m-agent/agent.sock")
        #expect(agent.stateDirectory == "/var/lib/m2m-agent")
        #expect(agent.boardKind == .linux)
        #expect(agent.logLevel == .info)
        #expect(agent.store.maxSize == 67_108_864)
        #expect(agent.components.isEmpty)
    }

    @Test("A watch over no files is a mistake") func noPaths() {
        let (_, lines) = read(minimum + "[integrity]\npaths = []\n")
        #expect(lines == ["agent.toml:4:9: error: 'paths' must name a file or a folder"])
    }

    @Test func everythingAtOnce() throws {
        let (configuration, lines) = read(
            """
            [device]
            id = "greenhouse"
            label = "Gewächshaus Süd"
            state_directory = "/tmp/state"
            [router]
            url = "wss://router.example:8443"
            ca_file = "/etc/ca.pem"
            account = "anna"
            [local]
            socket = "/tmp/agent.sock"
            control_group = "m2m"
            read_group = "users"
            [board]
            kind = "simulated"
            scenario = "s.toml"
            [keeper]
            socket = "/run/keeper.sock"
            table = "outputs.table"
            journal = "/run/outputs.journal"
            [store]
            commit_interval = "30s"
            max_size = "16 MiB"
            keep = "7d"
            [log]
            level = "debug"
            [components.climate]
            model = "bmp280"
            label = "Klima"
            interval = "2s"
            altitude = "212 m"
            offset = { temperature = "-0.3 °C" }
            report = { on_change = { temperature = "0.1 °C", pressure = "0.1 hPa" }, at_least = "60s" }
            [components.switch]
            model = "button"
            line = "GPIO17"
            on_pressed = "heater toggle"
            on_long_pressed = ["heater off", "heater pulse duration=5s"]
            [components.heater]
            model = "relay"
            line = { chip = "pinctrl-rp1", offset = 5 }
            safe = "off"
            on_link_lost = { after = "30s", do = "safe" }
            [components.machine]
            model = "system"
            """)
        #expect(lines.isEmpty)
        let agent = try #require(configuration)
        #expect(agent.router?.address == RouterAddress(host: "router.example", port: 8_443))
        #expect(agent.local.readGroup == "users")
        #expect(agent.boardKind == .simulated)
        #expect(agent.keeper?.socket == "/run/keeper.sock")
        #expect(agent.keeper?.table == "outputs.table")
        #expect(agent.keeper?.journal == "/run/outputs.journal")
        #expect(agent.store.commitInterval == .seconds(30))
        #expect(agent.components.map(\.id.rawValue) == ["climate", "switch", "heater", "machine"])
        #expect(agent.components[0].description.label == "Klima")
        #expect(agent.components[0].description.property("sea_level_pressure") != nil)
        #expect(agent.bindings.map(\.event) == ["pressed", "long-pressed", "long-pressed"])
        #expect(agent.bindings.last?.parameters == ["duration": .number(5)])
        #expect(agent.description(software: "x").components.count == 4)
    }

    /// Thirteen mistakes of twelve kinds: all of them in one run, each in its place.
    @Test func aDozenMistakes() {
        let (configuration, lines) = read(
            """
            [device]
            id = "Green House"
            state_dir = "/tmp"
            [router]
            url = "http://router"
            [components.climate]
            model = "bmp280"
            adress = 0x76
            interval = 2
            [components.other]
            model = "bmp208"
            [components.switch]
            model = "button"
            line = "GPIO17"
            on_pressed = "heatre toggle"
            [components.heater]
            model = "relay"
            line = "GPIO5"
            [components.lamp]
            model = "relay"
            line = "GPIO6"
            safe = "maybe"
            on_link_lost = "hold"
            [components.pump]
            model = "relay"
            line = "pin 11"
            safe = "off"
            interlock = "vlave"
            [components.valve]
            model = "relay"
            line = "GPIO13"
            safe = "off"
            on_link_lost = { do = "hold" }
            """)
        #expect(configuration == nil)
        let expected = [
            "agent.toml:2:6: error: 'id' must be",
            "agent.toml:3:1: error: unknown key 'state_dir' in [device]",
            "agent.toml:5:7: error: 'url' must be an address such as \"wss://router.example:443\"",
            "agent.toml:8:1: error: unknown key 'adress' in [components.climate]; did you mean 'address'?",
            "agent.toml:9:12: error: 'interval' must be a duration",
            "agent.toml:11:9: error: 'model' must be one of bmp280, ",
            "agent.toml:15:14: error: 'on_pressed' names the component 'heatre', which does not exist",
            "agent.toml:16:13: error: 'safe' is missing in [components.heater]",
            "agent.toml:16:13: error: 'on_link_lost' is missing in [components.heater], and there is a [router]: {",
            "agent.toml:22:8: error: 'safe' must be \"on\" or \"off\", not \"maybe\"",
            "agent.toml:23:16: error: 'on_link_lost' must be { after = \"30s\", do = \"safe\" } or { do = \"hold\" }, not",
            "agent.toml:24:13: error: [components.pump] and [components.switch] (line 12) both use line pin 11",
            "agent.toml:24:13: error: 'on_link_lost' is missing in [components.pump], and there is a [router]: {",
            "agent.toml:24:13: error: [components.pump] has an interlock with 'vlave', which does not exist; did you "
                + "mean 'valve'?",
        ]
        #expect(lines.count == expected.count, "\(lines)")
        for (line, words) in zip(lines, expected) { #expect(line.hasPrefix(words), "\(line)") }
    }

    @Test(arguments: [
        ("model = \"bmp280\"\n[components.b]\nmodel = \"bmp280\"", "both use 0x76 on I²C bus 1"),
        (
            "model = \"button\"\nline = \"GPIO4\"\n[components.b]\nmodel = \"relay\"\nline = \"pin 7\"\nsafe = \"off\"",
            "both use line pin 7"
        ),
        (
            "model = \"bmp280\"\nreport = { on_change = { humidity = \"1 %\" } }",
            "unknown key 'humidity' in [components.a.report.on_change]"
        ),
        (
            "model = \"bmp280\"\nreport = { on_change = { temperature = \"1 hPa\" } }",
            "'temperature' must be a temperature difference"
        ),
        ("model = \"button\"\nline = \"GPIO4\"\non_pressed = \"a\"", "must be a component and its action"),
        ("model = \"button\"\nline = \"GPIO4\"\non_pressed = \"a toggle\"", "wants a to 'toggle', which it can't"),
        (
            "model = \"relay\"\nline = \"GPIO4\"\nsafe = \"off\"\n[components.b]\nmodel = \"button\"\nline = \"GPIO5\"\non_clicked = \"a puls\"",
            "did you mean 'pulse'?"
        ),
        (
            "model = \"relay\"\nline = \"GPIO4\"\nsafe = \"off\"\n[components.b]\nmodel = \"button\"\nline = \"GPIO5\"\non_clicked = \"a pulse\"",
            "needs duration="
        ),
        (
            "model = \"relay\"\nline = \"GPIO4\"\nsafe = \"off\"\n[components.b]\nmodel = \"button\"\nline = \"GPIO5\"\non_clicked = \"a pulse duration=soon\"",
            "needs a duration"
        ),
        ("modle = \"relay\"", "'model' is missing in [components.a]"),
        (
            "model = \"relay\"\nline = \"GPIO4\"\nsafe = \"off\"\nmax_onn = \"5m\"",
            "unknown key 'max_onn' in [components.a]; did you mean 'max_on'?"
        ),
    ])
    func mistakesBetweenKeys(component: String, words: String) {
        let (configuration, lines) = read("\(minimum)[components.a]\n\(component)\n")
        #expect(configuration == nil)
        #expect(lines.contains { $0.contains(words) }, "\(lines)")
    }

    @Test("a mistake in one component neither hides nor makes one in another")
    func mistakesInSeveralComponents() {
        let (_, lines) = read(
            """
            \(minimum)[components.switch]
            model = "button"
            line = "GPIO17"
            bias = "up"
            on_pressed = "heater toggle"
            on_released = "heatre off"
            [components.heater]
            model = "relay"
            line = "pin 11"
            [components.lamp]
            model = "led"
            """)
        let expected = [
            "'bias' must be", "'on_released' names the component 'heatre', which does not exist",
            "'safe' is missing in [components.heater]", "[components.heater] and [components.switch]",
            "'model' must be one of",
        ]
        #expect(lines.count == expected.count)
        for words in expected { #expect(lines.contains { $0.contains(words) }, "\(words): \(lines)") }
    }

    @Test func namesOfComponents() {
        let (_, lines) = read("\(minimum)[components.\"9 lives\"]\nmodel = \"system\"\n")
        #expect(lines.first?.contains("a component's name is") == true)
    }

    @Test func anEmptyFileSaysWhatIsMissing() {
        let (_, lines) = read("")
        #expect(
            lines == ["agent.toml:1:1: error: 'device' is missing in this file: the table that says who the device is"])
    }
}
