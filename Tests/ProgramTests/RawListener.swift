import Dispatch
import Glibc
import TestSupport

/// A port of this machine at which a test waits for whoever connects.
final class RawListener: Sendable {
    /// The port, a free one.
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                var size = socklen_t(MemoryLayout<sockaddr_in>.size)
                return bind(descriptor, pointer, size) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isListening else {
            let problem = String(cString: strerror(errno))
            close(descriptor)
            throw HarnessError(description: "no port can be had: \(problem)")
        }
        RawSocket.bound(descriptor)
    }

    deinit { close(descriptor) }

    /// Waits for the next connection.
    func accept() async throws -> RawSocket {
        let accepted = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                continuation.resume(returning: Glibc.accept(descriptor, nil, nil))
            }
        }
        guard accepted >= 0, fcntl(accepted, F_SETFD, FD_CLOEXEC) == 0 else {
            throw HarnessError(description: "nobody connects to port \(port)")
        }
        return RawSocket(open: accepted)
    }
}
