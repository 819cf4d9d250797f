import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Promise: a wall clock that is wrong, or goes wrong, stops nothing and moves no timer; what was measured meanwhile has
    /// the right date as soon as the clock has.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct WrongClockTests {
        private static let tenYears = 10 * 365 * 86_400
        private static let limit = GreenhouseFile.Edit("safe = \"off\"", "safe = \"off\"\nmax_on = \"2s\"")

        private func setClock(_ house: Household, ahead seconds: Int, isSynchronised: Bool = true) throws {
            let state = isSynchronised ? "synchronised" : "unsynchronised"
            try house.folder.write("wall-shift", "\(seconds) \(state)\n")
        }

        /// Waits for readings that are newer, and gives the last of them.
        @discardableResult
        private func readings(_ count: Int, of watch: Program) async throws -> JSON {
            var last = JSON.null
            for _ in 0..<count {
                last = try await watch.output.nextJSON("reading") { $0["property"] == "temperature" }
            }
            return last
        }

        @Test("Ten years forward and back while it runs: it measures on, and an output is on for as long as it may be")
        func jumps() async throws {
            try await Household.open { house in
                try setClock(house, ahead: 0)
                let (agent, _) = try await house.keep(
                    GreenhouseFile.Edit.busy + [Self.limit], variables: house.shiftedWallClock())
                let watch = try house.start("m2m", ["watch", "--json"])
                try await readings(1, of: watch)
                for years in [1, -1] {
                    let before = try house.edgeTimes().count
                    try house.done(await house.m2m("call", "heater", "on"))
                    try setClock(house, ahead: years * Self.tenYears)
                    try await readings(5, of: watch)
                    try await house.settleHeater(isOn: false)
                    try setClock(house, ahead: 0)
                    try await readings(5, of: watch)
                    let times = try Array(house.edgeTimes().dropFirst(before))
                    #expect(times.count == 2)
                    let duration = try #require(times.last) - #require(times.first)
                    #expect(duration >= 1.9, "\(duration) s")
                    #expect(duration < 20, "a bound for slow machines: \(duration) s")
                }
                // What is measured now has the date of now.
                _ = try await house.m2m("read", "climate.temperature", "--json") { lines in
                    try lines.first.map { abs(try Self.date(JSON($0)["time"]).timeIntervalSinceNow) < 3_600 } ?? false
                }
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        @Test(
            "A start in 1970: it measures; it says why there is no link; and all of it is dated once the clock is right"
        )
        func boot1970() async throws {
            try await Household.open { house in
                _ = try await house.moveIn()
                try house.writeDevice(GreenhouseFile.Edit.busy)
                try await house.enroll()
                try setClock(house, ahead: 60 - Int(Date.now.timeIntervalSince1970), isSynchronised: false)
                let begin = Date.now
                let agent = try await house.startAgent(variables: house.shiftedWallClock())
                let near = try house.start("m2m", ["watch", "--json"])
                let first = try await readings(5, of: near)
                #expect(try first["time"].text.hasPrefix("1970-01-01T"))
                #expect(first["clock"] == "unsynchronised")
                _ = try await house.m2m("status") { $0.contains { $0.contains("is this machine's clock right?") } }

                try setClock(house, ahead: 0)
                try await agent.errors.next(with: "connected to the router")
                // It may arrive before it is dated.
                let history = try await house.m2m("history", "greenhouse/climate.temperature", "--json") { lines in
                    let entries = try lines.map { try JSON($0) }
                    return entries.contains { $0["sequence"] == first["sequence"] } && Self.areDated(entries)
                }
                let early = try #require(try history.json.first { $0["sequence"] == first["sequence"] })
                let date = try Self.date(early["time"])
                #expect(date > begin - 2 && date < Date.now + 2, "\(date)")
                #expect(try history.json.allSatisfy { try !$0["time"].text.hasPrefix("1970") })
                // What is still on the device is dated there as well.
                let own = try await house.m2m("history", "climate.temperature", "--json") { lines in
                    Self.areDated(try lines.map { try JSON($0) })
                }
                #expect(try own.json.allSatisfy { try !$0["time"].text.hasPrefix("1970") })
                agent.signal(SIGTERM)
                #expect(try await agent.end() == .exited(0))
            }
        }

        private static func areDated(_ entries: [JSON]) -> Bool {
            entries.allSatisfy { $0["clock"] == .null }
        }

        private static func date(_ time: JSON) throws -> Date {
            try Date("\(time.text.prefix(19))Z", strategy: .iso8601)
        }
    }
}
