import DeviceModel
import Testing
import Wire

/// What devices, routers and people say to each other survives the wire whole, and whatever a broken or hostile end
/// makes of it ends in a value or in an error that says where, never in a trap.
@Suite struct SessionMessageTests {
    /// The fields of a message that have to be there.
    struct Required: Sendable, CustomTestStringConvertible {
        let message: any Message
        let fields: [String]

        var testDescription: String { type(of: message).kind.type }

        init(_ message: any Message, _ fields: String...) {
            self.message = message
            self.fields = fields
        }
    }

    static let required = [
        Required(Challenge(nonce: [UInt8](repeating: 7, count: 32)), "versions", "nonce"),
        Required(
            Enroll(
                device: Samples.device, key: [UInt8](repeating: 1, count: 32), boot: Samples.boot, claim: "SECRET",
                account: "anna", signature: [UInt8](repeating: 2, count: 64)),
            "version", "device", "key", "boot", "signature"),
        Required(EnrolmentPending(fingerprint: "1f3a 90c2"), "fingerprint"), Required(Enrolled(owner: "anna"), "owner"),
        Required(
            Prove(
                device: Samples.device, key: [UInt8](repeating: 1, count: 32), boot: Samples.boot,
                monotonic: MonotonicTime(nanoseconds: -9), signature: [UInt8](repeating: 2, count: 64)),
            "version", "device", "key", "boot", "at", "signature"),
        Required(
            Welcome(
                owner: "anna", heartbeat: .seconds(20),
                streams: [
                    StreamReception(stream: .telemetry, epoch: .max, received: SequenceRanges()),
                    StreamReception(stream: .events, epoch: 0, received: SequenceRanges(through: .max)),
                ]), "owner", "heartbeat_ms"),
        Required(Heartbeat(monotonic: MonotonicTime(nanoseconds: .max))),
        Required(
            Acknowledgement(
                StreamReception(stream: .events, epoch: .max, received: SequenceRanges([1...2, 4...5])), batch: 7),
            "stream", "epoch", "through"),
        Required(
            Call(
                id: Samples.command, component: Samples.heater, action: "pulse",
                parameters: ["duration": .number(2), "b": .boolean(false), "t": .text(""), "i": .integer(.min)],
                deadline: MonotonicTime(nanoseconds: .min)), "id", "component", "action", "deadline"),
        Required(ControlError("what", closes: true, about: Envelope(proto: .shell, type: "x", session: "s"))),
        Required(Login(user: "anna", password: "secret"), "user", "password"), Required(Code(code: "123456"), "code"),
        Required(Resume(token: "t"), "token"),
        Required(
            SessionGranted(user: "anna", token: "t", expires: WallTime(nanoseconds: .max)), "user", "expires"),
        Required(CodeWanted()), Required(Logout()), Required(LoggedOut()), Required(Stop()), Required(End()),
    ]

    private static func read<M: Message>(_ type: M.Type, _ body: [UInt8]) throws(WireError) -> M {
        try Envelope(proto: M.kind.proto, type: M.kind.type, body: body).decode(M.self)
    }

    private static func body(_ message: some Message) -> [UInt8] { Envelope(message).body }

    /// A body's fields, each with the bytes of its value.
    private static func fields(_ body: [UInt8]) throws -> [(name: String, value: [UInt8])] {
        try MessagePackReader.read(body) { (reader) throws(WireError) in
            var fields: [(String, [UInt8])] = []
            try reader.readMap { (name, reader) throws(WireError) in
                let start = reader.offset
                try reader.skip()
                fields.append((name, Array(body[start..<reader.offset])))
            }
            return fields
        }
    }

    private static func body(of fields: [(name: String, value: [UInt8])]) -> [UInt8] {
        var writer = MessagePackWriter()
        writer.writeMap(fields.count)
        var bytes = writer.bytes
        for field in fields {
            var name = MessagePackWriter()
            name.write(field.name)
            bytes += name.bytes + field.value
        }
        return bytes
    }

    // MARK: Whole messages

    @Test("Every message reads back, whatever the order of its fields, and with fields of a later version")
    func roundTrips() throws {
        func check<M: Message>(_ message: M) throws {
            let fields = try Self.fields(Self.body(message))
            #expect(try Self.read(M.self, Self.body(message)) == message)
            #expect(try Self.read(M.self, Self.body(of: fields.reversed())) == message)
            let later = ("from_a_later_version", [0x92, 0xC0, 0x81, 0xA1, 0x61, 0x01] as [UInt8])
            #expect(try Self.read(M.self, Self.body(of: [later] + fields)) == message)
        }
        for item in Self.required { try check(item.message) }
    }

