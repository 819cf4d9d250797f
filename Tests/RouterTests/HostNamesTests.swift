import DeviceModel
import Testing

@testable import Router

/// Promise: a router that makes its own certificate puts every name in it by which it is reached, once, and addresses as
/// addresses.
@Suite struct HostNamesTests {
    @Test("The machine itself can always be reached by its loopback names")
    func loopback() {
        let names = HostNames.all(RouterSettings())
        for name in ["localhost", "127.0.0.1", "::1"] { #expect(names.contains(name), "\(name)") }
    }

    @Test("Names from the configuration and the address that is listened on are in it")
    func configured() {
        let address = RouterAddress(host: "192.0.2.7", port: 443)
        let names = HostNames.all(RouterSettings(address: address, names: ["router.example"]))
        #expect(names.contains("router.example"))
        #expect(names.contains("192.0.2.7"))
    }

    @Test("Listening everywhere is no name", arguments: ["0.0.0.0", "::"])
    func everywhere(_ host: String) {
        #expect(!HostNames.all(RouterSettings(address: RouterAddress(host: host, port: 443))).contains(host))
    }

    @Test("No name is there twice")
    func once() {
        let address = RouterAddress(host: "localhost", port: 443)
        let names = HostNames.all(RouterSettings(address: address, names: ["localhost", "router.example", "::1"]))
        #expect(Set(names).count == names.count)
    }

    @Test("Addresses become their bytes")
    func addresses() {
        #expect(IPAddress.bytes("192.0.2.7") == [192, 0, 2, 7])
        #expect(IPAddress.bytes("0.0.0.0") == [0, 0, 0, 0])
        #expect(IPAddress.bytes("::ffff:192.0.2.7") == [192, 0, 2, 7])
        #expect(IPAddress.bytes("::1") == [UInt8](repeating: 0, count: 15) + [1])
        #expect(IPAddress.bytes("2001:db8::7") == [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7])
    }

    @Test(
        "What is no address stays a name", arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 "])
    func noAddress(_ text: String) {
        #expect(IPAddress.bytes(text) == nil)
    }
}
