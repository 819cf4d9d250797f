import DeviceManager
import DeviceModel
import Transport

/// The way to the router: the time, its name, its certificate, and whether it knows this device.
extension Examination {
    func clock() async -> [Finding] {
        let now = machine.wall
        guard now >= Self.release else {
            return [
                Finding(
                    .clock, .fault, "the clock says \(now.rfc3339), which is before this program was made",
                    cause: "no certificate is good at that time, and no router is trusted", cure: await setClock())
            ]
        }
        guard !machine.isClockSynchronised else {
            return [Finding(.clock, .good, "the clock is synchronised: \(now.rfc3339)")]
        }
        return [
            Finding(
                .clock, .warning, "the clock is not synchronised: \(now.rfc3339)",
                cause: "no time server was heard; readings are dated by a guess", cure: await setClock())
        ]
    }

    /// The earliest time at which this program can have been started: 2026-01-01.
    private static let release = WallTime(nanoseconds: 1_767_225_600 * 1_000_000_000)

    /// What has the clock set.
    private func setClock() async -> String {
        let result = await machine.run(["timedatectl", "show"])
        let properties = result?.properties ?? [:]
        if properties["CanNTP"] == "no" { return "sudo apt-get install systemd-timesyncd" }
        if properties["NTP"] == "yes" { return "timedatectl timesync-status shows which time servers were asked" }
        return "sudo timedatectl set-ntp true"
    }

    /// The name, the certificate, and the router behind them.
    func router() async -> [Finding] {
        guard case .right(let settings, let identity) = patient.configuration else {
            return [.dns, .tls, .router].map {
                Finding($0, .note, "which router is meant only the configuration can tell")
            }
        }
        guard let router = settings.router else {
            return [.dns, .tls, .router].map {
                Finding($0, .note, "no router is configured: all works on the device itself")
            }
        }
        let host = router.address.host
        guard await machine.canResolve(host) else {
            return [
                Finding(
                    .dns, .fault, "the name \(host) leads nowhere",
                    cause: hasRoute ? "no name server knows it, or none answers" : "this machine has no network",
                    cure: hasRoute
                        ? "getent hosts \(host) has to print an address; mend the name in \(patient.configurationFile), "
                            + "or add a line to /etc/hosts"
                        : "plug in its cable, or: sudo nmtui"),
                Finding(.tls, .note, "not tried: see dns"), Finding(.router, .note, "not tried: see dns"),
            ]
        }
        var findings = [Finding(.dns, .good, "\(host) leads to an address")]
        guard let trust = identity.trust else {
            return findings + [
                hidden(.tls, "which certificates are trusted"), Finding(.router, .note, "not tried: see tls"),
            ]
        }
        do throws(TransportError) {
            try await machine.reach(router.address, trust)
            findings.append(Finding(.tls, .good, "its certificate is trusted"))
            findings.append(known(settings, identity))
        } catch {
            findings += unreached(error, router, trust)
        }
        return findings
    }

    /// Whether there is a way out of this machine: a default route (the kernel's /proc/net/route).
    private var hasRoute: Bool {
        guard let text = readable("/proc/net/route") else { return true }
        return text.split(separator: "\n").contains { $0.split(separator: "\t").dropFirst().first == "00000000" }
    }

    private func unreached(
        _ error: TransportError, _ router: AgentConfiguration.Router, _ trust: TLSTrust
    ) -> [Finding] {
        switch error.kind {
        case .untrusted, .untimely:
            let cure =
                error.kind == .untimely
                ? "see clock; where that is right, the router's certificate is over: sudo systemctl restart m2m-router, on its machine"
                : Self.trustCure(trust, router, patient)
            return [
                Finding(.tls, .fault, "the router is not trusted", cause: error.description, cure: cure),
                Finding(.router, .note, "not tried: see tls"),
            ]
        case .rejected, .violation, .tooLong:
            return [
                Finding(.tls, .good, "its certificate is trusted"),
                Finding(
                    .router, .fault, "the router does not let this device connect", cause: error.description,
                    cure: "see that \(router.address) leads to m2m-router and to nothing else, and what its log says: "
                        + "journalctl --unit m2m-router, on its machine"),
            ]
        case .unreachable, .occupied, .lost:
            return [
                Finding(.tls, .note, "not tried: see router"),
                Finding(
                    .router, .fault, "the router can't be reached", cause: error.description,
                    cure: "see that m2m-router runs at \(router.address), and that nothing in between keeps port "
                        + "\(router.address.port) closed; it is tried again for ever"),
            ]
        }
    }

    private static func trustCure(
        _ trust: TLSTrust, _ router: AgentConfiguration.Router, _ patient: Patient
    ) -> String {
        let file = patient.configurationFile
        // An enrolment does not change what the configuration says.
        if let path = router.caFile {
            return "put the CA of that router into \(path), or name another as ca_file in \(file)"
        }
        return switch trust {
        case .file(let path):
            "put the CA of the right router into \(path), or enrol anew with the code that `m2m claim` shows: "
                + "sudo -u m2m m2m-agent enroll\(patient.option) --claim CODE"
        default: "name its CA as ca_file at [router] in \(file), or enrol with the code that `m2m claim` shows"
        }
    }

    /// Whether the router knows this device.
    private func known(_ settings: AgentConfiguration, _ identity: Patient.Identity) -> Finding {
        if identity.hasKey == false {
            return Finding(
                .router, .fault, "this device is not enrolled", cause: "it has no key yet",
                cure: "m2m claim \(settings.id), wherever you are logged in; then here: sudo -u m2m m2m-agent enroll"
                    + "\(patient.option) --claim CODE && sudo systemctl restart m2m-agent")
        }
        guard let link = patient.agent?.status.link else {
            return Finding(
                .router, .good, "the router answers; whether it knows this device only a running agent can tell")
        }
        guard link.state != .connected else {
            return Finding(.router, .good, "the agent is connected to \(link.router)")
        }
        return Finding(
            .router, .fault, "the agent is not connected: \(link.state.rawValue)", cause: link.reason,
            cure: "m2m devices, wherever you are logged in, says what the router holds against it")
    }
}
