import Glibc
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: whatever arrives at a door, on the device or at the router, the next one who knocks is served.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct GarbageTests {
        /// Bytes that make no sense to anybody, always the same ones.
        private static func noise(_ count: Int) -> [UInt8] {
            var generator = SeededGenerator(seed: 20_261_121)
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }

        @Test("Noise, giant lengths, half messages and silence on the local socket: the agent serves on")
        func localSocket() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                let agent = try await house.startAgent()
                var held: [RawSocket] = []
                for garbage in [
                    Self.noise(100_000), [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 8] + Self.noise(8), [0, 0, 0, 0],
                    [0, 0, 1, 0, 0x82], [0], [],
                ] {
                    let left = try RawSocket(unix: house.socket)
                    await left.say(garbage)
                    left.close()
                    let socket = try RawSocket(unix: house.socket)
                    await socket.say(garbage)
                    held.append(socket)
                    #expect(try await house.m2m("status").status == 0)
                }
                // What is a message by its length, but none by its content, is answered by an error.
                let message = try RawSocket(unix: house.socket)
                await message.say([0, 0, 0, 3, 0xC1, 0xC1, 0xC1])
                #expect(await message.hear(4).first == 0)
                for socket in held + [message] { socket.close() }
                #expect(try await house.m2m("call", "heater", "on").status == 0)
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test("More connections than the local socket has room for: the next is served once they are gone")
        func crowd() async throws {
            try await Household.open { house in
                try house.writeDevice([.noRouter])
                _ = try await house.startAgent()
                let crowd = try (0..<50).map { _ in try RawSocket(unix: house.socket) }
                for socket in crowd { socket.close() }
                _ = try await house.m2m("status", "--json") { !$0.isEmpty }
            }
        }

        @Test("Noise, plain HTTP, half a handshake and silence on the router's port: it serves on")
        func routerPort() async throws {
            try await Household.open { house in
                let (router, _) = try await house.settle()
                let port = UInt16(house.url.split(separator: ":").last ?? "") ?? 0
                var held: [RawSocket] = []
                for garbage in [
                    Self.noise(100_000), Array("GET / HTTP/1.1\r\nHost: router\r\n\r\n".utf8),
                    [0x16, 0x03, 0x01, 0x02, 0x00, 0x01] + Self.noise(511), [0x16, 0x03, 0x01, 0xFF, 0xFF], [0x16], [],
                ] {
                    let left = try RawSocket(port: port)
                    await left.say(garbage)
                    left.close()
                    let socket = try RawSocket(port: port)
                    await socket.say(garbage)
                    held.append(socket)
                    #expect(try await house.m2m("whoami").status == 0)
                }
                #expect(try await house.m2m("call", "greenhouse/heater", "on").status == 0)
                for socket in held { socket.close() }
                router.signal(SIGTERM)
                #expect(try await router.end() == .exited(0))
            }
        }

        private static let upgrade = [
            "Connection: Upgrade\r", "Upgrade: websocket\r", "Sec-WebSocket-Version: 13\r",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r", "\r",
        ]

        @Test(
            "Inside TLS: an unknown path is not found, no HTTP is a bad request, and frames that are none end the connection",
            .enabled(if: access(Self.openssl, X_OK) == 0, "openssl is needed to speak TLS"),
            arguments: [
                (["GET /nowhere HTTP/1.1\r", "Host: router\r"] + upgrade, "HTTP/1.1 404 Not Found"),
                (["GET /nowhere HTTP/1.1\r", "Host: router\r", "\r"], "HTTP/1.1 404 Not Found"),
                (["nonsense\r", "\r"], "HTTP/1.1 400 Bad Request"),
                (["GET /api/v1/link HTTP/1.1\r", "Host: router\r"] + upgrade + ["nonsense"], "HTTP/1.1 101 "),
                (["GET /api/devices/v1/link HTTP/1.1\r", "Host: router\r"] + upgrade + ["nonsense"], "HTTP/1.1 101 "),
            ])
        func insideTLS(_ lines: [String], _ answer: String) async throws {
            try await Household.open { house in
                try await house.moveIn()
                let place = house.url.dropFirst("wss://".count)
                let client = try house.start(
                    Self.openssl,
                    ["s_client", "-quiet", "-verify_return_error", "-CAfile", house.ca, "-connect", String(place)],
                    input: lines)
                try await client.output.next(with: answer)
                #expect(try await house.m2m("whoami").status == 0)
                if lines.contains("nonsense") { try await client.end() }
            }
        }

        private static let openssl = "/usr/bin/openssl"
    }
}
