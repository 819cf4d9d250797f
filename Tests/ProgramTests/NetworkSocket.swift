import Foundation
import TestSupport

/// A socket of a process that reaches, or can be reached by, more than this machine's files: as the kernel tells the
/// process's own user, without any rights.
struct NetworkSocket: Hashable {
    /// The kernel's tables (proc_net(5)), each of which is there or not.
    enum Kind: String, CaseIterable {
        case tcp, tcp6, udp, udp6, udplite, udplite6, raw, raw6, icmp, icmp6

        fileprivate var isTCP: Bool { self == .tcp || self == .tcp6 }
    }

    let kind: Kind
    /// The port here, and the one at the other end; 0 where there is none.
    let (port, otherPort): (Int, Int)
    /// Whether anybody can reach it: TCP that listens, and whatever knows no connections.
    let isOpen: Bool

    /// All those that a process has.
    ///
    /// - Throws: ``HarnessError`` when the process can't be looked at.
    static func all(of process: pid_t) throws -> [NetworkSocket] {
        let sockets = try sockets(of: process)
        return try Kind.allCases.flatMap { kind in
            try table(kind, of: process).filter { sockets.contains($0.number) }.map(\.socket)
        }
    }

    /// The numbers of all sockets of a process: those of the network, and all others.
    static func sockets(of process: pid_t) throws -> Set<Substring> {
        let folder = "/proc/\(process)/fd"
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: folder)
        return Set(
            descriptors.compactMap { descriptor in
                // safe: what was closed meanwhile is no socket any more
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")
                return target?.wholeMatch(of: /socket:\[(\d+)\]/)?.1
            })
    }

    private static func table(_ kind: Kind, of process: pid_t) throws -> [(number: Substring, socket: NetworkSocket)] {
        let path = "/proc/\(process)/net/\(kind.rawValue)"
        guard let text = text(path) else {
            guard kind != .tcp, kind != .udp else { throw HarnessError(description: "there is no \(path)") }
            return []
        }
        return try text.split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, let port = number(fields[1]), let otherPort = number(fields[2]) else {
                throw HarnessError(description: "\(path) has no such line: \(line)")
            }
            let isListening = fields[3] == "0A"  // TCP_LISTEN in the kernel's net/tcp_states.h
            return (
                fields[9],
                NetworkSocket(kind: kind, port: port, otherPort: otherPort, isOpen: isListening || !kind.isTCP)
            )
        }
    }

    /// The whole text of one of the kernel's tables, which comes in pieces: Foundation takes the first one for all of it.
    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func number(_ address: Substring) -> Int? {
        address.split(separator: ":").last.flatMap { Int($0, radix: 16) }
    }
}
