import Testing

@testable import Transport

/// Whoever asks for a name wants a certificate for that name, and for nothing that only leads to the same place.
@Suite(.timeLimit(.minutes(1))) struct CertificateNamesTests {
    private func names(_ hosts: String..., addresses: [[UInt8]] = []) -> CertificateNames {
        CertificateNames(hosts: hosts.map { Array($0.utf8) }, addresses: addresses)
    }

    @Test(
        "A name is the same in any case, and with a dot at its end; a star is its first label",
        arguments: [
            ("router.example", "router.example"), ("Router.EXAMPLE", "rOUTER.example"),
            ("router.example.", "router.example"), ("router.example", "router.example."), ("localhost", "localhost"),
            ("*.example", "router.example"), ("*.Router.example", "a.router.example"),
            ("*.example", "xn--bcher-kva.example"), ("a_b.example", "a_b.example"),
        ])
    func same(_ certified: String, _ host: String) {
        #expect(names("other.example", certified).includes(host: host))
    }

    @Test(
        "Whatever else is alike is another name",
        arguments: [
            ("router.example", "router.example.org"), ("router.example", "other.router.example"),
            ("router.example", "example"), ("*.example", "example"), ("*.example", ".example"),
            ("*.example", "a.router.example"), ("*.*.example", "a.router.example"), ("r*.example", "router.example"),
            ("*r.example", "router.example"), ("*", "localhost"), ("*.", "localhost"), ("*.", "localhost."),
            ("router.*", "router.example"), ("", ""), ("", "localhost"), ("[outer", "{outer"),
            ("router.example\0.evil", "router.example"), ("127.0.0.1", "localhost"),
        ])
    func other(_ certified: String, _ host: String) {
        #expect(!names(certified).includes(host: host))
    }

    @Test("An address is no name") func addresses() {
        let names = names(addresses: [[127, 0, 0, 1]])
        #expect(!names.isEmpty)
        #expect(!names.includes(host: "localhost"))
        #expect(!names.includes(host: "127.0.0.1"))
    }

    @Test("They are told as they can be read, without anything that a terminal would obey, and not too many")
    func words() {
        let few = names(
            "router.example", "a\u{1B}[2Jb",
            addresses: [[192, 0, 2, 1], [1, 2, 3], [UInt8](repeating: 0, count: 15) + [1]])
        #expect("\(few)" == "router.example, a?[2Jb, 192.0.2.1, ?, ::1")
        let many = CertificateNames(hosts: (0..<300).map { Array("h\($0)".utf8) })
        #expect("\(many)" == "h0, h1, h2, h3, h4, h5, h6, h7 and 292 more")
        #expect("\(names(String(repeating: "x", count: 70_000)))".count == 253)
    }
}
