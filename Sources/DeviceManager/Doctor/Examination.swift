import DeviceModel

/// Looks at a device from head to foot.
///
/// Each place yields at least one finding, so that what was looked at is seen as well.
public struct Examination: Sendable {
    let patient: Patient
    let machine: any Machine

    /// An examination of a device.
    ///
    /// - Parameters:
    ///   - patient: What it is meant to be, and what it says.
    ///   - machine: What can be looked at besides.
    public init(of patient: Patient, on machine: any Machine) {
        self.patient = patient
        self.machine = machine
    }

    /// Looks at everything.
    ///
    /// - Returns: What was found, in the order of ``Finding/Place``.
    public func findings() async -> [Finding] {
        var findings = configuration()
        findings += await agent()
        findings += await keeper()
        findings += gpio() + devices() + i2c() + components() + bootValues()
        findings += await watchdog()
        findings += power()
        findings += await clock()
        findings += await router()
        findings += disk() + writes() + store() + integrity()
        findings += await hardening()
        return findings
    }

    /// A finding for whoever may not look.
    func hidden(_ place: Finding.Place, _ what: String) -> Finding {
        Finding(place, .note, "\(what) can't be looked at by this user", cure: "sudo m2m doctor")
    }
}

extension Patient {
    /// The configuration as an option for commands; empty where it is the usual one.
    var option: String {
        configurationFile == Self.usualConfiguration ? "" : " --config \(configurationFile.shellWord)"
    }

    /// Where the configuration is where nobody says otherwise.
    public static let usualConfiguration = "/etc/m2m-agent/agent.toml"
}
