import Glibc

/// Unix sockets with a name, for tests that stand in for whoever listens there.
///
/// No program that a test starts inherits one.
public enum UnixSocket {
    /// A socket that has a name.
    ///
    /// - Parameters:
    ///   - path: Its file, which is made; or `@` and a name without a file.
    ///   - type: Its kind, such as `SOCK_DGRAM`, and flags.
    /// - Throws: ``HarnessError`` when the name is too long, or can't be had.
    /// - Returns: Its descriptor, which is the caller's to close.
    public static func bound(_ path: String, type: Int32) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        // A path ends with a zero; a name without a file begins with one, and ends with its length (unix(7)).
        if name.first == UInt8(ascii: "@") { name[0] = 0 } else { name.append(0) }
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count <= room else {
            throw HarnessError(description: "\(path) is too long for a socket: \(name.count) bytes, not \(room)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = MemoryLayout<sa_family_t>.size + name.count
        let descriptor = socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                descriptor >= 0 && bind(descriptor, pointer, socklen_t(length)) == 0
            }
        }
        guard isBound else { throw failure(of: descriptor, at: path) }
        return descriptor
    }

    /// A socket at which somebody can knock.
    ///
    /// - Parameters:
    ///   - path: Its file, which is made; or `@` and a name without a file.
    ///   - type: Its kind, such as `SOCK_STREAM`, and flags.
    /// - Throws: ``HarnessError`` when the name is too long, or can't be had.
    /// - Returns: Its descriptor, which is the caller's to close.
    public static func listening(_ path: String, type: Int32) throws -> Int32 {
        let descriptor = try bound(path, type: type)
        guard listen(descriptor, 8) == 0 else { throw failure(of: descriptor, at: path) }
        return descriptor
    }

    /// What went wrong last, with a descriptor that nobody needs any more.
    private static func failure(of descriptor: Int32, at path: String) -> HarnessError {
        let problem = String(cString: strerror(errno))
        if descriptor >= 0 { close(descriptor) }
        return HarnessError(description: "\(path): \(problem)")
    }
}
