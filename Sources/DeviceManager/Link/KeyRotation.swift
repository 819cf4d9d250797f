import DeviceManager
public import DeviceModel
public import NIOCore
import Transport
import Wire

/// Gives a device another key: made here, and signed by the one that it has.
///
/// The new key is on the disk before the router hears of it, and the old one stays good until the new one has been used.
/// Wherever this is broken off, the device gets in, and it can be done again.
public struct KeyRotation: Sendable {
    private let device: DeviceID
    private let access: RouterAccess
    private let time: any TimeSource
    private let contact: FirstContact

    /// A change of keys.
    ///
    /// - Parameters:
    ///   - device: The name of the device.
    ///   - access: The router, and where the device's key is kept.
    ///   - time: The clock.
    ///   - group: Where the connection lives.
    ///   - software: The program, such as `m2m-agent 0.1.0`.
    public init(
        device: DeviceID, access: RouterAccess, time: any TimeSource, group: any EventLoopGroup, software: String
    ) {
        self.device = device
        self.access = access
        self.time = time
        contact = FirstContact(access: access, time: time, group: group, software: software)
    }

    /// Changes the key.
    ///
    /// - Returns: The fingerprint of the new key.
    /// - Throws: An ``ExplainedError`` that says what is in the way.
    public func run() async throws -> String {
        guard let old = try DeviceKey.load(access.keyFile) else { throw NotEnrolled() }
        // One that is there was made by a change that was broken off.
        let new = try DeviceKey.load(access.newKeyFile) ?? DeviceKey.create(access.newKeyFile)
        try await contact.run(trust: access.trust) { [device, time] challenge, routerKeyHash in
            let statement = SignedStatement(
                purpose: .rotate, nonce: challenge.nonce, routerKeyHash: routerKeyHash, boot: time.boot,
                device: device, newKey: new.publicKey)
            return Envelope(
                Rotate(
                    device: device, key: old.publicKey, newKey: new.publicKey, boot: time.boot,
                    signature: old.sign(statement.bytes), newSignature: new.sign(statement.bytes)))
        } hear: { envelope -> Void? in
            envelope.kind == Rotated.kind ? () : nil
        }
        try access.useNewKey()
        return new.fingerprint
    }
}
