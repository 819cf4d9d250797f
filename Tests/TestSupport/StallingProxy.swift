public import DeviceModel
import Dispatch
import Glibc
import Synchronization

/// What stands between a device and its router, and passes everything on: late, slowly, damaged or not at all, when a
/// test wants it.
///
/// Its threads are its own: a sluice that is shut holds up no test.
public final class StallingProxy: Sendable {
    /// What goes to the device.
    public let down = Sluice()
    /// What comes from the device.
    public let up = Sluice()
    /// Where the device finds it.
    public let address: RouterAddress

    private let router: Int
    private let listener: Socket
    private let pairs = Mutex((isOver: false, all: [Pair]()))

    private struct Pair {
        let device: Socket
        let router: Socket

        func hangUp() {
            for socket in [device, router] { socket.hangUp() }
        }
    }

    private init(to router: Int) throws {
        self.router = router
        listener = try Socket()
        address = RouterAddress(host: "127.0.0.1", port: try listener.listen())
    }

    /// Runs a proxy while something happens.
    ///
    /// - Parameters:
    ///   - router: The port of this machine where the router listens.
    ///   - body: What happens.
    /// - Throws: ``HarnessError`` when there is no port, and what `body` throws.
    /// - Returns: What came of it.
    public static func run<Result>(
        toPort router: Int, _ body: (StallingProxy) async throws -> Result
    ) async throws -> Result {
        let proxy = try StallingProxy(to: router)
        DispatchQueue(label: "m2m.test.proxy").async { proxy.serve() }
        defer { proxy.end() }
        return try await body(proxy)
    }

    /// Breaks every connection that there is; new ones are let in.
    public func cut() {
        let open = pairs.withLock { pairs in
            defer { pairs.all = [] }
            return pairs.all
        }
        for pair in open { pair.hangUp() }
    }

    private func end() {
        pairs.withLock { $0.isOver = true }
        listener.hangUp()
        cut()
        for sluice in [up, down] { sluice.open() }
    }

    private func serve() {
        while let device = listener.accept() {
            // A router that is away is no reason to let the next device not in.
            guard let router = try? Socket(), router.connect(to: self.router) else { continue }
            let pair = Pair(device: device, router: router)
            let isOver = pairs.withLock { pairs in
                if !pairs.isOver { pairs.all.append(pair) }
                return pairs.isOver
            }
            guard !isOver else { return }
            pass(from: device, to: router, of: pair, through: up)
            pass(from: router, to: device, of: pair, through: down)
        }
    }

    private func pass(from source: Socket, to end: Socket, of pair: Pair, through sluice: Sluice) {
        DispatchQueue(label: "m2m.test.proxy").async {
            while let piece = source.read() {
                guard end.write(sluice.pass(piece)) else { break }
            }
            pair.hangUp()
        }
    }
}

/// A sluice that lets everything through as it is, or nothing, or only so much a second, or something else.
public final class Sluice: Sendable {
    private struct State {
        var isShut = false
        var waiting: [DispatchSemaphore] = []
        var bytesPerSecond: Int?
        var isDamaging = false
    }

    private let state = Mutex(State())

    /// Lets nothing through any more.
    public func shut() {
        state.withLock { $0.isShut = true }
    }

    /// Lets no more through in a second than this.
    public func narrow(to bytesPerSecond: Int) {
        state.withLock { $0.bytesPerSecond = bytesPerSecond }
    }

    /// Turns a bit of every piece that goes through.
    public func damage() {
        state.withLock { $0.isDamaging = true }
    }

    /// Lets everything through as it is, and what has waited first.
    public func open() {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for one in waiting { one.signal() }
    }

    /// Waits until it is open, and as long as a piece takes.
    ///
    /// - Returns: What comes out of it.
    fileprivate func pass(_ piece: [UInt8]) -> [UInt8] {
        let turn = state.withLock { state -> DispatchSemaphore? in
            guard state.isShut else { return nil }
            let turn = DispatchSemaphore(value: 0)
            state.waiting.append(turn)
            return turn
        }
        turn?.wait()
        let (speed, isDamaging) = state.withLock { ($0.bytesPerSecond, $0.isDamaging) }
        if let speed {
            let time = DispatchTimeInterval.nanoseconds(piece.count * 1_000_000_000 / max(1, speed))
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + time)
        }
        guard isDamaging else { return piece }
        var piece = piece
        piece[piece.count / 2] ^= 0x10
        return piece
    }
}

/// A TCP socket on this machine, that blocks; closed with the last reference to it.
private final class Socket: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        // What is passed on piece by piece must not wait for more.
        var isOn: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    convenience init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessError(description: "no socket: \(Self.problem)") }
        self.init(descriptor)
    }

    deinit { close(descriptor) }

    private static var problem: String { String(cString: strerror(errno)) }

    /// Ends every call that waits on it, here and at the other end.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Listens on a free port, and says on which.
    func listen() throws -> Int {
        var place = Self.place(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = Self.withAddress(&place) { address in
            bind(descriptor, address, size) == 0 && Glibc.listen(descriptor, 16) == 0
                && getsockname(descriptor, address, &size) == 0
        }
        guard isListening else { throw HarnessError(description: "no port: \(Self.problem)") }
        return Int(UInt16(bigEndian: place.sin_port))
    }

    /// The next one who comes; nil: it was hung up.
    func accept() -> Socket? {
        while true {
            let next = Glibc.accept(descriptor, nil, nil)
            if next >= 0 {
                _ = fcntl(next, F_SETFD, FD_CLOEXEC)
                return Socket(next)
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }

    func connect(to port: Int) -> Bool {
        var place = Self.place(port)
        return Self.withAddress(&place) { address in
            Glibc.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }

    /// What comes next; nil: nothing any more.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = 0
        repeat { count = recv(descriptor, &bytes, bytes.count, 0) } while count < 0 && errno == EINTR
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Whether all of it is on its way.
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func place(_ port: Int) -> sockaddr_in {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return place
    }

    private static func withAddress<Result>(
        _ place: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
