import DeviceModel
import Testing
import Wire

@Suite struct EnvelopeTests {
    @Test func theBytesAreThoseThatMenderPublished() {
        let ping = Envelope(proto: .control, type: "ping", session: "s1")
        #expect(ping.encoded.hexadecimal == "81a368647283a570726f746fcdffffa3747970a470696e67a3736964a27331")
        let shell = Envelope(
            proto: .shell, type: "shell", session: "s1", properties: [.init("status", .integer(1))],
            body: Array("hi".utf8))
        #expect(
            shell.encoded.hexadecimal
                == "82a368647284a570726f746fcd0001a3747970a57368656c6ca3736964a27331a570726f707381a673746174757301"
                + "a4626f6479c4026869")
        let offset = Envelope(proto: .fileTransfer, type: "ack", properties: [.init("offset", .wideInteger(5))])
        #expect(offset.encoded.hexadecimal.contains("d30000000000000005"))
    }

    @Test func readsBackWhatItWrote() throws {
        let envelope = Envelope(
            proto: .requests, type: "call", session: "7",
            properties: [.init("a", .text("x")), .init("b", .boolean(true)), .init("c", .integer(-5))], body: [1, 2, 3])
        #expect(try Envelope(decoding: envelope.encoded) == envelope)
        let bare = Envelope(proto: .control, type: "")
        #expect(try Envelope(decoding: bare.encoded) == bare)
    }

    @Test(arguments: ["", "c0", "80", "81a368647280", "81a3686472c0", "81a368647281a570726f746fce00010000", "93"])
    func refusesWhatIsNoMessage(bytes: String) throws {
        let raw = try #require([UInt8](hexadecimal: bytes))
        #expect(throws: WireError.self) { try Envelope(decoding: raw) }
    }

    @Test("a whole number beside the body is the same when it was read, and one that is too big is passed over")
    func wideProperties() throws {
        let numbers: [Int64] = [4_294_967_296, .max, .min, -4_294_967_296]
        let envelope = Envelope(
            proto: .control, type: "x", properties: numbers.enumerated().map { .init("\($0)", .integer($1)) })
        #expect(try Envelope(decoding: envelope.encoded) == envelope)
        // props: {"x": 2^64 - 1, "y": 2}
        let properties = "82a178cfffffffffffffffffa17902"
        let raw = try #require([UInt8](hexadecimal: "81a368647282a570726f746f01a570726f7073" + properties))
        #expect(try Envelope(decoding: raw).properties == [.init("y", .integer(2))])
    }

    @Test func foreignPropertiesArePassedOver() throws {
        // props: {"x": [1], "y": 2}
        let raw = try #require([UInt8](hexadecimal: "81a368647282a570726f746f01a570726f707382a1789101a17902"))
        let envelope = try Envelope(decoding: raw)
        #expect(envelope.properties == [.init("y", .integer(2))])
    }
}
