import DeviceModel
import Testing

@Suite struct NameTests {
    @Test func deviceNames() {
        for name in ["greenhouse", "a", "7", "pi-4", String(repeating: "a", count: 63)] {
            #expect(DeviceID(rawValue: name) != nil)
        }
        for name in ["", "-a", "a-", "A", "ä", "a b", "a_b", "a/b", String(repeating: "a", count: 64)] {
            #expect(DeviceID(rawValue: name) == nil)
        }
    }

    @Test func componentNames() {
        #expect(ComponentID(rawValue: "pump_2") != nil)
        for name in ["", "2pump", "Pump", "p.q", "p/q"] { #expect(ComponentID(rawValue: name) == nil) }
    }

    @Test func addresses() {
        #expect(Address("climate")?.component?.rawValue == "climate")
        #expect(Address("climate.temperature")?.property == "temperature")
        #expect(Address("greenhouse/climate.temperature")?.device?.rawValue == "greenhouse")
        #expect(Address("greenhouse/")?.component == nil)
        #expect(Address("greenhouse/climate.temperature")?.description == "greenhouse/climate.temperature")
        #expect(Address.ofDevice("greenhouse")?.device?.rawValue == "greenhouse")
        #expect(Address.ofDevice("greenhouse/climate")?.component?.rawValue == "climate")
        #expect(Address.ofDevice("/climate")?.device == nil)
        for text in ["", "a/b/c", "Climate", "climate.", "/", "UP/climate"] { #expect(Address(text) == nil) }
    }

    @Test func lineReferences() {
        #expect(LineReference("GPIO17") == .name("GPIO17"))
        #expect(LineReference("pin 11") == .pin(11))
        #expect(LineReference("pin11") == .pin(11))
        #expect(LineReference("pin 11")?.normalised == .name("GPIO17"))
        #expect(LineReference("pin 40")?.gpio == 21)
        for text in ["", "pin 1", "pin 99", "two words", String(repeating: "x", count: 32)] {
            #expect(LineReference(text) == nil)
        }
    }

    @Test func everyPinOfTheHeaderHasItsOwnLine() {
        let lines = (1...40).compactMap(Header.gpio(ofPin:))
        #expect(lines.count == 26)
        #expect(Set(lines) == Set(2...27))
    }

    @Test(arguments: [
        ("wss://router.example", "router.example", 443), ("wss://router.example:8443/", "router.example", 8_443),
        ("https://127.0.0.1:9", "127.0.0.1", 9), ("wss://[::1]:8443", "::1", 8_443),
        ("wss://localhost", "localhost", 443),
    ])
    func routerAddresses(text: String, host: String, port: Int) throws {
        let address = try #require(RouterAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(RouterAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "router.example", "ws://router.example", "http://x", "wss://", "wss://:443", "wss://a:0", "wss://a:65536",
        "wss://a:b", "wss://a b", "wss://[::1", "wss://a/path",
    ])
    func whatIsNoRouterAddress(text: String) {
        #expect(RouterAddress(text) == nil)
    }

    @Test func bootIDs() {
        #expect(
            BootID(text: "0f2c3d4e-0000-4000-8000-0123456789ab\n")?.description
                == "0f2c3d4e0000400080000123456789ab".lowercased())
        #expect(BootID(text: "0f2c") == nil)
        #expect([UInt8](hexadecimal: "00ff1") == nil)
        #expect([UInt8](hexadecimal: "00ff10") == [0, 255, 16])
    }
}
