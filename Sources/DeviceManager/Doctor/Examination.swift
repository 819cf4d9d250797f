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
    /// - Parameter tell: Takes what was found as soon as it is: some of it takes its time.
    /// - Returns: All of it, in the order of ``Finding/Place``.
    @discardableResult
    public func findings(_ tell: ([Finding]) -> Void = { _ in }) async -> [Finding] {
        var all: [Finding] = []
        func take(_ findings: [Finding]) {
            tell(findings)
            all += findings
        }
        take(configuration())
        take(await agent())
        take(await keeper())
        take(gpio() + devices() + i2c() + components() + bootValues())
        take(await watchdog())
        take(await power())
        take(await clock())
        take(await router())
        take(disk() + writes() + store() + integrity())
        take(await hardening())
        return all
    }

    /// A finding for whoever may not look.
    func hidden(_ place: Finding.Place, _ what: String) -> Finding {
        Finding(place, .note, "\(what) can't be looked at by this user", cure: "sudo m2m doctor\(patient.option)")
    }
}
