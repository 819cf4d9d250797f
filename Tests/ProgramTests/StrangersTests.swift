import Foundation
import NIOCore
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: strangers at the router's port hold little, and not for long; and however many there are, who has a name
    /// here gets in.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct StrangersTests {
        private func port(_ house: Household) -> Int { Int(house.url.split(separator: ":").last ?? "") ?? 0 }

        /// The memory of a process that is its own, in bytes.
        private static func memory(_ id: pid_t) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(id)/smaps_rollup", encoding: .utf8)
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("Private_") }
            return lines.compactMap { Int($0.split(separator: " ").dropFirst().first ?? "") }.reduce(0, +) * 1_024
        }

        /// Lets many come, each from an address of its own, and say something that has no end.
        private func come(
            _ count: Int, _ port: Int, saying text: String, from first: Int = 0
        ) async throws -> [Stranger] {
            try await withThrowingTaskGroup(of: Stranger.self) { group in
                for number in first..<first + count {
                    group.addTask {
                        let stranger = try await Stranger(from: Stranger.address(number), port: port)
                        // safe: whoever is sent away meanwhile has nothing to say any more
                        try? await stranger.say(text)
                        await stranger.turnAway()
                        return stranger
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }

        @Test("1000 who say nothing that has an end, from as many addresses: a login gets through, and none has 64 KiB")
        func crowd() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                let port = port(house)
                // What the first ones cost is the program's, not theirs.
                let first = try await come(50, port, saying: "GET ")
                for stranger in first { stranger.channel.close(promise: nil) }
                let before = try Self.memory(router.id)
                let head = "GET /api/v1/link HTTP/1.1\r\nX: " + String(repeating: "x", count: 7_500)
                // Half of a head, and a WebSocket with half of a frame that announces much more.
                let frame = Stranger.upgrade("/api/v1/link") + "\u{02}\u{7F}" + String(repeating: "\0", count: 7_500)
                let some = try await come(200, port, saying: head) + come(200, port, saying: frame, from: 200)
                let each = (try Self.memory(router.id) - before) / 400
                #expect(each <= 65_536, "\(each) bytes each")
                let crowd = try await come(1_000, port, saying: "GET ")
                // Those who have to go are gone, whether they say goodbye or not.
                let held = try NetworkSocket.all(of: router.id).count { !$0.isOpen && $0.port == port }
                #expect(held <= 540, "\(held) are held")
                try house.done(await house.login())
                try house.done(await house.m2m("devices"))
                for stranger in some + crowd { stranger.channel.close(promise: nil) }
            }
        }

        @Test("Who has not said who they are within ten seconds is hung up on, wherever they stopped")
        func slow() async throws {
            try await Household.open { house in
                let router = try await house.moveIn()
                let port = port(house)
                let silent = try RawSocket(port: UInt16(port))
                let half = try RawSocket(port: UInt16(port))
                await half.say([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
                let start = ContinuousClock.now
                var strangers: [Stranger] = []
                for text in [
                    "GET /api/v1/link HTTP/1.1\r\n", Stranger.upgrade("/api/v1/link"),
                    Stranger.upgrade("/api/devices/v1/link"),
                ] {
                    let stranger = try await Stranger(from: "127.0.0.1", port: port)
                    try await stranger.say(text)
                    await stranger.turnAway()
                    strangers.append(stranger)
                }
                #expect(await silent.hear(1).isEmpty)
                #expect(await half.hear(1).isEmpty)
                // Nobody of them hears that, or says goodbye: the router lets go of them all the same.
                let ports = Set(strangers.compactMap { $0.channel.localAddress?.port })
                #expect(ports.count == strangers.count)
                while try NetworkSocket.all(of: router.id).contains(where: { ports.contains($0.otherPort) }) {
                    _ = try await house.run("m2m", ["--version"])  // a pause
                }
                #expect(ContinuousClock.now - start < .seconds(14))
                for stranger in strangers { stranger.channel.close(promise: nil) }
            }
        }

        @Test("More than 8 KiB without a message, and more than 64 from one address, are hung up on at once")
        func greedy() async throws {
            try await Household.open { house in
                try await house.moveIn()
                let port = port(house)
                let start = ContinuousClock.now
                let greedy = try await Stranger(from: "127.0.0.2", port: port)
                // safe: the router may hang up in the middle of it
                try? await greedy.say("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 9_000))
                try await greedy.untilHungUp()
                let upgraded = try await Stranger(from: "127.0.0.2", port: port)
                // A frame of 1 MiB of which 9 KiB come.
                try? await upgraded.say(  // safe: the router may hang up in the middle of it
                    Stranger.upgrade("/api/v1/link") + "\u{02}\u{7F}" + String(repeating: "\0", count: 9_000))
                try await upgraded.untilHungUp()
                #expect(ContinuousClock.now - start < .seconds(9))

                var standing: [Stranger] = []
                for _ in 0..<64 { standing.append(try await Stranger(from: "127.0.0.3", port: port)) }
                for stranger in standing { try await stranger.say("GET ") }
                let tooMany = try await Stranger(from: "127.0.0.3", port: port)
                try? await tooMany.say("GET ")  // safe: it is hung up on at once
                try await tooMany.untilHungUp()
                #expect(standing.contains { $0.channel.isActive })
                // Others are let in meanwhile.
                try house.done(await house.m2m("devices"))
                for stranger in standing { stranger.channel.close(promise: nil) }
            }
        }
    }
}
