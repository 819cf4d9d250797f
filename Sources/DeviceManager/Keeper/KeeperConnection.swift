import CKeeper
import DeviceModel
import Dispatch
import Glibc
import HAL
import Synchronization

/// A connection to the keeper: orders go out at once, and reports come in on a queue of its own.
final class KeeperConnection: Sendable {
    fileprivate struct State {
        var socket: Int32
        var next: UInt32 = 0
        var waiting: [UInt32: Mailbox<KeeperReport>] = [:]
        var source: (any DispatchSourceRead)?
        /// When it was said that the agent lives, if the keeper has said nothing since.
        var unanswered: MonotonicTime?
        /// Why the agent has ended the connection; nil: it did not.
        var problem: HALError?
    }

    private let state: Mutex<State>
    private let onNews: @Sendable (KeeperReport) -> Void
    private let onEnd: @Sendable () -> Void

    /// Connects.
    ///
    /// - Parameters:
    ///   - path: The keeper's socket.
    ///   - onNews: Told of what the keeper does by itself.
    ///   - onEnd: Told once when the connection has ended.
    /// - Throws: ``HALError`` when no keeper answers there.
    init(
        to path: String, onNews: @escaping @Sendable (KeeperReport) -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) throws(HALError) {
        state = Mutex(State(socket: try Self.connect(path)))
        self.onNews = onNews
        self.onEnd = onEnd
        listen()
    }

    deinit { close() }

    /// Says that the agent lives, and ends the connection where that was not answered for too long.
    func beat(at now: MonotonicTime, patience: Duration) {
        let isSilent = state.withLock { state in
            _ = state.send(KeeperOrder(KEEPER_HEARTBEAT))
            let since = state.unanswered ?? now
            state.unanswered = since
            return now - since >= patience
        }
        if isSilent { leave(HALError(.timedOut, "the keeper")) }
    }

    /// Why the agent itself has ended it; nil: the keeper did, or nobody.
    var problem: HALError? { state.withLock(\.problem) }

    private func leave(_ problem: HALError) {
        state.withLock { $0.problem = problem }
        close()
    }

    /// Gives an order, and waits for its report.
    ///
    /// - Parameters:
    ///   - order: The order.
    ///   - deadline: How long to wait; nil: as long as the connection lasts.
    ///   - time: The clock of the deadline.
    /// - Returns: The report.
    /// - Throws: ``HALError`` when the connection ends or the deadline comes before it.
    func ask(
        _ order: KeeperOrder, until deadline: MonotonicTime? = nil, on time: any TimeSource
    ) async throws(HALError) -> KeeperReport {
        let answer = Mailbox<KeeperReport>(bound: 1, policy: .refuseNewest)
        let sequence = state.withLock { state -> UInt32? in
            let sequence = state.send(order)
            if let sequence { state.waiting[sequence] = answer }
            return sequence
        }
        guard let sequence else { throw HALError(.failed, "the keeper", advice: "it takes no orders") }
        let received = await answer.next(until: deadline, on: time)
        state.withLock { _ = $0.waiting.removeValue(forKey: sequence) }
        switch received {
        case .element(let report): return report
        case .deadline: throw HALError(.timedOut, "the keeper")
        case .finished: throw HALError(.failed, "the keeper", advice: "the connection to it ended")
        }
    }

    /// Ends the connection.
    func close() {
        state.withLock(\.source)?.cancel()
    }

    // MARK: The socket

    private static func connect(_ path: String) throws(HALError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            throw HALError(.failed, "the keeper's socket \(path)", advice: "its path is longer than \(room - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_UNIX, type, 0)
        guard socket >= 0 else { throw HALError(.failed, "the keeper at \(path)", errno: errno) }
        let result = withUnsafeBytes(of: &address) {
            Glibc.connect(
                socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_un>.size))
        }
        guard result == 0 else {
            let number = errno
            Glibc.close(socket)
            let isAbsent = number == ENOENT || number == ECONNREFUSED
            throw HALError(
                isAbsent ? .absent : .failed, "the keeper at \(path)", errno: isAbsent ? 0 : number,
                advice: "is m2m-keeper running?")
        }
        return socket
    }

    private func listen() {
        state.withLock { state in
            let socket = state.socket
            let source = DispatchSource.makeReadSource(
                fileDescriptor: socket, queue: DispatchQueue(label: "m2m.keeper"))
            source.setEventHandler { [weak self] in self?.read(socket) }
            source.setCancelHandler { [state = self.endState()] in state(socket) }
            state.source = source
            source.resume()
        }
    }

    /// What is left to do when nothing is read any more; it outlives the connection itself.
    private func endState() -> @Sendable (Int32) -> Void {
        { [weak self, onEnd] socket in
            let waiting = self?.state.withLock { state in
                state.socket = -1  // before its number can be somebody else's
                defer { state.waiting = [:] }
                return state.waiting.values.map(\.self)
            }
            Glibc.close(socket)
            for answer in waiting ?? [] { answer.finish() }
            onEnd()
        }
    }

    private func read(_ socket: Int32) {
        let size = MemoryLayout<keeper_report>.size
        withUnsafeTemporaryAllocation(byteCount: size + 1, alignment: 8) { buffer in
            while true {
                let count = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0, errno == EAGAIN || errno == EINTR { return }
                guard count > 0 else { return close() }
                do throws(HALError) {
                    take(try KeeperReport(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
                } catch {
                    return leave(error)  // whoever talks nonsense is asked anew
                }
            }
        }
    }

    private func take(_ report: KeeperReport) {
        let answer = state.withLock { state in
            state.unanswered = nil
            return state.waiting[report.sequence]
        }
        if report.isNews { onNews(report) } else { answer?.send(report) }
    }
}

extension KeeperConnection.State {
    /// - Returns: The order's number; nil when it could not be sent.
    fileprivate mutating func send(_ order: KeeperOrder) -> UInt32? {
        guard socket >= 0 else { return nil }
        next &+= 1
        let bytes = order.bytes(sequence: next)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return Glibc.send(socket, bytes, bytes.count, flags) == bytes.count ? next : nil
    }
}
