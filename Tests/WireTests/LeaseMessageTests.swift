import DeviceModel
import TestSupport
import Testing
import Wire

/// A lease arrives whole or not at all: half of one, or one that lasts too short or too long, is an error with words, and
/// a command without one is written as it was before there were any.
@Suite struct LeaseMessageTests {
    private static let day: Int64 = 86_400_000

    /// A body of text, numbers and truth values.
    private func body(_ fields: [(String, Value)]) -> [UInt8] {
        var writer = MessagePackWriter()
        writer.writeMap { map in
            for (name, value) in fields {
                switch value {
                case .text(let text): map.field(name, text)
                case .integer(let number): map.field(name, number)
                case .boolean(let boolean): map.field(name, boolean)
                case .number(let number): map.field(name, number)
                }
            }
        }
        return writer.bytes
    }

    private func call(_ fields: [(String, Value)]) throws -> Call {
        let head: [(String, Value)] = [
            ("id", .text("c")), ("component", .text("heater")), ("action", .text("on")), ("deadline", .integer(5)),
        ]
        return try Envelope(proto: .commands, type: "call", body: body(head + fields)).decode(Call.self)
    }

    private func request(_ type: String, _ fields: [(String, Value)]) throws -> Request? {
        let head: [(String, Value)] = [
            ("id", .text("c")), ("component", .text("heater")), ("action", .text("on")),
        ]
        return try Request(in: Envelope(proto: .requests, type: type, body: body(head + fields)))
    }

    private func renew(_ fields: [(String, Value)]) throws -> Renew {
        let head: [(String, Value)] = [("id", .text("r")), ("component", .text("heater")), ("deadline", .integer(5))]
        return try Envelope(proto: .commands, type: "renew", body: body(head + fields)).decode(Renew.self)
    }

    @Test("A lease has a name and a length, and says where its holder renews it")
    func lease() throws {
        let fields: [(String, Value)] = [("lease", .text("l")), ("lease_ms", .integer(30_000))]
        #expect(try call(fields).lease == Lease(id: "l", duration: .seconds(30)))
        let renewed = try call(fields + [("lease_renewed", .boolean(true))]).lease
        #expect(renewed == Lease(id: "l", duration: .seconds(30), isRenewed: true))
        #expect(try call(fields + [("lease_renewed", .boolean(false))]).lease?.isRenewed == false)
        #expect(try call([]).lease == nil)
    }

    @Test(
        "Half a lease is no lease, and not none either: the command must not be done without its end",
        arguments: [
            [("lease", .text("l"))], [("lease_ms", .integer(30_000))], [("lease_renewed", .boolean(true))],
            [("lease", .text("l")), ("lease_renewed", .boolean(true))],
        ] as [[(String, Value)]])
    func half(_ fields: [(String, Value)]) {
        let down = #expect(throws: WireError.self) { try call(fields) }
        #expect(down?.kind == .missingField)
        let up = #expect(throws: WireError.self) { try request("call", fields) }
        #expect(up?.kind == .missingField)
    }

    @Test(
        "A lease that lasts too short or too long is refused with the bounds",
        arguments: [.min, -1, 1, 9, 7 * day + 1, .max])
    func bounds(_ milliseconds: Int64) {
        let fields: [(String, Value)] = [("lease", .text("l")), ("lease_ms", .integer(milliseconds))]
        let attempts: [() throws -> Void] = [
            { _ = try call(fields) }, { _ = try renew(fields) }, { _ = try request("call", fields) },
            { _ = try request("renew", fields) },
        ]
        for attempt in attempts {
            let error = #expect(throws: WireError.self) { try attempt() }
            #expect(error?.description.contains("it has to be from 10 to 604800000") == true)
        }
    }

    @Test("The shortest and the longest lease are leases", arguments: [10, 7 * day])
    func extremes(_ milliseconds: Int64) throws {
        let fields: [(String, Value)] = [("lease", .text("l")), ("lease_ms", .integer(milliseconds))]
        #expect(try call(fields).lease?.duration == .milliseconds(milliseconds))
        #expect(try renew(fields).renewal.duration == .milliseconds(milliseconds))
    }

    @Test("Zero ends a lease, and makes none")
    func zero() throws {
        let fields: [(String, Value)] = [("lease", .text("l")), ("lease_ms", .integer(0))]
        #expect(try renew(fields).renewal.duration == .zero)
        guard case .renew(let renewal)? = try request("renew", fields) else {
            Issue.record("no renewal")
            return
        }
        #expect(renewal.duration == .zero)
        let error = #expect(throws: WireError.self) { try call(fields) }
        #expect(error?.description.contains("only a renewal ends a lease") == true)
    }

    @Test(
        "What is no name of a lease is refused", arguments: ["", "a b", "ä", String(repeating: "x", count: 65)])
    func names(_ name: String) {
        let fields: [(String, Value)] = [("lease", .text(name)), ("lease_ms", .integer(10))]
        #expect(throws: WireError.self) { try call(fields) }
        #expect(throws: WireError.self) { try renew(fields) }
        #expect(throws: WireError.self) { try request("renew", fields) }
    }

    @Test("What is not said is not written: a command without a lease looks as it always did")
    func absent() throws {
        let plain = Call(id: "c", component: "heater", action: "on", deadline: MonotonicTime(nanoseconds: 5))
        var writer = MessagePackWriter()
        writer.writeMap { map in
            map.field("id", "c")
            map.field("component", "heater")
            map.field("action", "on")
            map.field("deadline", Int64(5))
        }
        #expect(Envelope(plain).body == writer.bytes)
        #expect(try Envelope(plain).decode(Call.self).by.isEmpty)
    }

    @Test("A command tells the device who gave it")
    func origin() throws {
        let lease = Lease(id: "l", duration: .seconds(30))
        let call = Call(
            id: "c", component: "heater", action: "on", deadline: MonotonicTime(nanoseconds: 5), by: "anna",
            lease: lease)
        #expect(call.command.origin == .router(account: "anna"))
        #expect(call.command.lease == lease)
    }

    @Test("A component without limits is described as it always was, one with limits has them in their order")
    func limits() throws {
        var component = ComponentDescription(id: "heater", model: "relay")
        let device = DeviceDescription(id: "greenhouse", label: nil, software: "s", components: [component])
        let key = [0xA6] + Array("limits".utf8)  // as a short text
        #expect(!Envelope(DescriptionMessage(device)).body.contains(key))
        component.limits = ["safe is off", "on for 30m at the most"]
        let limited = DeviceDescription(id: "greenhouse", label: nil, software: "s", components: [component])
        let envelope = Envelope(DescriptionMessage(limited))
        #expect(envelope.body.contains(key))
        #expect(try envelope.decode(DescriptionMessage.self).description == limited)
    }

    @Test(
        "A renewal that was done is no failure; any other end is one that says whether to try again",
        arguments: [
            (.done, nil), (.refused, .conflict), (.expired, .expired), (.unreachable, .unreachable),
            (.unknown, .unreachable), (.failed, .systemFailure), (.interrupted, .systemFailure),
        ] as [(CommandStatus, ErrorCode?)])
    func failures(_ status: CommandStatus, _ code: ErrorCode?) {
        #expect(Failure(renewal: CommandOutcome(status))?.code == code)
        #expect(Failure(renewal: CommandOutcome(status))?.message.isEmpty != true)
        #expect(Failure(renewal: CommandOutcome(status, "why"))?.message == (code == nil ? nil : "why"))
    }
}
