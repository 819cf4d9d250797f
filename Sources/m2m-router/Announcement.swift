import DeviceModel
import Synchronization
import Terminal

/// What the router says once somebody can connect: where it is, and how it is known.
final class Announcement: Sendable {
    private let trust = Mutex<(caFile: String, fingerprint: String)?>(nil)

    func set(caFile: String?, fingerprint: String?) {
        guard let caFile, let fingerprint else { return }
        trust.withLock { $0 = (caFile, fingerprint) }
    }

    func make(_ address: RouterAddress) {
        Output.line("m2m-router \(Version.current) listens on \(address)")
        guard let (caFile, fingerprint) = trust.withLock(\.self) else { return }
        Output.line("its CA is \(caFile)")
        Output.line("its CA's fingerprint is \(fingerprint)")
    }
}
