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

        @Test("A session that ends while the answer is waited for says nothing of the command: unknown")
        func sessionEnd() async throws {
            try await Household.open { house in
                let socket = house.folder.file("agent.sock")
                let end = message(0x4D04, "error", ["code": "not-authenticated", "message": "the session is over"])
                let hearing = try VanishingAgent(socket, says: end)
                let call = try await house.run("m2m", ["call", "heater", "on"], variables: ["M2M_SOCKET": socket])
                #expect(await hearing.end() > 0)
                #expect(call.status == 1)
                #expect(call.errors == ["m2m: heater on: unknown: the session is over; it may have been done"])
            }
        }

        @Test("Who does not know what a call is has surely not done it, and is told to be so")
        func unsupported() async throws {
            try await Household.open { house in
                let socket = house.folder.file("agent.sock")
                let hearing = try VanishingAgent(
                    socket, says: message(0xFFFF, "error", ["err": "no message 'call' is known here"]))
                let call = try await house.run("m2m", ["call", "heater", "on"], variables: ["M2M_SOCKET": socket])
                #expect(await hearing.end() > 0)
                #expect(call.status != 0)
                #expect(call.errors.joined().contains("says: no message 'call' is known here"))
                #expect(!call.errors.joined().contains("unknown"))
            }
        }

        /// A message as it goes over the local socket, with its length before it (Docs/Protocol.md, sections 2 and 7).
        private func message(_ number: UInt16, _ type: String, _ body: KeyValuePairs<String, String>) -> [UInt8] {
            func text(_ text: String) -> [UInt8] { [0xD9, UInt8(text.utf8.count)] + text.utf8 }
            let body = [0x80 | UInt8(body.count)] + body.flatMap { text($0) + text($1) }
            let proto = [0xCD, UInt8(number >> 8), UInt8(number & 0xFF)]
            let message: [UInt8] =
                [0x82] + text("hdr") + [0x82] + text("proto") + proto + text("typ") + text(type) + text("body")
                + [0xC4, UInt8(body.count)] + body
            return [0, 0, 0, UInt8(message.count)] + message
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

/// An agent that takes one question, answers it or not, and is gone.
private final class VanishingAgent: Sendable {
    private let heard = Watched<Int?>(nil)

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: Where.
    ///   - reads: Whether it reads the question; else the kernel tells the asker that it was thrown away.
    ///   - answer: What it says before it goes.
    /// - Throws: ``HarnessError`` when nobody can listen there.
    init(_ path: String, reads: Bool = true, says answer: [UInt8] = []) throws {
        let door = try UnixSocket.listening(path, type: Int32(SOCK_STREAM.rawValue))
        // Whoever does not come must not make a test wait for ever.
        var limit = timeval(tv_sec: Int(patience), tv_usec: 0)
        setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        DispatchQueue(label: "m2m.test.vanishing").async { [heard] in
            let caller = accept(door, nil, nil)
            var buffer = [UInt8](repeating: 0, count: 4_096)
            // A question is sent in one piece.
            let count = recv(caller, &buffer, buffer.count, reads ? 0 : Int32(MSG_PEEK))
            send(caller, answer, answer.count, Int32(MSG_NOSIGNAL))
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