    @Test("What is optional may be missing") func optionalFields() throws {
        let bare = Enroll(
            device: Samples.device, key: [UInt8](repeating: 1, count: 32), boot: Samples.boot,
            signature: [UInt8](repeating: 2, count: 64))
        #expect(try Self.read(Enroll.self, Self.body(bare)) == bare)
        let welcome = Welcome(owner: "anna", heartbeat: .seconds(1), streams: [])
        #expect(try Self.read(Welcome.self, Self.body(welcome)) == welcome)
        let granted = SessionGranted(user: "anna", expires: WallTime(nanoseconds: 0))
        #expect(try Self.read(SessionGranted.self, Self.body(granted)) == granted)
        #expect(try Self.read(Heartbeat.self, Self.body(Heartbeat())) == Heartbeat())
        #expect(try Self.read(ControlError.self, Self.body(ControlError("what"))) == ControlError("what"))
    }

    @Test("A field that has to be there and is not is named", arguments: required) func missing(item: Required) throws {
        func check<M: Message>(_ message: M) throws {
            let fields = try Self.fields(Self.body(message))
            for name in fields.map(\.name) {
                let rest = Self.body(of: fields.filter { $0.name != name })
                guard item.fields.contains(name) else {
                    #expect(throws: Never.self) { try Self.read(M.self, rest) }
                    continue
                }
                let error = #expect(throws: WireError.self) { try Self.read(M.self, rest) }
                #expect(error?.kind == .missingField)
                #expect(error?.detail == name)
            }
            #expect(Set(fields.map(\.name)).isSuperset(of: item.fields))
        }
        try check(item.message)
    }

    @Test("A field of another type than it has to be is an error", arguments: required)
    func wrongTypes(item: Required) throws {
        func check<M: Message>(_ message: M) throws {
            let fields = try Self.fields(Self.body(message))
            for index in fields.indices {
                var wrong = fields
                wrong[index].value = [0xC0]
                let error = #expect(throws: WireError.self) { try Self.read(M.self, Self.body(of: wrong)) }
                #expect(error?.kind == .unexpectedType, "\(fields[index].name)")
            }
        }
        try check(item.message)
    }

    @Test("A body that is no map is no message", arguments: [[], [0x90], [0xC0], [0x01], [0xA1, 0x61]] as [[UInt8]])
    func notAMap(body: [UInt8]) {
        func check<M: Message>(_ message: M) {
            #expect(throws: WireError.self) { try Self.read(M.self, body) }
        }
        for item in Self.required { check(item.message) }
    }

    // MARK: Bounds

    @Test(
        "Keys, nonces and signatures have their length or are refused",
        arguments: [("nonce", 32), ("key", 32), ("signature", 64), ("boot", 16)])
    func fixedLengths(name: String, count: Int) throws {
        var checked = 0
        func check<M: Message>(_ message: M) throws {
            var fields = try Self.fields(Self.body(message))
            guard let index = fields.firstIndex(where: { $0.name == name }) else { return }
            checked += 1
            for wrong in [0, 1, count - 1, count + 1, 255] {
                fields[index].value = [0xC4, UInt8(wrong)] + [UInt8](repeating: 3, count: wrong)
                let error = #expect(throws: WireError.self) { try Self.read(M.self, Self.body(of: fields)) }
                #expect(error?.kind == .invalidValue)
                #expect(error?.detail.contains("\(name) must be \(count) bytes") == true)
            }
        }
        for item in Self.required.prefix(5) { try check(item.message) }
        #expect(checked > 0)
    }

    @Test("A heartbeat is never shorter than a tenth of a second nor longer than an hour")
    func heartbeatIsBounded() throws {
        for (given, read) in [
            (Duration.zero, Duration.milliseconds(100)), (.seconds(-5), .milliseconds(100)),
            (.seconds(20), .seconds(20)),
            (.seconds(86_400), .seconds(3_600)),
        ] {
            let body = Self.body(Welcome(owner: "anna", heartbeat: given, streams: []))
            #expect(try Self.read(Welcome.self, body).heartbeat == read)
        }
    }

