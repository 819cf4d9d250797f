import CKeeper
import Dispatch
import Glibc
import Synchronization
import TestSupport

/// A socket where a keeper should be: it answers what a test wants.
final class FakeKeeper: Sendable {
    private let listener: Int32
    private let connection = Mutex<Int32>(-1)
    private let answer: @Sendable (keeper_order) -> [[UInt8]]

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: Where.
    ///   - answer: Gives the messages that answer an order.
    /// - Throws: ``HarnessError`` when nobody can listen there.
    init(at path: String, answer: @escaping @Sendable (keeper_order) -> [[UInt8]]) throws {
        self.answer = answer
        listener = try UnixSocket.listening(path, type: Int32(SOCK_SEQPACKET.rawValue))
        DispatchQueue(label: "m2m.test.fake-keeper").async { [self] in serve() }
    }

    /// Ends it.
    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        connection.withLock { _ = shutdown($0, Int32(SHUT_RDWR)) }
    }

    /// One connection after the other, on a thread of its own.
    private func serve() {
        while true {
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { break }
            connection.withLock { $0 = peer }
            var order = keeper_order()
            while recv(peer, &order, MemoryLayout<keeper_order>.size, 0) > 0 {
                for message in answer(order) { send(peer, message, message.count, Int32(MSG_NOSIGNAL)) }
            }
            connection.withLock { $0 = -1 }
            close(peer)
        }
        close(listener)
    }
}
