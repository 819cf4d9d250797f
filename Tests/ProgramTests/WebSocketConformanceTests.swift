import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a test suite for WebSockets can try this project's out, as a client and as a server.
    @Suite(.serialized, .timeLimit(.minutes(1))) struct WebSocketConformanceTests {
        private typealias Frame = RawWebSocket.Frame
        private static let many = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }

        /// What is said in a case, and what has to come back.
        private static let cases: [(said: [Frame], answers: [Frame])] = [
            (
                [.text("grüß dich"), .binary([]), .binary(many), .close(1_000)],
                [.text("grüß dich"), .binary([]), .binary(many), .close(1_000)]
            ),
            (
                [
                    Frame(first: 0x01, content: [0xE2, 0x82]), .ping("?"), Frame(first: 0x80, content: [0xAC]),
                    .close(3_000),
                ],
                [.pong("?"), .text("€"), .close(3_000)]
            ),
            ([.text("a"), Frame(first: 0xC1)], [.text("a"), .close(1_002)]),
            ([Frame(first: 0x81, content: [0xFF])], [.close(1_007)]),
        ]

        private static func play(_ number: Int, on socket: RawWebSocket) async {
            let (said, answers) = cases[number]
            for frame in said { await socket.say(frame) }
            for answer in answers {
                let heard = await socket.hear()
                #expect(heard == answer, "case \(number + 1)")
            }
        }

        @Test("As a client it goes through all cases of a server, and says how many there were")
        func client() async throws {
            try await Household.open { house in
                let server = try RawListener()
                let client = try house.start(
                    "websocket-conformance", ["client", "ws://127.0.0.1:\(server.port)", "--agent", "somebody"])
                let count = try await RawWebSocket(at: server, path: "/getCaseCount")
                await count.say(.text("\(Self.cases.count + 1)"), .close(1_000))
                #expect(await count.hear() == .close(1_000))
                count.close()
                for number in Self.cases.indices {
                    let path = "/runCase?case=\(number + 1)&agent=somebody"
                    let socket = try await RawWebSocket(at: server, path: path)
                    await Self.play(number, on: socket)
                    socket.close()
                }
                // A server that hangs up without a word ends a case, too.
                let last = "/runCase?case=\(Self.cases.count + 1)&agent=somebody"
                try await RawWebSocket(at: server, path: last).close()
                let reports = try await RawWebSocket(at: server, path: "/updateReports?agent=somebody")
                await reports.say(.close(1_000))
                #expect(await reports.hear() == .close(1_000))
                reports.close()
                let outcome = try await client.outcome()
                #expect(outcome.output == ["5 cases, 5 of them to their end"], "\(outcome)")
                #expect(outcome.status == 0)
            }
        }

        @Test("A case that does not even begin is named, and the exit is 1") func failure() async throws {
            try await Household.open { house in
                let server = try RawListener()
                let client = try house.start("websocket-conformance", ["client", "ws://127.0.0.1:\(server.port)"])
                let count = try await RawWebSocket(at: server, path: "/getCaseCount")
                await count.say(.text("2"), .close(1_000))
                #expect(await count.hear() == .close(1_000))
                count.close()
                try await server.accept().close()
                let rude = try await server.accept()
                await rude.say(
                    Array(
                        """
                        HTTP/1.1 101 Switching Protocols\r
                        Connection: Upgrade\r
                        Upgrade: websocket\r
                        Sec-WebSocket-Accept: nonsense\r
                        \r

                        """.utf8))
                let reports = try await RawWebSocket(at: server, path: "/updateReports?agent=m2m")
                await reports.say(.close(1_000))
                #expect(await reports.hear() == .close(1_000))
                reports.close()
                let outcome = try await client.outcome()
                #expect(outcome.output.first?.hasPrefix("case 1: ") == true, "\(outcome)")
                #expect(outcome.output.dropFirst().first?.hasSuffix("the handshake of WebSocket") == true)
                #expect(outcome.output.last == "2 cases, 0 of them to their end")
                #expect(outcome.status == 1)
            }
        }

        @Test(
            "As a server it sends everything back, hangs up after closing, and ends in order",
            arguments: [SIGTERM, SIGINT])
        func server(_ signal: Int32) async throws {
            try await Household.open { house in
                let server = try house.start("websocket-conformance", ["server", "127.0.0.1:0"])
                let line = try await server.output.next(with: "listens on ws://127.0.0.1:")
                let port = try #require(UInt16(line.split(separator: ":").last ?? ""))
                for number in Self.cases.indices {
                    let socket = try await RawWebSocket(port: port)
                    await Self.play(number, on: socket)
                    #expect(await socket.hear() == nil)
                    socket.close()
                }
                server.signal(signal)
                #expect(try await server.end() == .exited(0))
            }
        }

        @Test(
            "A command line that makes no sense: 2, and the usage",
            arguments: [
                "", "nonsense", "client", "client http://x", "client ws://127.0.0.1:9001 --agent", "server",
                "server 0.0.0.0:9002", "server 127.0.0.1:65536",
            ])
        func usage(_ line: String) async throws {
            try await Household.open { house in
                let outcome = try await house.run(
                    "websocket-conformance", line.split(separator: " ").map(String.init))
                #expect(outcome.status == 2)
                #expect(outcome.output.first?.hasPrefix("usage: websocket-conformance client URL") == true)
            }
        }
    }
}
