import DeviceModel

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

    /// A device has a new key: a connection that was opened with the old one ends.
    func retireOtherKeys(of key: [UInt8]) async throws {
        if let device = try await store.device(key: key) { await switchboard.replace(device.row) }
    }
}
