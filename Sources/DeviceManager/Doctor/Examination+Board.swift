import Components
import DeviceManager
import DeviceModel

/// The board: its chips and buses, and what is connected to them.
extension Examination {
    /// A target that is configured, and does not answer.
    struct MissingTarget {
        var component: ComponentID
        var bus: Int
        var address: Int
    }

    /// What is configured on a bus.
    private var targets: [(component: ComponentID, bus: Int, address: Int)] {
        patient.settings?.components.flatMap { plan in
            plan.resources.compactMap { resource in
                guard case .target(let bus, let address) = resource else { return nil }
                return (plan.id, bus, Int(address.rawValue))
            }
        } ?? []
    }

    /// What is configured on a bus that was looked at, and does not answer there.
    func missingTargets() -> [MissingTarget] {
        targets.compactMap { target in
            guard let bus = patient.board?.buses.first(where: { $0.number == target.bus }) else { return nil }
            if bus.targets.contains(where: { $0.address == target.address && !$0.isHeldByDriver }) { return nil }
            return MissingTarget(component: target.component, bus: target.bus, address: target.address)
        }
    }

    func devices() -> [Finding] {
        guard patient.hasRealBoard else { return [Finding(.devices, .note, "the board is simulated")] }
        var findings: [Finding] = []
        let chips = machine.names(in: "/dev").filter { $0.hasPrefix("gpiochip") }.sorted()
        let usesLines = patient.settings?.components.contains { $0.resources.contains(where: \.isLine) } ?? true
        if chips.isEmpty, usesLines {
            findings.append(
                Finding(
                    .devices, .fault, "there is no /dev/gpiochip0", cause: "this kernel has no driver for GPIO lines",
                    cure: "a Raspberry Pi has one; elsewhere: apt search for the kernel's modules of the board"))
        }
        for chip in chips { findings += check(node: "/dev/\(chip)", group: "gpio", subsystem: "gpio") }
        for bus in Set(targets.map(\.bus)).sorted() {
            if machine.node("/dev/i2c-\(bus)") != nil {
                findings += check(node: "/dev/i2c-\(bus)", group: "i2c", subsystem: "i2c-dev")
            } else {
                findings.append(missing(bus: bus))
            }
        }
        guard findings.isEmpty else { return findings }
        let buses = machine.names(in: "/dev").filter { $0.hasPrefix("i2c-") }
        return [
            Finding(
                .devices, .good,
                "chips (\(chips.count)) and buses (\(buses.count)) are there, and open to the groups gpio and i2c")
        ]
    }

    /// The package brings rules for udev, and makes both groups.
    private func check(node: String, group: String, subsystem: String) -> [Finding] {
        guard machine.hasGroup(group) else {
            return [
                Finding(
                    .devices, .fault, "there is no group \(group), for which \(node) is",
                    cause: "the package makes it; it was removed", cure: "sudo systemd-sysusers")
            ]
        }
        guard let status = machine.node(node), status.group != group || !status.isOpenToGroup else { return [] }
        return [
            Finding(
                .devices, .fault, "the agent may not open \(node)",
                cause: status.group == group
                    ? "its group \(group) may not read and write it" : "its group is \(status.group), and not \(group)",
                cure: "sudo udevadm control --reload && sudo udevadm trigger --action=add --settle "
                    + "--subsystem-match=\(subsystem) && sudo systemctl restart m2m-agent")
        ]
    }

    private func missing(bus: Int) -> Finding {
        let hasAdapter = machine.names(in: "/sys/bus/i2c/devices").contains("i2c-\(bus)")
        if hasAdapter {
            return Finding(
                .devices, .fault, "there is no /dev/i2c-\(bus)",
                cause: "the kernel knows the bus, and its module i2c-dev is not loaded",
                cure: "sudo modprobe i2c-dev && sudo systemctl restart m2m-agent")
        }
        return Finding(
            .devices, .fault, "there is no /dev/i2c-\(bus)", cause: "the kernel has no such bus",
            cure: bus == 1
                ? "sudo raspi-config nonint do_i2c 0 && sudo reboot" : "m2m probe shows which buses there are")
    }

