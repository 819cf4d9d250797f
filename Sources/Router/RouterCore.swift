import DeviceModel
import Logging

/// What all connections of a router share.
struct RouterCore: Sendable {
    let settings: RouterSettings
    let store: RouterStore
    let switchboard: Switchboard
    let logins: LoginDesk
    /// SHA-256 of the public key in the server's certificate, to which devices bind their proofs.
    let publicKeyHash: [UInt8]
    /// SHA-256 over the CA that claim codes name; nil: the system's trust store is enough.
    let caDigest: [UInt8]?
    let time: any TimeSource
    /// What has to be kept of what happens.
    let audit: AuditDesk
    /// What is said when nothing can be stored.
    let trouble: StorageTrouble
    /// Asked before a device's connection costs anything but its TLS.
    let admission: AdmissionDesk
    /// Where connections stand until it is known whose they are.
    let door: Door

    init(
        settings: RouterSettings, store: RouterStore, hasher: SecretHasher, audit: AuditDesk,
        publicKeyHash: [UInt8], caDigest: [UInt8]?, time: any TimeSource, logger: Logger
    ) {
        (self.settings, self.store, self.audit) = (settings, store, audit)
        switchboard = Switchboard(time: time)
        logins = LoginDesk(store: store, hasher: hasher, audit: audit, time: time)
        (self.publicKeyHash, self.caDigest, self.time) = (publicKeyHash, caDigest, time)
        trouble = StorageTrouble(logger)
        admission = AdmissionDesk(settings.admission, time: time)
        door = Door(proxies: settings.trustedProxies, time: time)
    }

    /// A device has a new key: a connection that was opened with the old one ends.
    func retireOtherKeys(of key: [UInt8]) async throws {
        if let device = try await store.device(key: key) { await switchboard.replace(device.row) }
    }
}
