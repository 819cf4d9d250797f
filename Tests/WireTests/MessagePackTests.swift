import DeviceModel
import Testing
import Wire

@Suite struct MessagePackTests {
    private func written(_ write: (inout MessagePackWriter) -> Void) -> String {
        var writer = MessagePackWriter()
        write(&writer)
        return writer.bytes.hexadecimal
    }

    @Test(arguments: [
        (Int64(0), "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65_536, "ce00010000"),
        (4_294_967_296, "cf0000000100000000"), (-1, "ff"), (-32, "e0"), (-33, "d0df"), (-129, "d1ff7f"),
        (-32_769, "d2ffff7fff"), (.min, "d38000000000000000"), (.max, "cf7fffffffffffffff"),
    ])
    func wholeNumbersTakeTheShortestForm(number: Int64, bytes: String) throws {
        #expect(written { $0.write(number) } == bytes)
        let raw = try #require([UInt8](hexadecimal: bytes))
        #expect(try MessagePackReader.read(raw) { (r) throws(WireError) in try r.readInt64() } == number)
    }

    @Test func everythingElse() {
        #expect(written { $0.writeNil() } == "c0")
        #expect(written { $0.write(true) } == "c3")
        #expect(written { $0.write(1.5) } == "cb3ff8000000000000")
        #expect(written { $0.write("°C") } == "a3c2b043")
        #expect(written { $0.write(String(repeating: "a", count: 32)) }.hasPrefix("d920"))
        #expect(written { $0.write([UInt8(1), 2]) } == "c4020102")
        #expect(written { $0.writeFullWidth(Int64(5)) } == "d30000000000000005")
        #expect(written { $0.writeFullWidth(UInt16(1)) } == "cd0001")
        #expect(
            written {
                $0.writeMap {
                    $0.field("a", 1); $0.field("b", Int?.none)
                }
            } == "81a16101")
        #expect(written { $0.writeArray(20) } == "dc0014")
    }

    @Test(arguments: ["ca3fc00000", "cb3ff8000000000000", "01", "ff", "cc80"])
    func numbersAreReadFromEveryForm(bytes: String) throws {
        let raw = try #require([UInt8](hexadecimal: bytes))
        _ = try MessagePackReader.read(raw) { (r) throws(WireError) in try r.readDouble() }
    }

    @Test(arguments: [
        ("", WireError.Kind.truncated, 0), ("a261", .tooLong, 1), ("d9", .truncated, 0), ("dbffffffff61", .tooLong, 5),
        ("a1ff", .invalidText, 1), ("0000", .trailing, 1), ("c1", .unexpectedType, 0), ("da00", .truncated, 0),
    ])
    func brokenTextsSayWhere(bytes: String, kind: WireError.Kind, offset: Int) throws {
        let raw = try #require([UInt8](hexadecimal: bytes))
        #expect {
            _ = try MessagePackReader.read(raw) { (r) throws(WireError) -> String in
                if bytes == "0000" { return String(try r.readInt64()) }
                return try r.readString()
            }
        } throws: {
            ($0 as? WireError)?.kind == kind && ($0 as? WireError)?.offset == offset
        }
    }

    @Test func hugeAnnouncementsAllocateNothing() throws {
        for head in ["dd40000000", "df40000000", "c640000000", "db40000000", "c940000000"] {
            let raw = try #require([UInt8](hexadecimal: head + "00"))
            #expect(throws: WireError.self) {
                try MessagePackReader.read(raw) { (r) throws(WireError) in try r.skip() }
            }
        }
    }

    @Test func depthIsBounded() {
        let shallow = [UInt8](repeating: 0x91, count: MessagePackReader.maximumDepth) + [0x01]
        #expect(throws: Never.self) { try MessagePackReader.read(shallow) { (r) throws(WireError) in try r.skip() } }
        for head: UInt8 in [0x91, 0x81] {
            let deep = [UInt8](repeating: head, count: 100_000)
            #expect {
                try MessagePackReader.read(deep) { (r) throws(WireError) in try r.skip() }
            } throws: {
                let error = $0 as? WireError
                return error?.kind == .tooDeep || error?.kind == .unexpectedType || error?.kind == .tooLong
            }
        }
    }

    @Test func skippingPassesOverEveryForm() throws {
        let forms = [
            "c0", "c2", "07", "e0", "cc01", "cd0001", "ce00000001", "cf0000000000000001", "d001", "d10001",
            "d200000001",
            "d30000000000000001", "ca00000000", "cb0000000000000000", "a161", "d90161", "da000161", "db0000000161",
            "c40101", "c5000101", "c60000000101", "9101", "dc000101", "dd0000000101", "81a16101", "de0001a16101",
            "df00000001a16101", "d4ff00", "d5ff0000", "d6ff00000000", "d7ff0000000000000000",
            "d8ff00000000000000000000000000000000", "c701ff00", "c80001ff00", "c900000001ff00",
        ]
        for form in forms {
            let raw = try #require([UInt8](hexadecimal: form + "2a"))
            let after = try MessagePackReader.read(raw) { (r) throws(WireError) -> Int64 in
                try r.skip()
                return try r.readInt64()
            }
            #expect(after == 42, "\(form)")
        }
    }
}
