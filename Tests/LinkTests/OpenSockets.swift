import Glibc

/// The sockets that this process has open.
enum OpenSockets {
    /// Their descriptors.
    static var all: [Int32] {
        guard let folder = opendir("/proc/self/fd") else { return [] }
        defer { closedir(folder) }
        var descriptors: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let descriptor = Int32(name), isSocket(descriptor) else { continue }
            descriptors.append(descriptor)
        }
        return descriptors
    }

    /// Those that are connected with a port.
    static func connected(with port: Int) -> [Int32] {
        all.filter { peerPort(of: $0) == port }
    }

    /// An option of TCP (tcp(7)) that is a number; nil: there is none of that kind.
    static func option(_ name: Int32, of descriptor: Int32) -> Int? {
        var (value, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(descriptor, Int32(IPPROTO_TCP), name, &value, &size) == 0 ? Int(value) : nil
    }

    private static func isSocket(_ descriptor: Int32) -> Bool {
        var target = [UInt8](repeating: 0, count: 64)
        let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
        return count > 0 && String(decoding: target.prefix(count), as: UTF8.self).hasPrefix("socket:")
    }

    private static func peerPort(of descriptor: Int32) -> Int? {
        var (address, size) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        return withUnsafeMutablePointer(to: &address) { pointer in
            // Both kinds of address have the port in the same place.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard getpeername(descriptor, generic, &size) == 0 else { return nil }
                let family = Int32(generic.pointee.sa_family)
                guard family == AF_INET || family == AF_INET6 else { return nil }
                return generic.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    Int(UInt16(bigEndian: $0.pointee.sin_port))
                }
            }
        }
    }
}
