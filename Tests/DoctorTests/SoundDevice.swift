import ConfigurationSchema
import DeviceManager
import DeviceModel
import Doctor
import TOMLFile
import Testing
import Transport

/// A device on which all is well, until a test breaks something.
struct SoundDevice {
    var machine = FakeMachine()
    var patient: Patient

    static let configuration = """
        [device]
        id = "greenhouse"
        [router]
        url = "wss://router.example"
        [keeper]
        [components.climate]
        model = "bmp280"
        address = 0x76
        [components.heater]
        model = "relay"
        line = "GPIO5"
        active_low = true
        safe = "off"
        on_link_lost = { do = "hold" }
        """

    init() throws {
        patient = Patient(
            configurationFile: "/etc/m2m-agent/agent.toml",
            configuration: .right(
                try Self.read(Self.configuration),
                Patient.Identity(hasKey: true, trust: .file("/var/lib/m2m-agent/router-ca.pem"))),
            agent: Patient.Answers(
                status: AgentStatus(
                    device: try #require(DeviceID(rawValue: "greenhouse")), software: "m2m-agent 0.1.0",
                    board: "Raspberry Pi 4", uptime: .seconds(86_400),
                    link: LinkStatus(router: "wss://router.example:443", state: .connected),
                    store: StoreStatus(kept: 3, bytes: 40_960),
                    components: [
                        ComponentStatus(id: try #require(ComponentID(rawValue: "climate")), model: "bmp280"),
                        ComponentStatus(id: try #require(ComponentID(rawValue: "heater")), model: "relay"),
                    ], notes: []),
                integrity: IntegrityStatus(state: .intact, mode: "inotify", counter: 1, files: 3), process: 42),
            board: BoardInventory(
                board: "Raspberry Pi 4",
                buses: [.init(number: 1, name: "bcm2835", targets: [.init(address: 0x76, isHeldByDriver: false)])]))
    }

    /// A configuration, by its text.
    static func read(_ text: String) throws -> AgentConfiguration {
        var findings = Findings(file: "agent.toml")
        let agent = AgentConfiguration.read(TOMLFile.parse(text, &findings), &findings)
        return try #require(agent, "\(findings.lines)")
    }

    /// Puts other words in the place of some of its configuration.
    mutating func configure(_ old: String, _ new: String) throws {
        let text = Self.configuration.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        #expect(text != Self.configuration)
        guard case .right(_, let identity) = patient.configuration else { return }
        patient.configuration = .right(try Self.read(text), identity)
    }

    /// What the doctor says of it.
    func findings() async -> [Finding] {
        await Examination(of: patient, on: machine).findings()
    }
}
