import TestSupport
import Testing

extension ProgramTests {
    /// Promise: whichever of the programs is killed, it comes back, and every reading that anybody has seen is in the
    /// router's history afterwards, once.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct RestartTests {
        @Test(
            "The router is killed and started again: the device is back by itself, with all that it measured meanwhile")
        func router() async throws {
            try await Household.open { house in
                let (router, agent) = try await house.settle(GreenhouseFile.Edit.busy)
                let watch = try house.start("m2m", ["watch", "--json"])
                try await Self.readings(5, of: watch)
                router.signal(9)
                #expect(try await router.end() == .killed(9))
                try await agent.errors.next(with: "no link to the router")

                try await Self.readings(20, of: watch)
                try house.done(await house.m2m("call", "heater", "on"))
                let last = try await watch.output.nextJSON("result") { $0["action"] == "on" }
                let seen = try watch.output.all.map { try JSON($0) }
                #expect(seen.contains(last))

                try await house.startRouter()
                try await agent.errors.next(with: "connected to the router")
                try await agent.errors.next(with: "the link to the router is back")
                try await Self.check(house, hasAll: seen)
            }
        }

        @Test(
            "The agent is killed and started again, and again: nothing that was seen is lost, and no number is used twice"
        )
        func agent() async throws {
            try await Household.open { house in
                var (_, agent) = try await house.settle(GreenhouseFile.Edit.busy)
                let far = try house.start("m2m", ["watch", "greenhouse", "--json"])
                try await Self.readings(1, of: far)
                var seen: [JSON] = []
                for action in ["on", "off", "toggle"] {
                    let near = try house.start("m2m", ["watch", "--json"])
                    try await Self.readings(10, of: near)
                    try house.done(await house.m2m("call", "greenhouse/heater", action))
                    try await far.output.nextJSON("result") { $0["action"] == .text(action) && $0["status"] == "done" }
                    agent.signal(9)
                    #expect(try await agent.end() == .killed(9))
                    #expect(try await near.end() == .exited(3))
                    seen += try near.output.all.map { try JSON($0) }

                    agent = try await house.startAgent()
                    try await agent.errors.next(with: "connected to the router")
                }
                seen += try far.output.all.map { try JSON($0) }.filter { $0["state"] == .null }
                try await Self.check(house, hasAll: seen)
            }
        }

        /// Waits for so many readings of the sensor that measures all the time.
        private static func readings(_ count: Int, of watch: Program) async throws {
            for _ in 0..<count {
                try await watch.output.nextJSON("reading") { $0["property"] == "temperature" }
            }
        }

        /// Waits until the router has what was seen, and checks that it has all of it, and nothing twice.
        private static func check(_ house: Household, hasAll seen: [JSON]) async throws {
            let last = try (readings: numbers(seen, "property").max() ?? 0, others: numbers(seen, nil).max() ?? 0)
            var (history, gaps): ([JSON], Set<JSON>) = ([], [])
            for component in ["climate", "switch", "tank", "heater", "host"] {
                // What is missing may be of any component.
                let newest = seen.filter { $0["component"] == .text(component) || $0["first"] != .null }
                let outcome = try await house.m2m("history", "greenhouse/\(component)", "--json") { lines in
                    Set(newest).isSubset(of: try lines.map { try JSON($0) })
                }
                let lines = try outcome.json
                gaps.formUnion(lines.filter { $0["first"] != .null })
                history += lines.filter { $0["first"] == .null }
            }
            for one in seen { #expect((history + gaps).filter { $0 == one }.count == 1, "\(one)") }
            // Readings have numbers of their own, and so has everything else: each from 1 on, without a hole.
            let readings = try numbers(history, "property") + numbers(gaps, of: "telemetry")
            #expect(readings.filter { $0 <= last.readings }.sorted() == Array(1...last.readings))
            let others = try numbers(history, nil) + numbers(gaps, of: "events")
            #expect(others.filter { $0 <= last.others }.sorted() == Array(1...last.others))
        }

        /// The numbers that stand for what is missing of a stream.
        private static func numbers(_ gaps: Set<JSON>, of stream: String) throws -> [Int] {
            try gaps.filter { $0["stream"] == .text(stream) }.flatMap {
                Array(Int(try $0["first"].number)...Int(try $0["last"].number))
            }
        }

        /// The numbers of readings, or of all that is none.
        private static func numbers(_ lines: [JSON], _ field: String?) throws -> [Int] {
            try lines.filter { $0["sequence"] != .null }.filter { ($0["property"] != .null) == (field != nil) }.map {
                Int(try $0["sequence"].number)
            }
        }
    }
}
