import DeviceModel

/// How a unit of systemd is, as `systemctl show` tells it (systemd's org.freedesktop.systemd1(5)).
struct Unit: Hashable, Sendable {
    /// The properties that are asked for.
    static let properties = "LoadState,ActiveState,UnitFileState,Result,MainPID,DropInPaths"

    /// Whether there is such a unit.
    var isInstalled: Bool
    /// Whether it runs: `active`, `activating`, `inactive`, `failed`.
    var active: String
    /// Whether it is started at boot: `enabled`, `disabled`.
    var enabled: String
    /// How it ended the last time, in words.
    var result: String
    /// Files that change what it is allowed to do.
    var dropIns: [String]

    /// Whether it is started at boot.
    var isEnabled: Bool { enabled != "disabled" && !isMasked }

    /// Whether nobody can start it.
    private var isMasked: Bool { enabled.hasPrefix("masked") }

    /// What starts it, now and at each boot.
    func start(_ name: String) -> String {
        (isMasked ? "sudo systemctl unmask \(name) && " : "") + "sudo systemctl enable --now \(name)"
    }

    /// A unit, by the lines of `systemctl show`.
    init(_ properties: [String: String]) {
        isInstalled = properties["LoadState"] == "loaded" || properties["LoadState"] == "masked"
        active = properties["ActiveState"] ?? "unknown"
        enabled = properties["UnitFileState"] ?? "unknown"
        let result = properties["Result"] ?? "success"
        self.result = result == "success" ? "it ended" : "it ended by \(result)"
        dropIns = properties["DropInPaths"]?.split(separator: " ").map(String.init) ?? []
    }
}

extension Examination {
    /// A unit of systemd; nil where systemd does not run this machine.
    func unit(_ name: String) async -> Unit? {
        let words = ["systemctl", "show", "\(name).service", "--property=\(Unit.properties)"]
        guard let result = await machine.run(words), result.status == 0 else { return nil }
        return Unit(result.properties)
    }

    /// How exposed a unit is, from 0 to 10, as systemd-analyze(1) counts it; nil where it does not tell.
    func exposure(of name: String) async -> Double? {
        guard let result = await machine.run(["systemd-analyze", "security", "--no-pager", "\(name).service"]),
            let line = result.output.split(separator: "\n").last(where: { $0.contains("exposure level") })
        else { return nil }
        // A face follows the number, as in `1.6 OK :-)`.
        let words = line.split(separator: " ").drop { !$0.hasSuffix(":") }
        return words.dropFirst().first.flatMap { Double($0) }
    }

    func hardening() async -> [Finding] {
        var findings: [Finding] = []
        for name in ["m2m-agent", "m2m-keeper"] {
            guard let unit = await unit(name), unit.isInstalled else { continue }
            guard let exposure = await exposure(of: name) else {
                findings.append(Finding(.hardening, .note, "systemd does not tell how exposed \(name) is"))
                continue
            }
            let most = name == "m2m-agent" && watchesByFanotify ? Self.mostExposedWithFanotify : Self.mostExposed
            if exposure <= most {
                findings.append(Finding(.hardening, .good, "\(name) is exposed by \(exposure) of 10"))
            } else {
                let files = unit.dropIns.joined(separator: ", ")
                findings.append(
                    Finding(
                        .hardening, .warning,
                        "\(name) is exposed by \(exposure) of 10, and \(most) is meant",
                        cause: files.isEmpty
                            ? "its unit is not that of the package" : "by \(files), which the cure removes",
                        // Whoever restarts the keeper makes the outputs safe: that is for them to decide.
                        cure: name == "m2m-keeper"
                            ? "sudo systemctl revert \(name); then, which makes all outputs safe: sudo systemctl restart \(name)"
                            : "sudo systemctl revert \(name) && sudo systemctl restart \(name)"))
            }
        }
        return findings.isEmpty
            ? [Finding(.hardening, .note, "the agent is not run by systemd here, which would confine it")] : findings
    }

    private var watchesByFanotify: Bool { patient.agent?.integrity?.mode == "fanotify" }

    /// How exposed a unit of the package is at most; and with the drop-in of Docs/Integrity.md.
    private static let mostExposed = 2.0
    private static let mostExposedWithFanotify = 2.5
}
