import Wire

extension FuzzTarget {
    /// What every target that reads MessagePack begins with, beside what is its own.
    static let messagePack = "messagepack"

    /// A target for each message that has a body of its own kind.
    static let messages: [FuzzTarget] = kinds.map { body(of: $0) }

    /// Every message of the protocols; requests and failures have their own ways.
    private static let kinds: [any Message.Type] = [
        Challenge.self, Enroll.self, EnrolmentPending.self, Enrolled.self, Prove.self, Welcome.self, Heartbeat.self,
        Rotate.self, Rotated.self, ObservationBatch.self, Acknowledgement.self, DescriptionMessage.self, Call.self,
        Called.self, Renew.self, Renewed.self, Items.self, Stop.self, End.self, Login.self, CodeWanted.self, Code.self,
        Resume.self, SessionGranted.self, Logout.self, LoggedOut.self, ControlError.self,
        IntegrityAsk.self, IntegrityAnswer.self, IntegrityReport.self,
    ]

    /// What is read in a message, and nowhere else.
    private static let parts: [String: Set<String>] = [
        "Prove": ["IntegrityClaim"], "Welcome": ["IntegrityVerdict"], "Items": ["ReportedIntegrity"],
        "IntegrityAnswer": ["IntegrityStatus", "FileEntry", "FileChange"],
    ]

    private static func body<M: Message>(of type: M.Type) -> FuzzTarget {
        let form = WireForm<M> { (bytes) throws(WireError) in
            try Envelope(proto: M.kind.proto, type: M.kind.type, body: bytes).decode(M.self)
        } write: { message in
            Envelope(message).body
        }
        return FuzzTarget(
            words("\(type)"), seeds: [messagePack], types: Set(["\(type)"]).union(parts["\(type)"] ?? []),
            check: form.check)
    }

    /// `CodeWanted` as `code-wanted`.
    private static func words(_ type: String) -> String {
        var name = ""
        for letter in type {
            if letter.isUppercase, !name.isEmpty { name += "-" }
            name += letter.lowercased()
        }
        return name
    }

    /// Reads a message of any kind, as an end does that knows all of them.
    static func open(_ envelope: Envelope) throws(BrokenPromise) {
        if let kind = kinds.first(where: { $0.kind == envelope.kind }) {
            _ = try body(of: kind).check(envelope.body)
        }
        if envelope.type == Failure.type { _ = try failure(envelope.proto).check(envelope.body) }
        _ = try request(envelope.type).check(envelope.body)
    }
}
