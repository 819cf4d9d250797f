import CLinux
import DeviceModel
import Doctor
import Glibc
import NIOCore
import Transport
import Wire

/// An agent that runs on this machine, asked over its local socket.
struct RunningAgent {
    /// How long it may take to say all that it is asked for.
    private static let patience: Duration = .seconds(20)

    /// Its socket.
    let socket: String

    /// The socket that `M2M_SOCKET` names; nil: it names none.
    static var namedSocket: String? {
        getenv("M2M_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How it is, what it sees of the board, and how its watch over files is.
    ///
    /// - Throws: ``TransportError`` when nobody listens; ``Failure`` when this user may not ask.
    func answers(
        on group: any EventLoopGroup, time: any TimeSource
    ) async throws -> (answers: Patient.Answers, board: BoardInventory?)? {
        let channel = try await LocalSocket.connect(to: socket, on: group)
        return try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                try await time.sleep(until: time.now + Self.patience)
                channel.abort()
            }
            defer { tasks.cancelAll() }
            let start = time.now
            do {
                return try await answers(on: channel)
            } catch  where time.now - start >= Self.patience {
                throw Failure(.expired, "\(socket) says nothing for \(Self.patience.text)")
            }
        }
    }

    private func answers(
        on channel: MessageChannel
    ) async throws -> (answers: Patient.Answers, board: BoardInventory?)? {
        var messages = channel.inbound.makeAsyncIterator()
        var status: AgentStatus?
        var board: BoardInventory?
        var integrity: IntegrityStatus?
        for (number, request) in [Request.status, .integrity(.status(nil)), .probe].enumerated() {
            for item in try await ask(request, "\(number)", channel, &messages) {
                switch item {
                case .status(let one): status = one
                case .inventory(let one): board = one
                case .integrity(let one): integrity = one.status
                default: break
                }
            }
        }
        await channel.close()
        guard let status else { return nil }
        return (Patient.Answers(status: status, integrity: integrity, process: process), board)
    }

    private func ask(
        _ request: Request, _ session: String, _ channel: MessageChannel, _ messages: inout InboundMessages.Iterator
    ) async throws -> [Item] {
        try await channel.send(request.envelope(session: session).encoded)
        var items: [Item] = []
        while let bytes = try await messages.next() {
            let envelope = try Envelope(decoding: bytes)
            guard envelope.proto == .requests, envelope.session == session else { continue }
            switch envelope.type {
            case Items.kind.type: items += try envelope.decode(Items.self).items
            case Failure.type: throw try Failure(in: envelope)
            default: return items
            }
        }
        throw TransportError(.lost, socket, "is gone: the agent has hung up")
    }

    /// Not one that waits: a hung agent lets nobody in once enough have come.
    private static let kind =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    /// The process that listens, by the kernel's word; nil where nobody does.
    var process: Int32? {
        let file = Glibc.socket(AF_UNIX, Self.kind, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { path in
            guard socket.utf8.count < path.count else { return false }
            path.copyBytes(from: socket.utf8)
            return true
        }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, size) == 0 }
        }
        guard fits, isConnected else { return nil }
        var peer = clinux_peer()
        var length = socklen_t(MemoryLayout<clinux_peer>.size)
        let level = clinux_peer_level
        return getsockopt(file, level, clinux_peer_option, &peer, &length) == 0 && peer.pid > 0 ? peer.pid : nil
    }

    /// The configuration file with which it was started; nil where that can't be told.
    var configurationFile: String? {
        guard let process, let bytes = try? SafeFile.read("/proc/\(process)/cmdline")  // safe: then it can't be told
        else { return nil }
        let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard let file = (try? Arguments(words.dropFirst()))?.configuration  // safe: then it is no agent of ours
        else { return nil }
        guard !file.hasPrefix("/") else { return file }
        var folder = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(process)/cwd", &folder, folder.count)
        return count > 0 ? String(decoding: folder.prefix(count), as: UTF8.self) + "/" + file : nil
    }
}
