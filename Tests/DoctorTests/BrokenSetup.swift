import DeviceModel
import Doctor
import Testing
import Transport

/// Something that is broken, and what the doctor has to say of it.
struct BrokenSetup: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let place: Finding.Place
    var severity = Finding.Severity.fault
    let finding: String
    var cause = ""
    let cure: String
    /// Where else it is felt.
    var alsoAt: [Finding.Place] = []
    let breakIt: @Sendable (inout SoundDevice) throws -> Void

    init(
        _ description: String, _ place: Finding.Place, _ severity: Finding.Severity = .fault, says finding: String,
        because cause: String = "", cure: String, alsoAt: [Finding.Place] = [],
        _ breakIt: @escaping @Sendable (inout SoundDevice) throws -> Void
    ) {
        testDescription = description
        (self.place, self.severity, self.finding) = (place, severity, finding)
        (self.cause, self.cure, self.alsoAt, self.breakIt) = (cause, cure, alsoAt, breakIt)
    }

    static var all: [BrokenSetup] { agent + outputs + board + network + machine }

    /// An agent that does not run says nothing.
    private static func silence(_ device: inout SoundDevice) {
        device.patient.agent = nil
        device.patient.silence = .dead("/run/m2m-agent/agent.sock cannot be reached: No such file or directory")
    }

    private static let agent = [
        BrokenSetup(
            "no configuration", .configuration, says: "there is no /etc/m2m-agent/agent.toml",
            cure: "sudo cp /usr/share/doc/m2m-agent/examples/agent.toml /etc/m2m-agent/"
        ) { $0.patient.configuration = .missing },
        BrokenSetup(
            "a mistake in the configuration", .configuration, says: "agent.toml:3:1: error:", cure: "mend"
        ) { $0.patient.configuration = .wrong(["/etc/m2m-agent/agent.toml:3:1: error: 'lable' is no key here"]) },
        BrokenSetup(
            "the agent is stopped", .agent, says: "m2m-agent does not run", because: "inactive",
            cure: "sudo systemctl enable --now m2m-agent"
        ) {
            silence(&$0)
            $0.machine.units["m2m-agent"] = "LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"
        },
        BrokenSetup(
            "the agent crashes", .agent, says: "ends again and again", because: "watchdog",
            cure: "journalctl --unit m2m-agent"
        ) {
            silence(&$0)
            $0.machine.units["m2m-agent"] =
                "LoadState=loaded\nActiveState=activating\nUnitFileState=enabled\nResult=watchdog\n"
        },
        BrokenSetup(
            "the agent hangs", .agent, says: "runs and does not answer", because: "says nothing for 20 s",
            cure: "sudo systemctl restart m2m-agent"
        ) {
            silence(&$0)
            $0.patient.silence = .hung("/run/m2m-agent/agent.sock says nothing for 20 s")
        },
        BrokenSetup(
            "nobody has approved the files", .integrity, .warning, says: "nobody has approved 3 files",
            cure: "m2m integrity greenhouse approve"
        ) { $0.patient.agent?.integrity?.counter = 0 },
        BrokenSetup(
            "no agent, and no systemd", .agent, says: "does not answer", because: "cannot be reached",
            cure: "m2m-agent run"
        ) {
            silence(&$0)
            $0.machine.units = [:]
        },
        BrokenSetup(
            "the agent is not started at boot", .agent, .warning, says: "not started at boot",
            cure: "sudo systemctl enable m2m-agent"
        ) { $0.machine.units["m2m-agent"] = "LoadState=loaded\nActiveState=active\nUnitFileState=disabled\n" },
        BrokenSetup(
            "the device is disabled", .agent, says: "disabled: a file", cure: "m2m integrity greenhouse enable"
        ) { $0.patient.agent?.status.notes = ["the device is disabled: a file was changed"] },
        BrokenSetup(
            "a component fails", .components, says: "heater (relay) does not work", because: "held by \"gpioset\"",
            cure: "m2m probe"
        ) { $0.patient.agent?.status.components[1].problem = "GPIO5 is held by \"gpioset\"" },
        BrokenSetup(
            "a file was changed", .integrity, says: "1 file is not as approved",
            cure: "m2m integrity greenhouse approve"
        ) {
            $0.patient.agent?.integrity?.state = .changed
            $0.patient.agent?.integrity?.changes = 1
        },
        BrokenSetup(
            "the store is full", .store, .warning, says: "7 observations were dropped", cure: "max_size"
        ) { $0.patient.agent?.status.store.dropped = 7 },
        BrokenSetup("the store fails", .store, says: "does not work", because: "I/O", cure: "restart m2m-agent") {
            $0.patient.agent?.status.store.problem = "disk I/O error"
        },
        BrokenSetup(
            "a database was damaged", .store, .warning, says: "store.db.damaged",
            cure: "sudo rm /var/lib/m2m-agent/store.db.damaged /var/lib/m2m-agent/store.db.damaged-wal"
        ) { $0.machine.folders["/var/lib/m2m-agent"] = ["store.db", "store.db.damaged", "store.db.damaged-wal"] },
    ]

    private static let outputs = [
        BrokenSetup(
            "the keeper is stopped", .keeper, says: "m2m-keeper does not run",
            cure: "sudo systemctl enable --now m2m-keeper"
        ) {
            $0.machine.units["m2m-keeper"] = "LoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\n"
            $0.patient.agent?.status.notes = ["what the output lines do now is up to the kernel"]
        },
        BrokenSetup(
            "the keeper is not heard", .keeper, says: "up to the kernel", cure: "journalctl --unit m2m-keeper"
        ) { $0.patient.agent?.status.notes = ["what the output lines do now is up to the kernel"] },
        BrokenSetup(
            "the agent holds its outputs itself", .keeper, .warning, says: "the agent holds the outputs itself",
            cure: "sudo systemctl enable --now m2m-keeper"
        ) { try $0.configure("[keeper]\n", "") },
        BrokenSetup(
            "lines keep their value without a keeper", .gpio, .warning, says: "keeps its last value",
            cure: #"printf '\n[all]\ndtparam=strict_gpiod\n' | sudo tee -a /boot/firmware/config.txt && sudo reboot"#,
            alsoAt: [.keeper]
        ) {
            try $0.configure("[keeper]\n", "")
            $0.machine.files["/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs"] = "Y\n"
        },
        BrokenSetup(
            "the firmware leaves an output alone", .bootValues, .warning, says: "does not make heater safe",
            cure: "sudo m2m-agent config-txt | sudo tee -a /boot/firmware/config.txt"
        ) { $0.machine.files["/boot/firmware/config.txt"] = "[pi5]\ngpio=5=op,dh,pu\n" },
        BrokenSetup(
            "the firmware drives an output the other way", .bootValues, .warning, says: "does not make heater safe",
            cure: "config-txt"
        ) { $0.machine.files["/boot/firmware/config.txt"] = "gpio=5=op,dh,pu\ngpio=5=op,dl # no\n" },
        BrokenSetup(
            "the hardware watchdog is not used", .watchdog, .warning, says: "is not restarted",
            cure: "RuntimeWatchdogSec=14s"
        ) { $0.machine.watchdog = "0" },
        BrokenSetup(
            "no hardware watchdog", .watchdog, .warning, says: "there is no hardware watchdog",
            cure: "dtparam=watchdog=on"
        ) { $0.machine.nodes["/dev/watchdog0"] = nil },
    ]

    private static let board = [
        BrokenSetup(
            "a chip that the agent may not open", .devices, says: "may not open /dev/gpiochip0", because: "root",
            cure: "sudo udevadm trigger --action=add --settle --subsystem-match=gpio"
        ) { $0.machine.nodes["/dev/gpiochip0"] = DeviceNode(group: "root", isOpenToGroup: false) },
        BrokenSetup(
            "a bus that its group may not write", .devices, says: "may not open /dev/i2c-1", because: "its group i2c",
            cure: "--subsystem-match=i2c-dev"
        ) { $0.machine.nodes["/dev/i2c-1"]?.isOpenToGroup = false },
        BrokenSetup(
            "no group", .devices, says: "there is no group gpio", cure: "sudo systemd-sysusers"
        ) { $0.machine.groups = ["i2c"] },
        BrokenSetup(
            "the module of the bus is not loaded", .devices, says: "there is no /dev/i2c-1", because: "i2c-dev",
            cure: "sudo modprobe i2c-dev"
        ) { $0.machine.nodes["/dev/i2c-1"] = nil },
        BrokenSetup(
            "I²C is switched off", .devices, says: "there is no /dev/i2c-1", because: "no such bus",
            cure: "sudo raspi-config nonint do_i2c 0"
        ) {
            $0.machine.nodes["/dev/i2c-1"] = nil
            $0.machine.folders["/sys/bus/i2c/devices"] = []
            $0.patient.board?.buses = []
        },
        BrokenSetup(
            "no chip", .devices, says: "there is no /dev/gpiochip0", cure: "apt search"
        ) { $0.machine.folders["/dev"] = ["i2c-1"] },
        BrokenSetup(
            "the sensor at its other address", .i2c, says: "nothing answers at 0x76", because: "0x77 answers there",
            cure:
                #"-e '/^\[components\.climate\]/a address = 0x77' /etc/m2m-agent/agent.toml && sudo m2m-agent check &&"#
        ) { $0.patient.board?.buses[0].targets[0].address = 0x77 },
        BrokenSetup("no sensor", .i2c, says: "nothing answers at 0x76", because: "no power", cure: "see to the wires") {
            $0.patient.board?.buses[0].targets = []
            $0.patient.agent?.status.components[0].problem = "bmp280 at 0x76 does not answer"
        },
        BrokenSetup(
            "a driver of the kernel has the sensor", .i2c, says: "a driver of the kernel holds 0x76",
            cure: "ls -l /sys/bus/i2c/devices/1-0076/driver"
        ) { $0.patient.board?.buses[0].targets[0].isHeldByDriver = true },
        BrokenSetup("a dead bus", .i2c, says: "i2c-1", cure: "power-cycle") {
            $0.patient.board?.problems = ["/dev/i2c-1 does not answer: SDA is held low"]
        },
        BrokenSetup("a weak power supply", .power, .warning, says: "was too low", cure: "power supply") {
            $0.machine.throttled = "throttled=0x50000\n"
        },
    ]
}
