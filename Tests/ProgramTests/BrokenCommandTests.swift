import Dispatch
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: who gave a command and lost the connection before the answer is told that nobody knows whether it was
    /// done, people and programs alike, and gives it no second time because they were told that nobody was there.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct BrokenCommandTests {
        @Test(
            "A connection that ends after the command was sent, in order or not: unknown, and not unreachable",
            arguments: [true, false])
        func broken(isRead: Bool) async throws {
            try await Household.open { house in
                let socket = house.folder.file("agent.sock")
                let hearing = try VanishingAgent(socket, reads: isRead)
                let call = try await house.run(
                    "m2m", ["call", "heater", "on", "--lease", "5s", "--json"], variables: ["M2M_SOCKET": socket])
                #expect(await hearing.end() > 0)
                #expect(call.status == 1, "\(call)")
                let result = try #require(call.json.first)
                #expect(call.output.count == 1)
                #expect(result["status"] == "unknown")
                #expect(result["action"] == "on")
                #expect(try result["reason"].text.hasSuffix("; it may have been done"))
                let words = call.errors.joined()
                #expect(words.hasPrefix("m2m: heater on: unknown: \(socket) "), "\(call)")
                #expect(words.hasSuffix("; it may have been done; if it was, the output is safe again within 5s"))
                #expect(!words.contains("Try again"))
            }
        }

        @Test("A question that changes nothing, whose answer is lost, is not reachable, and says what to do")
        func question() async throws {
            try await Household.open { house in
                let socket = house.folder.file("agent.sock")
                let hearing = try VanishingAgent(socket, reads: true)
                let status = try await house.run("m2m", ["status"], variables: ["M2M_SOCKET": socket])
                #expect(await hearing.end() > 0)
                #expect(status.status == 3)
                #expect(
                    status.errors == ["m2m: \(socket) closed the connection; does the agent still run? Try again"]
                )
            }
        }
    }
}

/// An agent that takes one question, and is gone.
private final class VanishingAgent: Sendable {
    private let heard = Watched<Int?>(nil)

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: Where.
    ///   - reads: Whether it reads the question; else the kernel tells the asker that it was thrown away.
    /// - Throws: ``HarnessError`` when nobody can listen there.
    init(_ path: String, reads: Bool) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let door = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let isOpen = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(door, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(door, 1) == 0
            }
        }
        // Whoever does not come must not make a test wait for ever.
        var limit = timeval(tv_sec: Int(patience), tv_usec: 0)
        setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard isOpen else { throw HarnessError(description: "\(path): \(String(cString: strerror(errno)))") }
        DispatchQueue(label: "m2m.test.vanishing").async { [heard] in
            let caller = accept(door, nil, nil)
            var buffer = [UInt8](repeating: 0, count: 4_096)
            // A question is sent in one piece.
            let count = recv(caller, &buffer, buffer.count, reads ? 0 : Int32(MSG_PEEK))
            close(caller)
            close(door)
            heard.change { $0 = count }
        }
    }

    /// Waits until it is gone.
    ///
    /// - Returns: How much it was asked, in bytes.
    func end() async -> Int {
        (try? await heard.wait(for: "question") { $0 }) ?? 0
    }
}
