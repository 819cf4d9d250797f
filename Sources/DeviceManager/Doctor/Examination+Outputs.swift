import DeviceManager
import DeviceModel

/// What moves something: who holds the outputs, and what makes them safe where nobody does.
extension Examination {
    func keeper() async -> [Finding] {
        guard let settings = patient.settings else {
            return [Finding(.keeper, .note, "whether there is to be one only the configuration can tell")]
        }
        let outputs = settings.components.count { $0.output != nil }
        guard settings.keeper != nil else {
            guard patient.hasRealBoard, outputs > 0 else {
                return [Finding(.keeper, .note, "there is none, and nothing for it to hold")]
            }
            return [
                Finding(
                    .keeper, .warning, "the agent holds the outputs itself",
                    cause: "when it ends, what they do is up to the kernel",
                    cure: "[keeper] in \(patient.configurationFile); then: sudo systemctl enable --now m2m-keeper && "
                        + "sudo systemctl restart m2m-agent")
            ]
        }
        var findings: [Finding] = []
        if let unit = await unit("m2m-keeper"), unit.isInstalled {
            if unit.active != "active" {
                findings.append(
                    Finding(
                        .keeper, .fault, "m2m-keeper does not run",
                        cause: "its unit is \(unit.active), and \(unit.enabled)",
                        cure: unit.active == "activating" || unit.active == "failed"
                            ? "journalctl --unit m2m-keeper --lines 20" : unit.start("m2m-keeper")))
            } else if !unit.isEnabled {
                findings.append(
                    Finding(
                        .keeper, .warning, "m2m-keeper is not started at boot", cause: "its unit is \(unit.enabled)",
                        cure: "sudo systemctl enable m2m-keeper"))
            }
        }
        if findings.allSatisfy({ $0.severity != .fault }) {
            findings += notes.map {
                Finding(
                    .keeper, .fault, $0, cause: "the agent and the keeper do not agree, or do not hear each other",
                    cure: "journalctl --unit m2m-keeper --lines 20")
            }
        }
        guard findings.isEmpty else { return findings }
        guard patient.agent != nil else {
            return [Finding(.keeper, .note, "whether it holds the outputs only a running agent can tell")]
        }
        return [Finding(.keeper, .good, outputs == 1 ? "it holds 1 output" : "it holds \(outputs) outputs")]
    }

    /// What the agent can't promise of its outputs.
    private var notes: [String] {
        patient.agent?.status.notes.filter { !$0.hasPrefix("the device is disabled") } ?? []
    }

    /// What becomes of a line when nobody holds it any more (raspberrypi/linux pull requests 6117 and 6150).
    func gpio() -> [Finding] {
        guard patient.hasRealBoard else { return [Finding(.gpio, .note, "the board is simulated")] }
        // A kernel for all models has both drivers: the header's own decides.
        let hasRP1 = patient.board?.chips.contains { $0.label == "pinctrl-rp1" } ?? false
        let driver = hasRP1 ? "pinctrl_rp1" : "pinctrl_bcm2835"
        guard let text = readable("/sys/module/\(driver)/parameters/persist_gpio_outputs") else {
            return [Finding(.gpio, .note, "what becomes of a line that nobody holds this kernel does not tell")]
        }
        guard text.hasPrefix("Y") else { return [Finding(.gpio, .good, "a line that nobody holds becomes an input")] }
        let isUnheld = patient.settings.map { $0.keeper == nil && $0.components.contains { $0.output != nil } } ?? false
        return [
            Finding(
                .gpio, isUnheld ? .warning : .note, "a line that nobody holds keeps its last value",
                cause: "kernels for a Raspberry Pi do so since April 2024",
                cure: isUnheld ? Self.boot("dtparam=strict_gpiod", bootFile ?? "/boot/firmware/config.txt") : nil)
        ]
    }

    /// Has the firmware set something on every model, whatever the lines before are for.
    private static func boot(_ setting: String, _ file: String) -> String {
        "printf '\\n[all]\\n\(setting)\\n' | sudo tee -a \(file) && sudo reboot"
    }

    func bootValues() -> [Finding] {
        let values =
            patient.settings?.components.compactMap { plan in plan.output.map { BootValue(plan.id, $0) } } ?? []
        guard patient.hasRealBoard, !values.isEmpty else {
            return [Finding(.bootValues, .note, "there are no outputs of a real board")]
        }
        guard let file = bootFile, let text = readable(file) else {
            return [Finding(.bootValues, .note, "this machine has no firmware that sets lines")]
        }
        let boot = BootConfiguration(text)
        let missing = values.filter { $0.setting != nil && !boot.has($0) }
        guard !missing.isEmpty else {
            return [Finding(.bootValues, .good, "\(file) makes the outputs safe at power-on")]
        }
        let names = missing.map(\.component.rawValue).joined(separator: ", ")
        return [
            Finding(
                .bootValues, .warning, "\(file) does not make \(names) safe at power-on",
                cause: "until the keeper runs, a relay may be on",
                cure: "sudo m2m-agent config-txt\(patient.option) | sudo tee -a \(file)")
        ]
    }

    func watchdog() async -> [Finding] {
        guard patient.hasRealBoard else { return [Finding(.watchdog, .note, "the board is simulated")] }
        guard machine.node("/dev/watchdog0") != nil else {
            return [
                Finding(
                    .watchdog, .warning, "there is no hardware watchdog", cause: "this kernel has no driver for one",
                    cure: bootFile.map { Self.boot("dtparam=watchdog=on", $0) })
            ]
        }
        guard let result = await machine.run(["systemctl", "show", "--property=RuntimeWatchdogUSec"]),
            result.status == 0
        else { return [Finding(.watchdog, .note, "there is one, and systemd does not run this machine")] }
        let time = result.properties["RuntimeWatchdogUSec"] ?? "0"
        guard time == "0" || time == "infinity" || time == "off" else {
            return [Finding(.watchdog, .good, "a machine that hangs is restarted after \(time)")]
        }
        let file = "/etc/systemd/system.conf.d/watchdog.conf"
        return [
            Finding(
                .watchdog, .warning, "a machine that hangs is not restarted",
                cause: "there is a hardware watchdog, and systemd does not use it",
                cure: "sudo mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nRuntimeWatchdogSec=14s\\n' | "
                    + "sudo tee \(file) && sudo systemctl daemon-reexec")
        ]
    }

    /// Where the firmware's settings are: in Raspberry Pi OS since bookworm, and before.
    private var bootFile: String? {
        ["/boot/firmware/config.txt", "/boot/config.txt"].first { readable($0) != nil }
    }

    /// The text of a file that everybody may read; nil where it can't be.
    func readable(_ path: String) -> String? {
        try? machine.text(of: path)  // safe: what can't be read tells nothing
    }
}