    func i2c() -> [Finding] {
        guard let board = patient.board else {
            return [Finding(.i2c, .note, "nobody could look at the buses")]
        }
        // A bus of which nobody has said a word, such as that of a monitor, may be as it likes.
        let buses = Set(targets.map { "/dev/i2c-\($0.bus)" })
        var findings = board.problems.filter { problem in
            problem.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "," }).contains {
                buses.contains(String($0))
            }
        }.map { problem in
            patient.agent == nil && !machine.isRoot
                ? hidden(.i2c, "a bus")
                : Finding(.i2c, .fault, problem, cure: "power-cycle what hangs on the bus; then: m2m probe")
        }
        findings += missingTargets().map { target in silent(target, board) }
        guard findings.isEmpty else { return findings }
        let looked = targets.filter { target in board.buses.contains { $0.number == target.bus } }
        guard !looked.isEmpty else { return [Finding(.i2c, .note, "nothing is configured on a bus that is there")] }
        return looked.map {
            Finding(.i2c, .good, "\(Self.hexadecimal($0.address)) answers on bus \($0.bus): \($0.component)")
        }
    }

    private func silent(_ target: MissingTarget, _ board: BoardInventory) -> Finding {
        let address = Self.hexadecimal(target.address)
        let found = board.buses.first { $0.number == target.bus }?.targets ?? []
        let finding = "\(target.component): nothing answers at \(address) on I²C bus \(target.bus)"
        if found.contains(where: { $0.address == target.address }) {
            return Finding(
                .i2c, .fault, "\(target.component): a driver of the kernel holds \(address) on I²C bus \(target.bus)",
                cause: "the device tree, or a module, has it taken",
                cure: "ls -l /sys/bus/i2c/devices/\(target.bus)-00\(address.dropFirst(2))/driver names it; then: "
                    + "sudo modprobe -r NAME, and without its dtoverlay in config.txt for good")
        }
        let taken = Set(targets.filter { $0.bus == target.bus }.map(\.address))
        // What else answers may be anything: only where a BMP280 can be, and nothing else is missing, is it taken for it.
        let others = found.filter { !$0.isHeldByDriver && !taken.contains($0.address) }.map(\.address)
            .filter([0x76, 0x77].contains).map(Self.hexadecimal)
        guard others.count == 1, let other = others.first, missingTargets().count == 1 else {
            return Finding(
                .i2c, .fault, finding, cause: "it has no power, or SDA and SCL are swapped or loose",
                cure: "see to the wires (zless /usr/share/doc/m2m-agent/Wiring.md.gz); then: m2m probe")
        }
        let table = "/^\\[components\\.\(target.component)\\]/"
        let edit = "-e '\(table),/^\\[/{/^ *address *=/d}' -e '\(table)a address = \(other)'"
        return Finding(
            .i2c, .fault, finding, cause: "\(other) answers there, and is not configured",
            cure: "sudo sed -i \(edit) \(patient.configurationFile.shellWord) && sudo m2m-agent check\(patient.option) "
                + "&& sudo systemctl reload m2m-agent")
    }

    func power() async -> [Finding] {
        guard patient.hasRealBoard else { return [Finding(.power, .note, "the board is simulated")] }
        // Bits of `vcgencmd get_throttled` (Raspberry Pi documentation): 0 and 16 under-voltage, now and since the boot.
        guard let result = await machine.run(["vcgencmd", "get_throttled"]),
            let word = result.properties["throttled"], word.hasPrefix("0x"),
            let bits = Int(word.dropFirst(2), radix: 16)
        else { return [Finding(.power, .note, "this machine does not tell its voltage")] }
        guard bits & 0x1_0001 != 0 else { return [Finding(.power, .good, "the voltage has not been too low")] }
        return [
            Finding(
                .power, bits & 1 != 0 ? .fault : .warning,
                bits & 1 != 0 ? "the voltage is too low" : "the voltage was too low since the boot",
                cause: "a weak power supply, a thin cable, or a load on the Pi's own 5 V",
                cure: "a power supply of the Pi's maker; relays fed from elsewhere")
        ]
    }

    private static func hexadecimal(_ address: Int) -> String { "0x\(String(address, radix: 16))" }
}

extension BoardResource {
    /// Whether it is a GPIO line.
    fileprivate var isLine: Bool {
        if case .line = self { true } else { false }
    }
}
