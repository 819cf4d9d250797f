import CKeeper
import Foundation

/// A program that gives orders to a keeper, in place of an agent (`keeper_protocol.h`).
final class KeeperOrders {
    private let socket: Int32

    /// Connects.
    ///
    /// - Parameter path: Where the keeper listens.
    /// - Throws: ``BenchError`` when no keeper is there.
    init(_ path: String) throws {
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw BenchError(description: "no keeper answers at \(path)") }
    }

    /// Ends the connection: what it has adopted is made safe.
    func close() { Glibc.close(socket) }

    /// Answers for an output from now on.
    func adopt(_ output: String) throws { try ask(KEEPER_ADOPT, output) { _ in } }

    /// Switches an output on, until a time of CLOCK_MONOTONIC in seconds.
    func switchOn(_ output: String, until deadline: Double) throws {
        try ask(KEEPER_SET, output) {
            $0.value = 1
            $0.deadline_ns = Int64(deadline * 1e9)
        }
    }

    private func ask(_ type: keeper_type, _ output: String, _ change: (inout keeper_order) -> Void) throws {
        var order = keeper_order()
        order.version = UInt16(KEEPER_PROTOCOL_VERSION)
        order.type = UInt16(type.rawValue)
        order.sequence = 1
        withUnsafeMutableBytes(of: &order.output) { $0.copyBytes(from: output.utf8.prefix($0.count - 1)) }
        change(&order)
        guard send(socket, &order, MemoryLayout<keeper_order>.size, Int32(MSG_NOSIGNAL)) > 0 else {
            throw BenchError(description: "the keeper is gone")
        }
        var report = keeper_report()
        repeat {
            guard recv(socket, &report, MemoryLayout<keeper_report>.size, 0) > 0 else {
                throw BenchError(description: "the keeper has hung up")
            }
        } while report.sequence != order.sequence
        guard report.status == 0 else { throw BenchError(description: "the keeper refuses: \(-report.status)") }
    }
}
