/// Where a router is: `wss://router.example:443`.
public struct RouterAddress: Hashable, Sendable, CustomStringConvertible {
    /// The host's name or its address, without brackets.
    public let host: String
    /// The port.
    public let port: Int

    /// The port where none is given.
    public static let standardPort = 443

    /// A place of a router.
    public init(host: String, port: Int = standardPort) {
        self.host = host
        self.port = port
    }

    /// Reads an address.
    ///
    /// Nil when the text is no such thing; connections without TLS do not exist.
    ///
    /// - Parameter text: `wss://HOST[:PORT]` or `https://HOST[:PORT]`, an IPv6 address in brackets.
    public init?(_ text: String) {
        guard let scheme = ["wss://", "https://"].first(where: text.hasPrefix) else { return nil }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest.removeLast() }
        let end = rest.hasPrefix("[") ? rest.firstIndex(of: "]").map(rest.index(after:)) : rest.firstIndex(of: ":")
        let host = rest[..<(end ?? rest.endIndex)]
        let port = rest[(end ?? rest.endIndex)...]
        guard Self.isHost(host) else { return nil }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        if port.isEmpty {
            self.port = Self.standardPort
        } else {
            guard port.hasPrefix(":"), let number = Int(port.dropFirst()), (1...65_535).contains(number) else {
                return nil
            }
            self.port = number
        }
    }

    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("[") {
            return text.hasSuffix("]") && text.count > 3
                && text.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return !text.isEmpty && text.utf8.count <= 253
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_") }
    }

    /// The address as a person writes it.
    public var description: String {
        "wss://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
