import Testing

@testable import Router

/// Promise: only who is trusted says for whom they ask, and nobody can make up an address for themselves.
@Suite struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "192.168.1.7", "fd00::/16"])

    @Test(
        "The source is the last address that no proxy has written down for itself",
        arguments: [
            ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
            ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", ["1.1.1.1", " 198.51.100.1 , 10.9.9.9"], "198.51.100.1"),
            ("192.168.1.7", ["2001:db8::1"], "2001:db8::1"),
            ("192.168.1.8", ["198.51.100.1"], "192.168.1.8"),
            ("fd00::1", ["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", [], "10.1.2.3"),
            ("10.1.2.3", ["nonsense"], "10.1.2.3"),
            ("10.1.2.3", ["198.51.100.1, nonsense"], "10.1.2.3"),
            ("10.1.2.3", ["10.1.1.1"], "10.1.2.3"),
        ] as [(String, [String], String)])
    func source(_ peer: String, _ forwardedFor: [String], _ source: String) {
        #expect(proxies?.source(peer: peer, forwardedFor: forwardedFor) == source)
    }

    @Test(
        "What is no address is refused",
        arguments: ["10.0.0.0/33", "10.0.0", "proxy.example", "", "10.0.0.0/", "::/129"])
    func refused(_ text: String) {
        #expect(TrustedProxies([text]) == nil)
    }

    @Test("All addresses of one customer of IPv6 count as one, and a mapped address as what it is")
    func networks() {
        #expect(SourceNetwork.of("2001:db8:1:2:3::4") == SourceNetwork.of("2001:db8:1:2:ffff::1"))
        #expect(SourceNetwork.of("2001:db8:1:2::1") != SourceNetwork.of("2001:db8:1:3::1"))
        #expect(SourceNetwork.of("::ffff:198.51.100.1") == "198.51.100.1")
        #expect(SourceNetwork.of("198.51.100.1") == "198.51.100.1")
    }
}
