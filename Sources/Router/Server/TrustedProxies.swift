import DeviceModel
import NIOCore

/// The proxies that stand before a router, and are believed when they say for whom they ask.
public struct TrustedProxies: Hashable, Sendable {
    /// A range of addresses.
    struct Network: Hashable, Sendable {
        let bytes: [UInt8]
        let bits: Int

        /// - Parameter text: An address, or an address and a number of bits, such as `10.0.0.0/8`; nil for anything else.
        init?(_ text: String) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let bytes = IPAddress.bytes(String(parts[0])) else { return nil }
            let bits = parts.count == 2 ? Int(parts[1]) : bytes.count * 8
            guard let bits, (0...bytes.count * 8).contains(bits) else { return nil }
            (self.bytes, self.bits) = (bytes, bits)
        }

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            return (0..<bits).allSatisfy { bit in
                (address[bit / 8] ^ bytes[bit / 8]) & (0x80 >> (bit % 8)) == 0
            }
        }
    }

    private let networks: [Network]

    /// Nobody is believed.
    public static let none = TrustedProxies(networks: [])

    private init(networks: [Network]) {
        self.networks = networks
    }

    /// - Parameter texts: Addresses, or ranges such as `10.0.0.0/8`; nil where one of them is neither.
    public init?(_ texts: [String]) {
        let networks = texts.compactMap(Network.init)
        guard networks.count == texts.count else { return nil }
        self.networks = networks
    }

    /// Whether an address is a proxy's.
    func contains(_ address: String) -> Bool {
        guard let bytes = IPAddress.bytes(address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }

    /// For whom a request comes: the last address that no proxy of ours has written down for itself.
    ///
    /// - Parameters:
    ///   - peer: The address of the other end.
    ///   - forwardedFor: The headers `X-Forwarded-For`, in their order.
    /// - Returns: The address.
    func source(peer: String, forwardedFor: [String]) -> String {
        guard contains(peer) else { return peer }
        let said = forwardedFor.flatMap { $0.split(separator: ",") }.map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        // What stands further to the left may have been made up by whoever asks.
        for address in said.reversed() where !contains(address) {
            return IPAddress.bytes(address) == nil ? peer : address
        }
        return peer
    }
}
