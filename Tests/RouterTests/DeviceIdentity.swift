import Crypto
import DeviceModel
import Foundation
import TestSupport
import Wire

@testable import Router

/// A device's name and key, and what it signs with them.
struct DeviceIdentity {
    var name: DeviceID
    private let key: Curve25519.Signing.PrivateKey

    /// The device of this name whose key these bytes decide.
    init(_ name: DeviceID, seed: UInt8) throws {
        self.name = name
        key = try Curve25519.Signing.PrivateKey(rawRepresentation: Data([UInt8](repeating: seed, count: 32)))
    }

    var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    var fingerprint: String { KeyFingerprint(digest: Router.Digest.sha256(publicKey)).description }

    /// The true statement of this device to a challenge.
    func statement(_ purpose: SignedStatement.Purpose, _ challenge: Challenge) -> SignedStatement {
        SignedStatement(
            purpose: purpose, nonce: challenge.nonce, routerKeyHash: RouterBench.keyHash, boot: 1, device: name)
    }

    func sign(_ statement: SignedStatement) throws -> [UInt8] {
        Array(try key.signature(for: Data(statement.bytes)))
    }

    /// A proof of identity, over another statement than the true one where a test wants that.
    func prove(
        _ challenge: Challenge, signing statement: SignedStatement? = nil, boot: BootID = 1, connects: UInt64? = nil
    ) throws -> Prove {
        var statement = statement ?? self.statement(.prove, challenge)
        if boot != 1 { statement.boot = boot }
        return Prove(
            device: name, key: publicKey, boot: boot, monotonic: MonotonicTime(nanoseconds: 500_000_000_000),
            signature: try sign(statement), connects: connects)
    }

    /// A change to another key.
    func rotate(_ challenge: Challenge, to new: DeviceIdentity) throws -> Rotate {
        var statement = self.statement(.rotate, challenge)
        statement.newKey = new.publicKey
        return Rotate(
            device: name, key: publicKey, newKey: new.publicKey, boot: 1, signature: try sign(statement),
            newSignature: try new.sign(statement))
    }

    func enroll(
        _ challenge: Challenge, claim: String? = nil, account: String? = nil, signing statement: SignedStatement? = nil
    ) throws -> Enroll {
        Enroll(
            device: name, key: publicKey, boot: 1, claim: claim, account: account,
            signature: try sign(statement ?? self.statement(.enroll, challenge)))
    }
}
