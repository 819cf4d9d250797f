import DeviceModel

/// Whose an address is, as far as anybody can tell from outside.
enum SourceNetwork {
    /// The address; of an IPv6 address the first 64 bits, of which every customer has all the rest (RFC 6177).
    static func of(_ address: String) -> String {
        guard let bytes = IPAddress.bytes(address) else { return address }
        return bytes.count == 4
            ? bytes.map(String.init).joined(separator: ".") : Array(bytes.prefix(8)).hexadecimal
    }
}
