import Crypto
import DeviceModel
import Logging
import Transport
import Wire

/// How a device gets in: enrolment, proof of identity, another key.
extension DeviceConnection {
    private func isSigned(
        _ purpose: SignedStatement.Purpose, _ signature: [UInt8], key: [UInt8], boot: BootID, device: DeviceID,
        newKey: [UInt8]? = nil
    ) -> Bool {
        let statement = SignedStatement(
            purpose: purpose, nonce: session.nonce, routerKeyHash: core.publicKeyHash, boot: boot, device: device,
            newKey: newKey)
        let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key)  // safe: what is no key has signed nothing
        return key?.isValidSignature(signature, for: statement.bytes) ?? false
    }

    func enroll(_ message: Enroll) async throws {
        guard isSigned(.enroll, message.signature, key: message.key, boot: message.boot, device: message.device) else {
            core.audit.noteFailure(.enrolmentFailed, party(message.device), result: "wrong signature")
            return try await handle(.rejected(Self.badSignature))
        }
        do {
            if let claim = message.claim {
                let hash = Digest.sha256(claim.utf8)
                let owner = try await core.store.useClaim(secretHash: hash, device: message.device, key: message.key)
                log("device enrolled by claim code", message.device, owner)
                core.audit.note(
                    .deviceEnrolled, party(message.device, owner),
                    "key \(KeyFingerprint(digest: Digest.sha256(message.key)))")
                try await core.retireOtherKeys(of: message.key)
                try await handle(.enrolled(owner: owner.name))
            } else {
                try await wait(message)
            }
        } catch let error as RouterProblem {
            logger.notice("enrolment refused", metadata: ["reason": "\(error)"])
            core.audit.noteFailure(.enrolmentFailed, party(message.device), result: "\(error)")
            try await handle(.rejected(Failure(error)))
        }
    }

    private func wait(_ message: Enroll) async throws {
        guard let account = message.account else {
            throw RouterProblem(.badRequest, "enroll", "an enrolment needs a claim code or the name of an account")
        }
        if let known = try await core.store.device(key: message.key), known.name == message.device,
            known.owner.name == account, !known.isRevoked
        {
            return try await handle(.enrolled(owner: account))  // it was accepted while it was away
        }
        if let owner = try await core.store.addPending(account: account, device: message.device, key: message.key) {
            core.audit.note(.enrolmentWaiting, party(message.device, owner), result: "waiting for its owner")
        }
        waitingKey = message.key
        await core.switchboard.wait(key: message.key, notices: notices)
        try await handle(.waiting(fingerprint: KeyFingerprint(digest: Digest.sha256(message.key)).description))
    }

    func prove(_ message: Prove) async throws {
        guard isSigned(.prove, message.signature, key: message.key, boot: message.boot, device: message.device) else {
            core.audit.noteFailure(.proofFailed, party(message.device), result: "wrong signature")
            return try await handle(.rejected(Self.badSignature))
        }
        guard let known = try await known(message.key, as: message.device) else { return }
        // Who has proved nothing takes nobody's turn.
        if let wait = core.admission.wait() {
            let words = "more devices come in at this moment than the router takes; this one's turn is in \(wait.text)"
            return try await handle(.rejected(Failure(.busy, words, retryAfter: wait)))
        }
        let (isElsewhere, silent) = await core.switchboard.silentConnection(of: known, boot: message.boot)
        guard !isElsewhere else { return try await refuseSecond(known) }
        await compare(message.auditHead, known)
        let hasRisen = try await core.store.noteConnection(known, key: message.key, count: message.connects)
        if !hasRisen {
            try await alarm(
                known,
                "its count of connections has not risen, as if another machine had its key; "
                    + "or an older copy of its state was restored, or its disk keeps nothing")
        }
        try await welcome(try await self.known(message.key, as: message.device) ?? known, message, silent)
    }

    /// The device with a key, where it may come in; otherwise it has been told why not.
    private func known(_ key: [UInt8], as name: DeviceID) async throws -> RouterStore.Device? {
        guard let known = try await core.store.device(key: key) else {
            core.audit.noteFailure(.proofFailed, party(name), result: "unknown key")
            let words = "this device is not known here; enrol it with `m2m-agent enroll`"
            try await handle(.rejected(Failure(.notAuthenticated, words)))
            return nil
        }
        guard !known.isRevoked else {
            core.audit.noteFailure(.proofFailed, party(known.name, known.owner), result: "revoked")
            try await handle(.rejected(Self.revoked))
            return nil
        }
        guard known.name == name else {
            let words =
                "this device was enrolled as '\(known.name)', not as '\(name)'; set device.id back, or enrol it again"
            try await handle(.rejected(Failure(.conflict, words)))
            return nil
        }
        return known
    }

    private func welcome(
        _ known: RouterStore.Device, _ message: Prove, _ silent: Mailbox<Switchboard.Notice>?
    ) async throws {
        device = known
        entrance?.pass()
        let welcome = Welcome(
            owner: known.owner.name, heartbeat: core.settings.heartbeat,
            streams: try await core.store.receptions(of: known), alarm: known.alarm,
            auditHead: try await tellHead(known), integrity: try await judge(message.integrity, of: known))
        try await handle(.proved(welcome))
        // Only now, so that no command comes before the welcome.
        let arrival = await core.switchboard.connect(
            known, notices: notices, clock: message.monotonic, boot: message.boot, silent: silent)
        switch arrival {
        case .elsewhere: return try await refuseSecond(known)
        case .tookOver: log("a device's connection has taken the place of another one", known.name, known.owner)
        case .alone: break
        }
        notices.send(.connected)
        log("device connected", known.name, known.owner)
        try await catchUp(known, message.key)
    }

    /// What was decided of the device while it came in: before it was connected there was nobody to be told.
    private func catchUp(_ device: RouterStore.Device, _ key: [UInt8]) async throws {
        guard let now = try await known(key, as: device.name) else { return }
        await core.switchboard.confirm(now, notices: notices)
    }

    /// Two machines have this key, and both are there: which of them is the device only its owner can say.
    private func refuseSecond(_ known: RouterStore.Device) async throws {
        try await alarm(known, "two machines use its key at the same time")
        let words =
            "another machine uses this device's key at this moment: its owner has to revoke the device and enrol it "
            + "again, or, where that was no copy, to trust it with `m2m enable \(known.name)`"
        try await handle(.rejected(Failure(.conflict, words, retryAfter: .seconds(60))))
    }

    /// The device is commanded no more until its owner trusts it again.
    private func alarm(_ device: RouterStore.Device, _ reason: String) async throws {
        let isNew = try await core.store.raiseAlarm(device, reason)
        await core.switchboard.withhold(device, because: reason)
        guard isNew else { return }
        logger.error(
            "a device's key may have been copied; commands are withheld",
            metadata: ["device": "\(device.name)", "owner": "\(device.owner.name)", "reason": "\(reason)"])
        core.audit.note(.keyAlarm, party(device.name, device.owner), device.name.rawValue, result: reason)
    }

    /// Compares the audit log with what a device remembers of it.
    private func compare(_ remembered: AuditHead?, _ device: RouterStore.Device) async {
        guard let remembered else { return }
        do throws(RouterProblem) {
            guard try await !core.audit.log.knows(remembered) else { return }
        } catch {
            return logger.error("the audit log cannot be compared", metadata: ["reason": "\(error)"])
        }
        logger.error(
            """
            the audit log is not the one of which a device was told: entries were cut off, or rewritten; \
            `m2m-router audit verify` says which
            """,
            metadata: ["device": "\(device.name)", "owner": "\(device.owner.name)", "entry": "\(remembered.entry)"])
        core.audit.noteFailure(
            .auditMismatch, party(device.name, device.owner), "entry \(remembered.entry)",
            result: "not the entry of which the device was told")
    }

    /// The end of the audit log, which a device is told, and which is written down for `audit verify`.
    private func tellHead(_ device: RouterStore.Device) async throws -> AuditHead {
        let head = await core.audit.log.head
        try await core.store.noteAuditHead(device, head)
        return head
    }

    func party(_ name: DeviceID, _ owner: RouterStore.Owner? = nil) -> AuditParty {
        .device(name, owner, from: channel.peer.host)
    }

    /// Another key for the device, signed by the one that it has and by itself.
    func rotate(_ message: Rotate) async throws {
        for (key, signature) in [(message.key, message.signature), (message.newKey, message.newSignature)] {
            let isRight = isSigned(
                .rotate, signature, key: key, boot: message.boot, device: message.device, newKey: message.newKey)
            guard isRight else {
                core.audit.noteFailure(.proofFailed, party(message.device), result: "wrong signature")
                return try await handle(.rejected(Self.badSignature))
            }
        }
        guard let known = try await known(message.key, as: message.device) else { return }
        guard known.alarm == nil else {
            core.audit.noteFailure(.keyRotated, party(known.name, known.owner), result: "commands are withheld")
            let words =
                "commands to this device are withheld: its owner has to trust it again before it gets another key"
            return try await handle(.rejected(Failure(.notPermitted, words)))
        }
        do {
            try await core.store.rotate(known, from: message.key, to: message.newKey)
        } catch let error as RouterProblem {
            core.audit.noteFailure(.keyRotated, party(known.name, known.owner), result: error.description)
            return try await handle(.rejected(Failure(error)))
        }
        log("a device has another key", known.name, known.owner)
        core.audit.note(
            .keyRotated, party(known.name, known.owner),
            "key \(KeyFingerprint(digest: Digest.sha256(message.newKey)))")
        do {
            try await handle(.rotated)
        } catch is SessionEnded {
            // Only now: what is connected with the old key comes back with whichever is in the device's file.
            try await core.retireOtherKeys(of: message.newKey)
            throw SessionEnded()
        }
    }

    static let revoked = Failure(
        .notAuthenticated,
        "this device's owner has revoked it; to let it in again, remove device.key from its state directory, and "
            + "enrol it with a new claim code, `m2m-agent enroll`",
        retryAfter: .seconds(300))

    private static let badSignature = Failure(
        .notAuthenticated, "the signature is not right: made with another key, for another router or another connection"
    )
}
