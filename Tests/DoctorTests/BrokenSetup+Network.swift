import DeviceModel
import Doctor
import Transport

/// What is broken on the way to the router, and in the machine.
extension BrokenSetup {
    static let network = [
        BrokenSetup(
            "a clock that was never set", .clock, says: "1970", because: "no certificate is good",
            cure: "sudo timedatectl set-ntp true"
        ) {
            $0.machine.wall = WallTime(nanoseconds: 60_000_000_000)
            $0.machine.timedate = "CanNTP=yes\nNTP=no\n"
        },
        BrokenSetup(
            "a clock that nobody sets", .clock, .warning, says: "not synchronised",
            cure: "sudo apt-get install systemd-timesyncd"
        ) {
            $0.machine.isClockSynchronised = false
            $0.machine.timedate = "CanNTP=no\n"
        },
        BrokenSetup(
            "time servers that do not answer", .clock, .warning, says: "not synchronised",
            cure: "timedatectl timesync-status"
        ) { $0.machine.isClockSynchronised = false },
        BrokenSetup(
            "a name that nobody knows", .dns, says: "router.example leads nowhere", because: "no name server",
            cure: "getent hosts router.example"
        ) { $0.machine.names = [] },
        BrokenSetup(
            "no network", .dns, says: "router.example leads nowhere", because: "this machine has no network",
            cure: "plug in its cable"
        ) {
            $0.machine.names = []
            $0.machine.files["/proc/net/route"] = "Iface\tDestination\tGateway\n"
        },
        BrokenSetup(
            "another router's certificate", .tls, says: "the router is not trusted", because: "unknown issuer",
            cure: "sudo -u m2m m2m-agent enroll --claim CODE"
        ) {
            $0.machine.unreachable = TransportError(.untrusted, "router.example:443", "is signed by an unknown issuer")
        },
        BrokenSetup(
            "a certificate that is over", .tls, says: "the router is not trusted", because: "is over",
            cure: "sudo systemctl restart m2m-router"
        ) {
            $0.machine.unreachable = TransportError(.untimely, "router.example:443", "has a certificate that is over")
        },
        BrokenSetup(
            "no router", .router, says: "can't be reached", because: "Connection refused", cure: "port 443"
        ) {
            $0.machine.unreachable = TransportError(
                .unreachable, "router.example:443", "does not answer: Connection refused")
        },
        BrokenSetup(
            "something else at the router's place", .router, says: "does not let this device connect", because: "404",
            cure: "leads to m2m-router and to nothing else"
        ) { $0.machine.unreachable = TransportError(.rejected, "router.example:443", "answers 404 Not Found") },
        BrokenSetup(
            "not enrolled", .router, says: "not enrolled",
            cure: "sudo -u m2m m2m-agent enroll --claim CODE && sudo systemctl restart m2m-agent"
        ) {
            guard case .right(let settings, var identity) = $0.patient.configuration else { return }
            identity.hasKey = false
            $0.patient.configuration = .right(settings, identity)
            $0.patient.agent?.status.link?.state = .reconnecting
        },
        BrokenSetup("revoked", .router, says: "not connected", because: "was revoked", cure: "m2m devices") {
            $0.patient.agent?.status.link?.state = .reconnecting
            $0.patient.agent?.status.link?.reason = "this device was revoked"
        },
    ]

    static let machine = [
        BrokenSetup("a full disk", .disk, says: "1 MB (0 %) are free", cure: "sudo journalctl --vacuum-size=50M") {
            $0.machine.space = DiskSpace(size: 16_000_000_000, free: 2_000_000)
        },
        BrokenSetup("a disk that is nearly full", .disk, .warning, says: "95 MB", cure: "sudo apt-get clean") {
            $0.machine.space = DiskSpace(size: 16_000_000_000, free: 100_000_000)
        },
        BrokenSetup("a card with errors", .disk, says: "nothing can be written", cure: "remount,rw") {
            $0.machine.space?.isReadOnly = true
        },
        BrokenSetup("a card that wears out", .writes, .warning, says: "9537 MB a day", cure: "commit_interval") {
            $0.machine.files["/proc/42/io"] = "write_bytes: 10000000000\n"
        },
        BrokenSetup(
            "a unit that was loosened", .hardening, .warning, says: "m2m-agent is exposed by 4.2",
            because: "/etc/systemd/system/m2m-agent.service.d/override.conf", cure: "sudo systemctl revert m2m-agent"
        ) {
            $0.machine.exposure["m2m-agent"] = "4.2 OK :-)"
            $0.machine.units["m2m-agent"] =
                "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
                + "DropInPaths=/etc/systemd/system/m2m-agent.service.d/override.conf\n"
        },
    ]
}
