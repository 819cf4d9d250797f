import DeviceManager
import DeviceModel

/// The disk: an SD card, as a rule, that is full one day, and worn out another.
extension Examination {
    func disk() -> [Finding] {
        let folder = patient.settings?.stateDirectory ?? "/var/lib/m2m-agent"
        guard let disk = machine.disk(under: folder) ?? machine.disk(under: "/"), disk.size > 0 else {
            return [Finding(.disk, .note, "the disk can't be looked at")]
        }
        if disk.isReadOnly {
            return [
                Finding(
                    .disk, .fault, "nothing can be written under \(folder)",
                    cause: "the kernel does that to a card with errors: dmesg shows them",
                    cure:
                        "sudo mount -o remount,rw \"$(findmnt -no TARGET --target \(folder.shellWord))\" and, as soon as you "
                        + "can, another card")
            ]
        }
        let free = "\(disk.free / 1_048_576) MB (\(disk.free * 100 / disk.size) %) are free under \(folder)"
        guard disk.free < Self.littleSpace else { return [Finding(.disk, .good, free)] }
        return [
            Finding(
                .disk, disk.free < Self.noSpace ? .fault : .warning, free,
                cause: "readings are thinned out or dropped when it is full",
                cure: "sudo journalctl --vacuum-size=50M && sudo apt-get clean")
        ]
    }

    /// From when on there is little space, and none: the store's usual bound, and a few minutes of readings.
    private static let littleSpace = 200 * 1_048_576
    private static let noSpace = 10 * 1_048_576

    /// What the agent has had written since it started, for a day: what the kernel counts (proc(5), `/proc/PID/io`).
    func writes() -> [Finding] {
        guard let answers = patient.agent, let process = answers.process else {
            return [Finding(.writes, .note, "how much is written only a running agent can tell")]
        }
        guard let text = readable("/proc/\(process)/io"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("write_bytes:") }),
            let bytes = line.split(separator: " ").last.flatMap({ Double($0) })
        else { return [hidden(.writes, "how much the agent writes")] }
        let seconds = max(1, Double(answers.status.uptime.components.seconds))
        let megabytes = bytes / seconds * 86_400 / 1_048_576
        let many = "the agent writes \(Int(megabytes.rounded())) MB a day"
        guard seconds >= 600 else {
            return [Finding(.writes, .note, "the agent has not run for long enough to tell how much it writes")]
        }
        guard megabytes > Self.muchADay else { return [Finding(.writes, .good, many)] }
        return [
            Finding(
                .writes, .warning, many, cause: "a card of 16 GB is good for some 10 000 GB, as a rule",
                cure: "a longer commit_interval at [store], dead bands with report.on_change, or a longer interval")
        ]
    }

    /// From how many MB a day on a card is worn out within years.
    private static let muchADay = 2_048.0
}