    @Test("A wish to be left alone is never negative nor longer than a day") func retryAfterIsBounded() throws {
        let day = Duration.seconds(86_400)
        for (given, read) in [(.seconds(-1), .zero), (.seconds(7), .seconds(7)), (day * 2, day)]
            as [(Duration, Duration)]
        {
            let envelope = Failure(.busy, "later", retryAfter: given).envelope(.deviceSession)
            #expect(try Failure(in: envelope).retryAfter == read)
        }
        #expect(try Failure(in: Failure(.busy, "later").envelope(.accounts)).retryAfter == nil)
    }

    @Test("Numbers count from 1: a range from 0 is none", arguments: [[0, 5], [0, .max], [0, 0]] as [[UInt64]])
    func rangesBeginAtOne(range: [UInt64]) {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("stream", "events")
            map.field("epoch", 1)
            map.field("through", 2)
            map.field("ranges", [range]) { writer, range in writer.writeArray(range) { $0.write($1) } }
        }
        let error = #expect(throws: WireError.self) { try Self.read(Acknowledgement.self, writer.bytes) }
        #expect(error?.kind == .invalidValue)
    }

    @Test("An agent has been up for no more than 31 years, and for no less than no time", arguments: [Int64.min, .max])
    func uptimeIsBounded(given: Int64) throws {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("items", [given]) { writer, given in
                writer.writeMap { map in
                    map.field("item", "status")
                    map.field("agent", given) { writer, given in
                        writer.writeMap { map in
                            map.field("device", "greenhouse")
                            map.field("uptime_ms", given)
                        }
                    }
                }
            }
        }
        let items = try Self.read(Items.self, writer.bytes)
        guard case .status(let status) = items.items.first else { return #expect(Bool(false)) }
        #expect(status.uptime == (given < 0 ? .zero : .seconds(1_000_000_000)))
        #expect(try Self.read(Items.self, Self.body(items)) == items)
    }

    @Test("A stream that only a later router knows is passed over") func unknownStreams() throws {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("owner", "anna")
            map.field("heartbeat_ms", 20_000)
            map.field("streams", ["logs", "events"]) { writer, name in
                writer.writeMap { map in
                    map.field("stream", name)
                    map.field("epoch", 1)
                    map.field("through", 2)
                }
            }
        }
        let welcome = try Self.read(Welcome.self, writer.bytes)
        #expect(
            welcome.streams
                == [StreamReception(stream: .events, epoch: 1, received: SequenceRanges(through: 2))])
    }

    // MARK: Broken messages

    @Test("No message is complete before its last byte") func prefixes() {
        func check<M: Message>(_ message: M) {
            let body = Self.body(message)
            for count in 0..<body.count {
                let error = #expect(throws: WireError.self) { try Self.read(M.self, Array(body.prefix(count))) }
                #expect(error?.kind == .truncated || error?.kind == .tooLong, "\(M.kind.type): \(count) bytes")
            }
            let envelope = Envelope(message, session: "s").encoded
            for count in 0..<envelope.count {
                #expect(throws: WireError.self) { try Envelope(decoding: Array(envelope.prefix(count))) }
            }
            #expect(throws: WireError.self) { try Self.read(M.self, body + [0xC0]) }
        }
        for message in Self.required.map(\.message) + Samples.messages { check(message) }
    }

    /// What a message becomes under each change of one byte: an error, or a value that itself survives the wire.
    private static func broken<M: Message>(_ message: M, by changes: some Sequence<UInt8>) -> [String] {
        var body = Self.body(message)
        var unstable: [String] = []
        for index in body.indices {
            let original = body[index]
            for change in changes where change != 0 {
                body[index] = original ^ change
                let again: [UInt8]
                do throws(WireError) {
                    again = Self.body(try Self.read(M.self, body))
                } catch {
                    if error.offset > body.count { unstable.append("\(M.kind.type): an error at \(error.offset)") }
                    continue
                }
                // Bytes, not values: a number that is none does not equal itself.
                // safe: what can't be read again is told apart by what is missing
                let twice = (try? Self.read(M.self, again)).map { Self.body($0) }
                if twice != again { unstable.append("\(M.kind.type): byte \(index) ^ \(change)") }
            }
            body[index] = original
        }
        return unstable
    }

    @Test("Every change of one byte gives a value or an error", arguments: required) func everyChange(item: Required) {
        #expect(Self.broken(item.message, by: 1...255) == [])
    }

    @Test("The long messages too, for some changes of each byte", arguments: Samples.messages.indices)
    func longMessages(index: Int) {
        #expect(Self.broken(Samples.messages[index], by: [0x01, 0x20, 0x80, 0xFF]) == [])
    }
}
