import Dispatch
import Glibc
import Synchronization
import TestSupport

/// A connection on which a test says what no program of ours would.
final class RawSocket: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Connects to a Unix socket.
    init(unix path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        descriptor = Mutex(try Self.connect(AF_UNIX, &address))
    }

    /// A connection that is there already.
    init(open descriptor: Int32) {
        Self.bound(descriptor)
        self.descriptor = Mutex(descriptor)
    }

    /// Connects to a port of this machine.
    init(port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        descriptor = Mutex(try Self.connect(AF_INET, &address))
    }

    deinit { close() }

    private static func connect<Address>(_ family: Int32, _ address: inout Address) throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
        guard isConnected else {
            throw HarnessError(description: "nobody listens: \(String(cString: strerror(errno)))")
        }
        bound(descriptor)
        return descriptor
    }

    /// Whoever says or reads nothing must not make a test wait for ever.
    static func bound(_ descriptor: Int32) {
        var limit = timeval(tv_sec: Int(patience), tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Says something, as far as the other end listens.
    func say(_ bytes: [UInt8]) async {
        _ = await offThePool { descriptor in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// The first bytes of what the other end says; fewer when it hangs up.
    func hear(_ count: Int) async -> [UInt8] {
        await offThePool { descriptor in
            var bytes = [UInt8](repeating: 0, count: count)
            let heard = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
            return Array(bytes.prefix(max(0, heard)))
        } ?? []
    }

    /// Does what may wait for the other end where no other test waits for it; nothing on a socket that is closed.
    private func offThePool<Result: Sendable>(_ body: @escaping @Sendable (Int32) -> Result) async -> Result? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                continuation.resume(returning: descriptor.withLock { $0 }.map(body))
            }
        }
    }

    /// Hangs up.
    func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { Glibc.close(open) }
            descriptor = nil
        }
    }
}
