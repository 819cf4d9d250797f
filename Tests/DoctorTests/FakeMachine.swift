import DeviceModel
import Doctor
import Transport

/// A machine of which everything is made up: a Raspberry Pi on which all is well, until a test breaks something.
struct FakeMachine: Machine {
    var files = [
        "/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "N\n",
        "/boot/firmware/config.txt": "dtparam=i2c_arm=on\n[pi5]\ngpio=5=op,dl\n[all]\ngpio=5=op,dh,pu\n",
        "/proc/42/io": "rchar: 1\nwrite_bytes: 10485760\n",
        "/proc/net/route": "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\n",
    ]
    var hiddenFiles: Set<String> = []
    var folders = ["/dev": ["gpiochip0", "i2c-1"], "/sys/bus/i2c/devices": ["i2c-1", "1-0076"]]
    var nodes = [
        "/dev/gpiochip0": DeviceNode(group: "gpio", isOpenToGroup: true),
        "/dev/i2c-1": DeviceNode(group: "i2c", isOpenToGroup: true),
        "/dev/watchdog0": DeviceNode(group: "root", isOpenToGroup: false),
    ]
    var groups: Set = ["gpio", "i2c"]
    var space: DiskSpace? = DiskSpace(size: 16_000_000_000, free: 8_000_000_000)
    /// What `systemctl show` tells, by unit.
    var units = [
        "m2m-agent": "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success\nDropInPaths=\n",
        "m2m-keeper": "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success\nDropInPaths=\n",
    ]
    var exposure = ["m2m-agent": "1.6 OK :-)", "m2m-keeper": "0.6 SAFE 😀"]
    var watchdog = "14s"
    var throttled: String? = "throttled=0x0\n"
    var timedate = "CanNTP=yes\nNTP=yes\n"
    var names: Set = ["router.example"]
    var unreachable: TransportError?
    var wall = WallTime(nanoseconds: 1_795_000_000_000_000_000)
    var isClockSynchronised = true
    var isRoot = true

    func text(of path: String) throws(FileError) -> String? {
        if hiddenFiles.contains(path) { throw FileError(path, 13) }
        return files[path]
    }

    func names(in folder: String) -> [String] { folders[folder] ?? [] }
    func node(_ path: String) -> DeviceNode? { nodes[path] }
    func disk(under path: String) -> DiskSpace? { space }
    func hasGroup(_ name: String) -> Bool { groups.contains(name) }

    func run(_ words: [String]) async -> ProgramResult? {
        let unit = words.first { $0.hasSuffix(".service") }.map { String($0.dropLast(".service".count)) } ?? ""
        switch words.first {
        case "systemctl" where words.contains("--property=RuntimeWatchdogUSec"):
            return ProgramResult(output: "RuntimeWatchdogUSec=\(watchdog)\n")
        case "systemctl" where words.dropFirst().first == "show": return units[unit].map { ProgramResult(output: $0) }
        case "systemd-analyze":
            return exposure[unit].map {
                ProgramResult(output: "  NAME DESCRIPTION\n\n→ Overall exposure level for \(unit).service: \($0)\n")
            }
        case "vcgencmd": return throttled.map { ProgramResult(output: $0) }
        case "timedatectl": return ProgramResult(output: timedate)
        default: return nil
        }
    }

    func canResolve(_ host: String) async -> Bool { names.contains(host) }

    func reach(_ router: RouterAddress, _ trust: TLSTrust) async throws(TransportError) {
        if let unreachable { throw unreachable }
    }
}
