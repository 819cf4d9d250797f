import DeviceModel
import TestSupport
import Testing

@testable import Wire

/// Promise: what is half, several things at once, or no number that can be sent on is refused, and not taken for
/// something else.
@Suite struct OddFieldsTests {
    private func request(_ type: String, _ write: (inout MessagePackWriter) -> Void) throws(WireError) -> Request? {
        var writer = MessagePackWriter()
        write(&writer)
        return try Request(in: Envelope(proto: .requests, type: type, body: writer.bytes))
    }

    @Test("A parameter that is no number is refused by its name", arguments: [Double.nan, .infinity, -.infinity])
    func parameters(_ number: Double) {
        let error = #expect(throws: WireError.self) {
            try request("call") { writer in
                writer.writeMap { map in
                    map.field("device", "shed")
                    map.field("component", "heater")
                    map.field("id", "c1")
                    map.field("action", "on")
                    map.field("parameters", ["level": Value.number(number)])
                }
            }
        }
        #expect(error?.kind == .invalidValue)
        #expect(error?.description.contains("level") == true)
    }

    @Test("A limit below 0 is none")
    func limit() throws {
        func history(_ limit: Int) throws(WireError) -> Request? {
            try request("audit") { writer in
                writer.writeMap { map in map.field("limit", limit) }
            }
        }
        #expect(throws: WireError.self) { try history(-1) }
        #expect(try history(0) != nil)
    }

    /// What was observed, of these fields.
    private func content(_ names: [String]) throws(WireError) -> Observation.Content {
        var writer = MessagePackWriter()
        for name in names {
            writer.write(name)
            writer.write("x")
        }
        return try MessagePackReader.read(writer.bytes) { (reader) throws(WireError) in
            var fields = ContentFields()
            for _ in names { try fields.read(try reader.readString(), &reader) }
            return try fields.content(reader)
        }
    }

    @Test("What was observed is a reading, an event or a result, and one of them")
    func several() throws {
        for fields in [["property", "event"], ["event", "action"], []] {
            let error = #expect(throws: WireError.self) { try content(["component"] + fields) }
            #expect(error?.kind == .invalidValue, "\(fields)")
        }
    }

    @Test("The end of an audit log is a number and a hash, or nothing", arguments: ["audit_entry", "audit_hash"])
    func halfHead(_ name: String) {
        var writer = MessagePackWriter()
        if name == "audit_entry" {
            writer.write(UInt64(7))
        } else {
            writer.write([UInt8](repeating: 1, count: AuditHead.hashSize))
        }
        let bytes = writer.bytes
        let error = #expect(throws: WireError.self) {
            try MessagePackReader.read(bytes) { (reader) throws(WireError) in
                var fields = AuditHeadFields()
                try fields.read(name, &reader)
                _ = try fields.head(reader)
            }
        }
        #expect(error?.kind == .missingField)
    }
}
