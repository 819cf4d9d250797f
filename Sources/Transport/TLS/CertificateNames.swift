import Glibc

/// The hosts and addresses that a certificate is for: its subjectAltName (RFC 5280, 4.2.1.6).
struct CertificateNames: Hashable, Sendable {
    /// Host names (dNSName), as they are encoded.
    var hosts: [[UInt8]] = []
    /// Addresses (iPAddress), as they are encoded.
    var addresses: [[UInt8]] = []

    /// Whether there are none.
    var isEmpty: Bool { hosts.isEmpty && addresses.isEmpty }

    /// Whether a host is among them, by its name and by nothing else (RFC 9525, 6.3).
    ///
    /// What the name's address is does not count: whoever answers questions for names could choose it.
    func includes(host name: String) -> Bool {
        let name = Self.comparable(name.utf8)
        let parent = name.drop { $0 != UInt8(ascii: ".") }
        return hosts.contains { host in
            let host = Self.comparable(host)
            if host == name { return !name.isEmpty }
            // `*` stands for one whole label, the first one.
            return host.first == UInt8(ascii: "*") && parent.count > 1 && parent.count < name.count
                && host.dropFirst() == parent
        }
    }

    /// Letters in one case, and no dot at the end (RFC 4343, RFC 1034).
    private static func comparable(_ name: some Sequence<UInt8>) -> ArraySlice<UInt8> {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let lower = name.map { letters.contains($0) ? $0 | 0x20 : $0 }
        return lower.last == UInt8(ascii: ".") ? lower.dropLast() : lower[...]
    }
}

extension CertificateNames: CustomStringConvertible {
    /// A few of them, as they can be shown: whoever made the certificate may have written anything.
    var description: String {
        let all = hosts.map(Self.text) + addresses.map(Self.address)
        let shown = all.prefix(8).joined(separator: ", ")
        return all.count > 8 ? "\(shown) and \(all.count - 8) more" : shown
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(253).map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func address(_ bytes: [UInt8]) -> String {
        guard bytes.count == 4 || bytes.count == 16 else { return "?" }
        var bytes = bytes
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, &bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
