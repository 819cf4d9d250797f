import DeviceManager
public import DeviceModel
public import NIOCore
import Transport
public import Wire

/// The first contact of a device with its router: by a claim code, or by waiting until the owner has accepted it.
public struct Enrolment: Sendable {
    private let device: DeviceID
    private let access: RouterAccess
    private let time: any TimeSource
    private let group: any EventLoopGroup
    private let contact: FirstContact

    /// How the router is to be trusted, and the device to be known.
    public enum Way: Sendable {
        /// By a claim code that the owner got from the router.
        case claim(ClaimCode)
        /// By the owner's acceptance; the router's certificate is trusted as the configuration says.
        case acceptance(account: String)
    }

    /// An enrolment.
    ///
    /// - Parameters:
    ///   - device: The name under which the device wants to be known.
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
        self.group = group
        contact = FirstContact(access: access, time: time, group: group, software: software)
    }

    /// Enrols the device.
    ///
    /// - Parameters:
    ///   - way: How.
    ///   - onPending: Told the fingerprint that the owner has to accept.
    /// - Returns: The account in whose space the device is now.
    /// - Throws: An ``ExplainedError`` that says what is in the way.
    public func run(_ way: Way, onPending: (_ fingerprint: String) -> Void) async throws -> String {
        let pem = try await caCertificate(way)
        let key = try DeviceKey.load(access.keyFile) ?? DeviceKey.create(access.keyFile)
        let trust = pem.map { TLSTrust.certificates(Array($0.utf8)) } ?? access.trust
        let owner = try await contact.run(trust: trust) { challenge, routerKeyHash in
            Envelope(enroll(way, key, challenge, routerKeyHash))
        } hear: { envelope -> String? in
            switch envelope.kind {
            case Enrolled.kind: return try envelope.decode(Enrolled.self).owner
            case EnrolmentPending.kind: onPending(try envelope.decode(EnrolmentPending.self).fingerprint)
            default: break
            }
            return nil
        }
        access.forgetRecord()
        if let pem { try access.pin(pem) } else if case .claim = way { access.unpin() }
        return owner
    }

    /// The CA that a claim code names; nil: the configuration's or the system's certificates are trusted.
    private func caCertificate(_ way: Way) async throws -> String? {
        guard case .claim(let code) = way, !code.trustsSystem, access.router.caFile == nil else { return nil }
        let presented = try await PresentedCertificates.fetch(from: access.router.address, on: group)
        let ca = try presented.certificates().first { code.matches(caDigest: Fingerprint.sha256($0.der)) }
        guard let ca else {
            throw TransportError(
                .untrusted, "\(access.router.address)",
                "is not the router that gave this claim code: its certificates have other fingerprints")
        }
        return ca.pem
    }

    private func enroll(_ way: Way, _ key: DeviceKey, _ challenge: Challenge, _ routerKeyHash: [UInt8]) -> Enroll {
        let statement = SignedStatement(
            purpose: .enroll, nonce: challenge.nonce, routerKeyHash: routerKeyHash,
            boot: time.boot, device: device)
        var message = Enroll(
            device: device, key: key.publicKey, boot: time.boot, signature: key.sign(statement.bytes))
        switch way {
        case .claim(let code): message.claim = code.secret
        case .acceptance(let account): message.account = account
        }
        return message
    }
}
