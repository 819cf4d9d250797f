import DeviceModel
import Glibc
import NIOCore

/// The names and addresses under which this machine can be reached, for the certificate of a router that makes its own.
enum HostNames {
    static func all(_ settings: RouterSettings) -> [String] {
        var names = ["localhost", "127.0.0.1", "::1"] + settings.names
        let listens = settings.address.host
        if !["0.0.0.0", "::"].contains(listens) { names.append(listens) }
        if let own { names += [own, "\(own).local"] }
        if ["0.0.0.0", "::"].contains(listens) { names += addresses }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The machine's own name, without its domain.
    private static var own: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.split(separator: ".").first.map { $0.lowercased() }
    }

    private static var addresses: [String] {
        let devices = try? System.enumerateDevices()  // safe: who does not tell its addresses is reached by name
        return devices?.compactMap { $0.address?.ipAddress } ?? []
    }
}
