import TestSupport
import Testing
import Wire

/// The bytes in Docs/Protocol.md are those that the programs send: each example is read, and written again.
@Suite struct ProtocolDocumentTests {
    /// Every message that has a body of its own kind; requests and failures have their own ways.
    private static let messages: [any Message.Type] = [
        Challenge.self, Enroll.self, EnrolmentPending.self, Enrolled.self, Prove.self, Rotate.self, Rotated.self,
        Welcome.self,
        Heartbeat.self, ObservationBatch.self, Acknowledgement.self, DescriptionMessage.self, Call.self, Renew.self,
        Renewed.self, Called.self, Items.self, Stop.self, End.self, Login.self, CodeWanted.self, Code.self, Resume.self,
        SessionGranted.self, Logout.self, LoggedOut.self, ControlError.self, IntegrityAsk.self, IntegrityAnswer.self,
        IntegrityReport.self,
    ]

    private static func examples() throws -> [Document.Block] {
        try Document("Docs/Protocol.md").blocks.filter { $0.kind == "hex" }
    }

    @Test("every example is a message that is written with the same bytes")
    func bytes() throws {
        let examples = try Self.examples()
        #expect(examples.count > 50)
        for example in examples {
            let bytes = try Self.bytes(example.text)
            let envelope = try Envelope(decoding: bytes)
            let again = try Self.written(again: envelope)
            #expect(again.encoded == bytes, "\(example.name ?? "?"), line \(example.line)")
        }
    }

    @Test("every kind of message has an example")
    func kinds() throws {
        let shown = Set(try Self.examples().map { try Envelope(decoding: try Self.bytes($0.text)).kind })
        for message in Self.messages { #expect(shown.contains(message.kind), "\(message.kind)") }
        for type in ["history", "call", "renew"] { #expect(shown.contains(MessageKind(.requests, type)), "\(type)") }
    }

    @Test("every example has a name of its own")
    func names() throws {
        let names = try Self.examples().map { try #require($0.name, "line \($0.line)") }
        #expect(Set(names).count == names.count)
    }

    private static func written(again envelope: Envelope) throws -> Envelope {
        func same<M: Message>(_ type: M.Type) throws -> Envelope {
            Envelope(try envelope.decode(type), session: envelope.session)
        }
        if let type = messages.first(where: { $0.kind == envelope.kind }) { return try same(type) }
        if envelope.type == Failure.type {
            return try Failure(in: envelope).envelope(envelope.proto, session: envelope.session)
        }
        let request = try #require(try Request(in: envelope), "'\(envelope.type)' is no request")
        return request.envelope(session: envelope.session)
    }

    /// The bytes of a block: hexadecimal digits, spaces, and comments after a semicolon.
    private static func bytes(_ text: String) throws -> [UInt8] {
        let digits = text.split(separator: "\n").flatMap { $0.prefix { $0 != ";" } }.filter { !$0.isWhitespace }
        guard digits.count.isMultiple(of: 2) else { throw HarnessError(description: "half a byte") }
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            try #require(UInt8(String(digits[index...(index + 1)]), radix: 16), "\(digits[index...(index + 1)])")
        }
    }
}
